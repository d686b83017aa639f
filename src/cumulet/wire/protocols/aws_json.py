"""The JSON RPC protocols, 1.0 and 1.1: one POST with the operation in `X-Amz-Target`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zlib import crc32

from cumulet.core.http import Request, Response
from cumulet.wire.model import OperationModel
from cumulet.wire.protocols.event_answers import compile_events, event_response
from cumulet.wire.values.json_shapes import (
    dump_json,
    members_reader,
    members_writer,
    parse_json,
    parse_json_object,
    split_json_object,
)

ReadRequest = Callable[[Request, bytes], dict[str, Any]]
WriteResponse = Callable[[dict[str, Any], str], Response]

SERVER = ("server", "Server")
"""What DynamoDB tells of its server."""


def content_type_of(operation: OperationModel) -> str:
    """The content type of requests and answers."""
    return f"application/x-amz-json-{operation.service.json_version}"


def has_checksum(service_name: str) -> bool:
    """Whether answers carry the CRC-32 of their body, as DynamoDB's do."""
    return service_name.startswith("dynamodb")


def compile_reader(operation: OperationModel) -> ReadRequest:
    """How the operation's requests are read."""
    if operation.input is None:
        return lambda request, body: {}
    read_members = members_reader(operation.input.members)
    raw_members = operation.raw_members
    if raw_members:

        def read_around(request: Request, body: bytes) -> dict[str, Any]:
            texts = split_json_object(body) if body else {}
            raw = {name: texts.pop(name) for name in raw_members if name in texts}
            members: dict[str, Any] = read_members(
                {name: parse_json(text) for name, text in texts.items()}
            )
            members.update((name, text) for name, text in raw.items() if text != b"null")
            return members

        return read_around

    def read(request: Request, body: bytes) -> dict[str, Any]:
        members: dict[str, Any] = read_members(parse_json_object(body))
        return members

    return read


def compile_writer(operation: OperationModel) -> WriteResponse:
    """How the operation's answers are written."""
    if operation.event_stream_output:
        frames = compile_events(operation, "json")
        return lambda output, request_id: event_response(frames, output, request_id)
    content_type = content_type_of(operation)
    write_members = members_writer(operation.output.members if operation.output else {})
    checked = has_checksum(operation.service.name)

    def write(output: dict[str, Any], request_id: str) -> Response:
        content = dump_json(write_members(output))
        headers = [("x-amzn-requestid", request_id), ("content-type", content_type)]
        if checked:
            headers.append(("x-amz-crc32", str(crc32(content))))
            headers.append(SERVER)
        return Response(200, headers, content)

    def write_nothing(output: dict[str, Any], request_id: str) -> Response:
        headers = [("x-amzn-requestid", request_id), ("content-type", content_type)]
        if checked:
            headers.append(("x-amz-crc32", "0"))
            headers.append(SERVER)
        return Response(200, headers)

    return write_nothing if operation.output is None else write
