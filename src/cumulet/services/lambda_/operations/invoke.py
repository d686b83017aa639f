"""Invocation: at once, later, as a stream, or only the question whether it would be allowed."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec

from cumulet.core.clock import new_hex, new_uuid
from cumulet.core.context import Context
from cumulet.core.errors import OperationNotImplemented
from cumulet.core.trace_header import names_trace
from cumulet.kit.service import operation
from cumulet.sandbox import Failed
from cumulet.services.lambda_.errors import (
    InvalidParameterValueException,
    InvalidRequestContentException,
    RequestEntityTooLargeException,
)
from cumulet.services.lambda_.forms.access import ON_SHARED, ref_of
from cumulet.services.lambda_.limits import (
    CLIENT_CONTEXT_BYTES_MAX,
    PAYLOAD_ASYNC_BYTES_MAX,
    PAYLOAD_SYNC_BYTES_MAX,
)
from cumulet.services.lambda_.running.functions import Call, Functions
from cumulet.services.lambda_.running.live import Entry
from cumulet.services.lambda_.running.queue import EventQueue
from cumulet.services.lambda_.running.stream import open_stream

_check_json = msgspec.json.Decoder(msgspec.Raw).decode


@operation(
    "Invoke",
    action="lambda:InvokeFunction",
    **ON_SHARED,
)
async def invoke(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Run a function and answer its result, or queue the event, or only check the permission."""
    entry, payload = await _admit(ctx, request)
    kind = request.get("InvocationType") or "RequestResponse"
    if kind == "DryRun":
        return {"StatusCode": 204}
    if kind == "Event":
        if len(payload) > PAYLOAD_ASYNC_BYTES_MAX:
            raise RequestEntityTooLargeException(
                f"{len(payload)} byte payload is too large for the Event invocation type "
                f"(limit {PAYLOAD_ASYNC_BYTES_MAX} bytes)"
            )
        header = await ctx.need(Functions).decide(entry, entry.version, trace_id_of(ctx))
        await ctx.need(EventQueue).put(_request_id(ctx), entry.ref, payload, header)
        return {"StatusCode": 202}
    functions = ctx.need(Functions)
    ran = await functions.run(ctx, entry, functions.pick(entry), _call(ctx, request, payload))
    answer: dict[str, Any] = {
        "StatusCode": 200,
        "ExecutedVersion": ran.version,
        "Payload": ran.outcome.payload,
    }
    if isinstance(ran.outcome, Failed):
        answer["FunctionError"] = "Unhandled"
    if ran.tail is not None:
        answer["LogResult"] = ran.tail
    return answer


async def _admit(ctx: Context, request: dict[str, Any]) -> tuple[Entry, bytes]:
    payload = request.get("Payload") or b"{}"
    if len(payload) > PAYLOAD_SYNC_BYTES_MAX:
        raise RequestEntityTooLargeException(
            f"Request must be smaller than {PAYLOAD_SYNC_BYTES_MAX} bytes for the InvokeFunction "
            "operation"
        )
    try:
        _check_json(payload)
    except msgspec.DecodeError as cause:
        raise InvalidRequestContentException(
            f"Could not parse request body into json: {cause}"
        ) from cause
    for member in ("TenantId", "DurableExecutionName"):
        if request.get(member):
            raise InvalidParameterValueException(f"{member} is not supported by Cumulet.")
    live, ref = ctx.need(Functions).live, ref_of(ctx, request)
    return live.known(ref) or await live.find(ref), payload


def _request_id(ctx: Context) -> str:
    """The id of this invocation: the request's own, when the request is the invocation itself.

    A gateway or another service may invoke several times within one request.
    """
    if ctx.request is not None and ctx.request.path.endswith("invocations"):
        return ctx.request_id
    return new_uuid(ctx.clock)


def _call(ctx: Context, request: dict[str, Any], payload: bytes) -> Call:
    return Call(
        _request_id(ctx),
        payload,
        trace_id_of(ctx),
        _client_context(request.get("ClientContext")),
        request.get("LogType") == "Tail",
    )


def _client_context(given: str | None) -> str:
    if not given:
        return ""
    if len(given) > CLIENT_CONTEXT_BYTES_MAX:
        raise RequestEntityTooLargeException(
            f"Client context must be no more than {CLIENT_CONTEXT_BYTES_MAX} bytes in base64."
        )
    try:
        text = base64.b64decode(given, validate=True)
        _check_json(text)
        return text.decode()
    except (binascii.Error, UnicodeDecodeError, msgspec.DecodeError) as cause:
        raise InvalidRequestContentException(
            "Client context must be a valid Base64-encoded JSON object."
        ) from cause


def trace_id_of(ctx: Context) -> str:
    """The trace header that the function is called with: the caller's, or a new one.

    A new one leaves it open whether the trace is recorded.
    """
    given = ctx.trace_header
    if given and names_trace(given):
        return given
    if ctx.trace.trace_id.startswith("1-"):
        return f"Root={ctx.trace.trace_id}"
    return f"Root=1-{int(ctx.clock.now()):08x}-{new_hex(ctx.clock, 24)}"


@operation(
    "InvokeWithResponseStream",
    action="lambda:InvokeFunction",
    **ON_SHARED,
)
async def invoke_with_response_stream(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Run a function and pass its answer on as it is produced."""
    entry, payload = await _admit(ctx, request)
    if request.get("InvocationType") == "DryRun":
        return {"StatusCode": 204}
    version = ctx.need(Functions).pick(entry)
    call = _call(ctx, request, payload)
    stream = await open_stream(ctx, entry, version, call)
    return {
        "StatusCode": 200,
        "ExecutedVersion": version.label,
        "ResponseStreamContentType": "application/vnd.amazon.eventstream",
        "EventStream": stream.events(),
    }


@operation(
    "InvokeAsync",
    **ON_SHARED,
)
async def invoke_async(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Refused: AWS has replaced this operation by Invoke with the type Event."""
    raise OperationNotImplemented(
        "The InvokeAsync operation is deprecated and not implemented in Cumulet. Use Invoke with "
        "the invocation type Event."
    )
