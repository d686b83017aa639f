"""Reads requests as an operation's input and writes its output as an answer, in any protocol.

Shapes are walked once for each operation and protocol and compiled to closures, when first used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cumulet.core.errors import AwsError, MalformedRequest
from cumulet.core.http import Body, Request, Response
from cumulet.wire.model import OperationModel, ServiceModel
from cumulet.wire.protocols import aws_json, aws_query, ec2_query, rest_json, rest_xml, rpc_cbor
from cumulet.wire.protocols.coding import Undecodable, decode

_READERS: dict[str, Callable[[OperationModel], Callable[..., dict[str, Any]]]] = {
    "json": aws_json.compile_reader,
    "query": aws_query.compile_reader,
    "ec2": ec2_query.compile_reader,
    "rest-json": rest_json.compile_reader,
    "rest-xml": rest_xml.compile_reader,
    "cbor": rpc_cbor.compile_reader,
}
_WRITERS: dict[str, Callable[[OperationModel], Callable[[dict[str, Any], str], Response]]] = {
    "json": aws_json.compile_writer,
    "query": aws_query.compile_writer,
    "ec2": ec2_query.compile_writer,
    "rest-json": rest_json.compile_writer,
    "rest-xml": rest_xml.compile_writer,
    "cbor": rpc_cbor.compile_writer,
}


Read = Callable[[Request, "bytes | Body"], dict[str, Any]]
Write = Callable[["dict[str, Any] | None", str], Response]


def read_request(
    model: ServiceModel,
    operation: OperationModel,
    protocol: str,
    request: Request,
    body: bytes | Body,
) -> dict[str, Any]:
    """The operation's input. Raises MalformedRequest.

    A streaming payload (`operation.streaming_input`) is passed on as a Body, unread; for every
    other operation `body` has to be the bytes. Times become seconds since the epoch.
    """
    return reader_of(operation, protocol)(request, body)


def reader_of(operation: OperationModel, protocol: str) -> Read:
    """How `read_request` reads the requests of an operation."""
    name = f"read-{protocol}"
    found: Read | None = operation.compiled.get(name)
    if found is None:
        found = _READERS[protocol](operation)
        if operation.takes_codings:
            found = _decoding(found, is_dynamodb=operation.service.name == "dynamodb")
        operation.compiled[name] = found
    return found


def _decoding(read: Read, *, is_dynamodb: bool) -> Read:
    def read_decoded(request: Request, body: bytes | Body) -> dict[str, Any]:
        coding = request.headers.first.get("content-encoding")
        if coding is not None and isinstance(body, bytes):
            try:
                body = decode(coding, body)
            except Undecodable as cause:
                if is_dynamodb:
                    # What DynamoDB answers, as if the mistake were its own.
                    raise AwsError(code="InternalServerError", http_status=500) from cause
                raise MalformedRequest(str(cause)) from cause
        return read(request, body)

    return read_decoded


def write_response(
    model: ServiceModel,
    operation: OperationModel,
    protocol: str,
    output: dict[str, Any] | None,
    request_id: str,
) -> Response:
    """The answer. A member that the output shape lacks is a mistake of ours: KeyError.

    `output["ResponseMetadata"]` may hold `HTTPStatusCode`, which replaces the status, and
    `HTTPHeaders`, which replace headers of those names or add to them.
    """
    return writer_of(operation, protocol)(output, request_id)


def writer_of(operation: OperationModel, protocol: str) -> Write:
    """How `write_response` writes the answers of an operation."""
    name = f"write-{protocol}"
    found: Write | None = operation.compiled.get(name)
    if found is None:
        found = operation.compiled[name] = _with_metadata(_WRITERS[protocol](operation))
    return found


def _with_metadata(write: Callable[[dict[str, Any], str], Response]) -> Write:
    def write_answer(output: dict[str, Any] | None, request_id: str) -> Response:
        if not output or "ResponseMetadata" not in output:
            return write(output or {}, request_id)
        metadata = output["ResponseMetadata"]
        plain = {name: value for name, value in output.items() if name != "ResponseMetadata"}
        response = write(plain, request_id)
        response.status = metadata.get("HTTPStatusCode", response.status)
        told = {name.lower(): value for name, value in metadata.get("HTTPHeaders", {}).items()}
        response.headers = [pair for pair in response.headers if pair[0] not in told]
        response.headers.extend(told.items())
        return response

    return write_answer
