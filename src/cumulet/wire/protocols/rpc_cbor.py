"""Smithy's rpc-v2-cbor: one POST to `/service/X/operation/Y`, with CBOR both ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cumulet.core.http import Request, Response
from cumulet.wire.model import OperationModel
from cumulet.wire.protocols.event_answers import compile_events, event_response
from cumulet.wire.values.cbor_shapes import (
    cbor_members_reader,
    cbor_members_writer,
    dump_cbor,
    parse_cbor_map,
)

ReadRequest = Callable[[Request, bytes], dict[str, Any]]
WriteResponse = Callable[[dict[str, Any], str], Response]

CONTENT_TYPE = "application/cbor"
PROTOCOL_HEADER = ("smithy-protocol", "rpc-v2-cbor")


def compile_reader(operation: OperationModel) -> ReadRequest:
    """How the operation's requests are read."""
    if operation.input is None:
        return lambda request, body: {}
    read_members = cbor_members_reader(operation.input.members)

    def read(request: Request, body: bytes) -> dict[str, Any]:
        members: dict[str, Any] = read_members(parse_cbor_map(body))
        return members

    return read


def compile_writer(operation: OperationModel) -> WriteResponse:
    """How the operation's answers are written."""
    if operation.event_stream_output:
        frames = compile_events(operation, "cbor")

        def write_events(output: dict[str, Any], request_id: str) -> Response:
            response = event_response(frames, output, request_id)
            response.headers.append(PROTOCOL_HEADER)
            return response

        return write_events
    write_members = cbor_members_writer(operation.output.members if operation.output else {})
    has_output = operation.output is not None

    def write(output: dict[str, Any], request_id: str) -> Response:
        headers = [("x-amzn-requestid", request_id), PROTOCOL_HEADER]
        if not has_output:
            return Response(200, headers)
        headers.append(("content-type", CONTENT_TYPE))
        return Response(200, headers, dump_cbor(write_members(output)))

    return write
