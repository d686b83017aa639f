"""Answers that are streams of events: each event of the operation becomes one frame."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from cumulet.core.errors import AwsError, InternalFailure
from cumulet.core.http import Response
from cumulet.wire.model import OperationModel, Shape
from cumulet.wire.protocols.eventstream import CONTENT_TYPE, HeaderValue, encode_frame
from cumulet.wire.values.cbor_shapes import cbor_members_writer, dump_cbor
from cumulet.wire.values.json_shapes import dump_json, members_writer
from cumulet.wire.values.scalars import seconds_of
from cumulet.wire.values.xml_shapes import members_writer as xml_members_writer

EventWriter = Callable[[dict[str, Any]], bytes]
BodyWriter = Callable[[dict[str, Any]], bytes]

_CONTENT_TYPES = {
    "json": "application/json",
    "rest-json": "application/json",
    "rest-xml": "text/xml",
    "cbor": "application/cbor",
}


def compile_events(operation: OperationModel, protocol: str) -> Callable[[Any], Any]:
    """A function from the operation's output to the body: an iterator of frames.

    Protocols without headers for it (JSON RPC and CBOR) send the other members in a first event.
    """
    name = operation.event_stream_output
    output = operation.output
    assert output is not None
    stream = output.members[name]
    writers = {key: _event_writer(key, member, protocol) for key, member in stream.members.items()}
    write_initial: BodyWriter | None = None
    if protocol in ("json", "cbor"):
        others = {key: member for key, member in output.members.items() if key != name}
        write_initial = _body_writer(others, protocol, "")

    async def frames(output: dict[str, Any]) -> AsyncIterator[bytes]:
        events = output.get(name)
        try:
            if write_initial is not None:
                rest = {key: value for key, value in output.items() if key != name}
                yield _frame("initial-response", _CONTENT_TYPES[protocol], write_initial(rest))
            if events is not None:
                async for event in events:
                    for key, value in event.items():
                        yield writers[key](value)
        except AwsError as error:
            yield exception_frame(error, stream, protocol)
        finally:
            close = getattr(events, "aclose", None)
            if close is not None:
                await close()

    return frames


def event_headers(request_id: str) -> list[tuple[str, str]]:
    """The headers of an answer that is a stream of events."""
    return [("x-amzn-requestid", request_id), ("content-type", CONTENT_TYPE)]


def event_response(
    frames: Callable[[Any], AsyncIterator[bytes]], output: dict[str, Any], request_id: str
) -> Response:
    """The whole answer for the RPC protocols."""
    return Response(200, event_headers(request_id), frames(output))


def _frame(event_type: str, content_type: str, payload: bytes) -> bytes:
    headers = (
        (":event-type", event_type),
        (":content-type", content_type),
        (":message-type", "event"),
    )
    return encode_frame(headers, payload)


def exception_frame(error: AwsError, stream: Shape, protocol: str) -> bytes:
    """An error inside a stream: a modelled one by its member, any other as an error message."""
    for key, member in stream.members.items():
        if member.traits.get("exception") and error.code in (member.name, key):
            write = _event_writer(key, member, protocol)
            known = {name: value for name, value in error.fields.items() if name in member.members}
            message = next((one for one in member.members if one.lower() == "message"), "")
            return write({message: error.message, **known} if message else known)
    code = "InternalServerException" if isinstance(error, InternalFailure) else error.code
    headers = (
        (":error-code", code),
        (":error-message", error.message),
        (":message-type", "error"),
    )
    return encode_frame(headers, b"")


def _event_writer(key: str, shape: Shape, protocol: str) -> EventWriter:
    is_exception = bool(shape.traits.get("exception"))
    kind = ":exception-type" if is_exception else ":event-type"
    message_type = "exception" if is_exception else "event"
    told = {name: one for name, one in shape.members.items() if one.traits.get("eventheader")}
    payload_name = next(
        (name for name, one in shape.members.items() if one.traits.get("eventpayload")), ""
    )
    content_type, write_body = _payload_writer(shape, payload_name, protocol)
    fixed: list[tuple[str, HeaderValue]] = [(kind, key)]
    if content_type:
        fixed.append((":content-type", content_type))
    fixed.append((":message-type", message_type))

    def write(value: dict[str, Any]) -> bytes:
        headers = list(fixed)
        rest = value
        if told:
            rest = {name: item for name, item in value.items() if name not in told}
            headers += [
                (name, _header_value(one, value[name]))
                for name, one in told.items()
                if value.get(name) is not None
            ]
        return encode_frame(headers, write_body(rest))

    return write


def _header_value(shape: Shape, value: Any) -> HeaderValue:
    found: HeaderValue = float(seconds_of(value)) if shape.type == "timestamp" else value
    return found


def _payload_writer(shape: Shape, payload_name: str, protocol: str) -> tuple[str, BodyWriter]:
    if not payload_name:
        bodies = {
            name: one for name, one in shape.members.items() if not one.traits.get("eventheader")
        }
        if not shape.members and not shape.traits.get("exception") and protocol == "rest-xml":
            return "", lambda value: b""
        return _CONTENT_TYPES[protocol], _body_writer(bodies, protocol, shape.name)
    payload = shape.members[payload_name]
    if payload.type == "blob":
        return "application/octet-stream", lambda value: value.get(payload_name, b"")
    if payload.type == "string":
        return "text/plain", lambda value: value.get(payload_name, "").encode()
    write = _body_writer(payload.members, protocol, payload.root_name)
    return _CONTENT_TYPES[protocol], lambda value: write(value.get(payload_name, {}))


def _body_writer(members: dict[str, Shape], protocol: str, root: str) -> BodyWriter:
    if protocol == "cbor":
        write_cbor = cbor_members_writer(members)
        return lambda value: dump_cbor(write_cbor(value))
    if protocol == "rest-xml":
        return _xml_body_writer(members, root)
    write_json = members_writer(members)
    return lambda value: dump_json(write_json(value))


def _xml_body_writer(members: dict[str, Shape], root: str) -> BodyWriter:
    write_members = xml_members_writer(members)

    def write(value: dict[str, Any]) -> bytes:
        parts = [f"<{root}>"]
        write_members(parts, value)
        parts.append(f"</{root}>")
        return "".join(parts).encode()

    return write
