"""Where the REST protocols bind members in an answer: status, headers and payload."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from cumulet.core.http import Response
from cumulet.wire.model import OperationModel, Shape
from cumulet.wire.protocols.event_answers import compile_events
from cumulet.wire.protocols.eventstream import CONTENT_TYPE as EVENTS_TYPE
from cumulet.wire.values.json_shapes import dump_json
from cumulet.wire.values.scalars import (
    format_blob,
    format_float,
    format_timestamp,
    is_json_value,
    timestamp_form,
)

Output = dict[str, Any]
HeaderList = list[tuple[str, str]]
WriteResponse = Callable[[Output, str], Response]
WriteBody = Callable[[Output], bytes]
RequestIds = Callable[[str], HeaderList]

_PLACES = ("header", "headers", "statusCode")
"""Where members of an answer may travel besides the body; paths and queries are for requests."""

_BODILESS = (204, 304)


def compile_response(
    operation: OperationModel,
    protocol: str,
    request_ids: RequestIds,
    make_body: Callable[[Shape | None, dict[str, Shape]], tuple[str, WriteBody] | None],
) -> WriteResponse:
    """How a REST operation's answers are written.

    `make_body(payload, members)` gives the content type and writer of a document body, or None
    when there is no body to write.
    """
    code = operation.code
    output = operation.output
    if output is None:
        return lambda _, request_id: Response(code, request_ids(request_id))
    write_headers = _headers_writer(output)
    write_payload = _payload_writer(operation, output, protocol, make_body)
    status_name = next(
        (name for name, one in output.members.items() if one.location == "statusCode"), ""
    )

    def write(values: Output, request_id: str) -> Response:
        headers = request_ids(request_id)
        write_headers(values, headers)
        status = values.get(status_name) or code if status_name else code
        if write_payload is None or status in _BODILESS:
            return Response(status, headers)
        return Response(status, headers, write_payload(values, headers))

    return write


def header_formatter(shape: Shape) -> Callable[[Any], str]:
    """How a value is told in a header."""
    if is_json_value(shape):
        return lambda value: format_blob(dump_json(value))
    match shape.type:
        case "boolean":
            return lambda value: "true" if value else "false"
        case "float" | "double":
            return format_float
        case "timestamp":
            form = timestamp_form(shape, "rfc822")
            return lambda value: format_timestamp(value, form)
        case "blob":
            return format_blob
        case "list":
            return _list_formatter(shape.member)
    return str


def _list_formatter(member: Shape) -> Callable[[Any], str]:
    format_one = _quoted if member.type == "string" else header_formatter(member)
    return lambda value: ", ".join(format_one(item) for item in value if item is not None)


def _quoted(text: str) -> str:
    if '"' in text or "," in text:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return text


def _headers_writer(shape: Shape) -> Callable[[Output, HeaderList], None]:
    """Members that travel in headers; any other member must be known too, or it is our mistake."""
    known = shape.members
    table: dict[str, tuple[str, Callable[[Any], str]]] = {}
    prefixes: dict[str, str] = {}
    for name, member in shape.members.items():
        if member.location == "header":
            table[name] = (member.wire_name(name).lower(), header_formatter(member))
        elif member.location == "headers":
            prefixes[name] = member.wire_name("").lower()

    def write(values: Output, headers: HeaderList) -> None:
        for name, value in values.items():
            if value is None:
                continue
            found = table.get(name)
            if found is not None:
                if not (type(value) is list and not value):
                    headers.append((found[0], found[1](value)))
            elif name in prefixes:
                prefix = prefixes[name]
                headers.extend((prefix + key.lower(), item) for key, item in value.items())
            elif name not in known:
                raise KeyError(name)

    return write


def _payload_writer(
    operation: OperationModel,
    output: Shape,
    protocol: str,
    make_body: Callable[[Shape | None, dict[str, Shape]], tuple[str, WriteBody] | None],
) -> Callable[[Output, HeaderList], bytes | AsyncIterator[bytes]] | None:
    name = output.traits.get("payload")
    if name and output.members[name].is_event_stream:
        frames = compile_events(operation, protocol)

        def write_events(values: Output, headers: HeaderList) -> AsyncIterator[bytes]:
            headers.append(("content-type", EVENTS_TYPE))
            body: AsyncIterator[bytes] = frames(values)
            return body

        return write_events
    if name and output.members[name].type in ("blob", "string"):
        return _raw_writer(name, output.members[name].type == "string")
    if name:
        made = make_body(output.members[name], {name: output.members[name]})
    else:
        made = make_body(
            None, {key: one for key, one in output.members.items() if one.location not in _PLACES}
        )
    if made is None:
        return None
    content_type, write_document = made

    def write(values: Output, headers: HeaderList) -> bytes:
        if name and values.get(name) is None:
            return b""
        _default_type(headers, content_type)
        return write_document(values)

    return write


def _default_type(headers: HeaderList, content_type: str) -> None:
    for header, _ in headers:
        if header == "content-type":
            return
    headers.append(("content-type", content_type))


def _raw_writer(
    name: str, is_text: bool
) -> Callable[[Output, HeaderList], bytes | AsyncIterator[bytes]]:
    content_type = "text/plain" if is_text else "application/octet-stream"

    def write(values: Output, headers: HeaderList) -> bytes | AsyncIterator[bytes]:
        value = values.get(name)
        if value is None:
            return b""
        _default_type(headers, content_type)
        if isinstance(value, str):
            return value.encode()
        content: bytes | AsyncIterator[bytes] = value
        return content

    return write
