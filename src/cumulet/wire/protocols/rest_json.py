"""The bodies of rest-json. Paths, queries and headers are in `rest_input` and `rest_output`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cumulet.core.errors import MalformedRequest
from cumulet.wire.model import OperationModel, Shape
from cumulet.wire.protocols.rest_input import Members, ReadBody, ReadRequest, compile_request
from cumulet.wire.protocols.rest_output import Output, WriteBody, WriteResponse, compile_response
from cumulet.wire.values.json_shapes import (
    dump_json,
    json_reader,
    json_writer,
    members_reader,
    members_writer,
    parse_json,
    parse_json_object,
)

CONTENT_TYPE = "application/json"


def compile_reader(operation: OperationModel) -> ReadRequest:
    """How the operation's requests are read."""
    return compile_request(operation, _body_reader)


def compile_writer(operation: OperationModel) -> WriteResponse:
    """How the operation's answers are written."""
    return compile_response(operation, "rest-json", _request_ids, _body_writer)


def _request_ids(request_id: str) -> list[tuple[str, str]]:
    return [("x-amzn-requestid", request_id)]


def _body_reader(payload: Shape | None, members: dict[str, Shape]) -> ReadBody:
    if payload is not None:
        (name,) = members
        read_value = json_reader(payload)

        def read_payload(body: bytes, result: Members) -> None:
            value = _told(parse_json, body)
            if value is not None:
                result[name] = read_value(value)

        return read_payload
    read_members = members_reader(members)

    def read(body: bytes, result: Members) -> None:
        result.update(read_members(_told(parse_json_object, body)))

    return read


def _told(parse: Callable[[bytes], Any], body: bytes) -> Any:
    """What is parsed; a text that is no JSON is refused in words, as these services do."""
    try:
        return parse(body)
    except MalformedRequest as cause:
        if cause.message:
            raise
        raise MalformedRequest("Could not parse request body into json") from cause


def _body_writer(payload: Shape | None, members: dict[str, Shape]) -> tuple[str, WriteBody] | None:
    if payload is not None:
        (name,) = members
        write_value = json_writer(payload)

        def write_payload(values: Output) -> bytes:
            value: Any = values[name]
            return dump_json(value if write_value is None else write_value(value))

        return CONTENT_TYPE, write_payload
    write_members = members_writer(members)

    def write(values: Output) -> bytes:
        return dump_json(write_members({key: values[key] for key in values if key in members}))

    return CONTENT_TYPE, write
