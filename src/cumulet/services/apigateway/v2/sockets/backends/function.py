"""Functions behind WebSocket routes: as proxies, or with templates."""

from __future__ import annotations

from typing import Any

import orjson

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.services.apigateway.pipeline.faults import (
    configuration_error,
    malformed_answer,
    timed_out,
)
from cumulet.services.apigateway.pipeline.integrations.roles import RoleSessions
from cumulet.services.apigateway.pipeline.integrations.waiting import Invocations
from cumulet.services.apigateway.v2.sockets.backends.answer import Answer, to_bytes
from cumulet.services.apigateway.v2.sockets.deployed.served import ServedIntegration


async def invoke_proxy(
    ctx: Context, integration: ServedIntegration, event: dict[str, Any]
) -> Answer:
    """Hand the event to the function and read its answer. Raises GatewayFault.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-requests.html
    """
    answer = await _invoke(ctx, integration, orjson.dumps(event))
    if answer.get("FunctionError"):
        raise malformed_answer("the function failed")
    return parse_proxy_answer(answer.get("Payload") or b"")


def parse_proxy_answer(payload: bytes) -> Answer:
    """A function's `statusCode`, `headers` and `body`. Raises GatewayFault when malformed."""
    try:
        answer = orjson.loads(payload)
    except orjson.JSONDecodeError as cause:
        raise malformed_answer("the function's answer is not JSON") from cause
    if not isinstance(answer, dict):
        raise malformed_answer("the function's answer is no object")
    status = answer.get("statusCode")
    if isinstance(status, str) and status.isdigit():
        status = int(status)
    if not isinstance(status, int) or isinstance(status, bool) or not 100 <= status < 600:
        raise malformed_answer("statusCode is no status code")
    headers = answer.get("headers")
    headers = {} if headers is None else headers
    body = answer.get("body")
    if not isinstance(headers, dict) or not isinstance(body, str | int | float | None):
        raise malformed_answer("the function's answer is not of the proxy form")
    text = body if isinstance(body, str) else "" if body is None else orjson.dumps(body).decode()
    content = to_bytes(text) if answer.get("isBase64Encoded") is True else text.encode()
    pairs = [(str(name), value) for name, value in headers.items() if isinstance(value, str)]
    return Answer(status, pairs, content)


async def invoke_mapped(ctx: Context, integration: ServedIntegration, body: bytes) -> Answer:
    """Invoke the function with a payload of the template's making. Raises GatewayFault."""
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError as cause:
        # Lambda itself refuses a payload that is not JSON.
        raise configuration_error("the request for the function is not JSON") from cause
    answer = await _invoke(ctx, integration, body)
    status = 500 if answer.get("FunctionError") else 200
    return Answer(status, [("Content-Type", "application/json")], answer.get("Payload") or b"")


async def _invoke(ctx: Context, integration: ServedIntegration, payload: bytes) -> dict[str, Any]:
    if not integration.function_region:
        raise configuration_error(f"{integration.uri!r} names no function")
    work = _call(ctx, integration, payload)
    try:
        return await ctx.need(Invocations).wait(work, integration.timeout_seconds)
    except TimeoutError as cause:
        raise timed_out() from cause
    except AwsError as cause:
        ctx.trace.note(integration_error=f"{cause.code}: {cause.message}")
        raise configuration_error(f"{cause.code}: {cause.message}") from cause


async def _call(ctx: Context, integration: ServedIntegration, payload: bytes) -> dict[str, Any]:
    caller = await on_behalf(ctx, integration, integration.function_region)
    answer: dict[str, Any] = await caller.call(
        "lambda",
        "Invoke",
        FunctionName=integration.function,
        InvocationType="RequestResponse",
        Payload=payload,
    )
    return answer


async def on_behalf(ctx: Context, integration: ServedIntegration, region: str) -> Context:
    """As whom the integration asks: its role, or the gateway itself. Raises AwsError."""
    gateway = ctx.acting_as(integration.gateway, region=region)
    if not integration.credentials:
        return gateway
    role = await ctx.need(RoleSessions).principal(gateway, integration.credentials)
    return gateway.acting_as(role, region=region)
