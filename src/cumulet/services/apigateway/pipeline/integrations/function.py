"""Integrations with Lambda functions: as a proxy, or with mappings and templates."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

import orjson

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.services.apigateway.pipeline.event import proxy_event
from cumulet.services.apigateway.pipeline.exchange import Exchange
from cumulet.services.apigateway.pipeline.faults import (
    configuration_error,
    malformed_answer,
    timed_out,
)
from cumulet.services.apigateway.pipeline.integrations.addresses import (
    check_function_headers,
    single,
)
from cumulet.services.apigateway.pipeline.integrations.mapped import (
    Incoming,
    answered,
    facts_of,
    outgoing,
    template_variables,
)
from cumulet.services.apigateway.pipeline.integrations.roles import on_behalf, refusal_of
from cumulet.services.apigateway.pipeline.integrations.streaming import invoke_stream
from cumulet.services.apigateway.pipeline.integrations.timing import Timing
from cumulet.services.apigateway.pipeline.integrations.waiting import Invocations
from cumulet.services.apigateway.pipeline.match import Matched
from cumulet.services.apigateway.pipeline.validate import Admitted
from cumulet.services.apigateway.rules.methods import streams

_MEMBERS = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"})


async def invoke_proxy(ctx: Context, admitted: Admitted) -> Exchange:
    """Hand the whole request to the function and take its answer as it is. Raises GatewayFault."""
    matched = admitted.authorized.matched
    method = matched.method
    if method.integration.http_method != "POST":
        raise configuration_error("a proxy integration with Lambda must use POST")
    if method.assignments:
        check_function_headers({one.name for one in method.assignments if one.place == "header"})
    event = orjson.dumps(proxy_event(admitted))
    if streams(method.integration):
        return await invoke_stream(ctx, admitted, event)
    answer = await _invoke(ctx, admitted, event, "RequestResponse")
    if answer.get("FunctionError"):
        raise malformed_answer("the function failed")
    return proxy_exchange(matched, answer.get("Payload") or b"")


async def _invoke(
    ctx: Context, admitted: Admitted, payload: bytes, invocation: str
) -> dict[str, Any]:
    matched = admitted.authorized.matched
    method, stage = matched.method, matched.stage
    if not method.function_region:
        raise configuration_error(f"{method.function!r} is no function's ARN")
    timing = Timing(matched.arrival.journal, method.uri, [], payload)
    work = _call(ctx, admitted, payload, invocation)
    try:
        answer = await ctx.need(Invocations).wait(work, method.timeout_seconds)
    except TimeoutError as cause:
        raise timed_out() from cause
    except AwsError as cause:
        ctx.trace.note(integration_error=refusal_of(cause))
        error = malformed_answer if method.kind == "AWS_PROXY" else configuration_error
        raise error(f"{stage.api_id}: {refusal_of(cause)}") from cause
    timing.ended(answer.get("StatusCode") or 200, [], answer.get("Payload") or b"", ctx.request_id)
    return answer


async def _call(
    ctx: Context, admitted: Admitted, payload: bytes, invocation: str
) -> dict[str, Any]:
    method = admitted.authorized.matched.method
    caller = await on_behalf(ctx, admitted, method.function_region)
    answer: dict[str, Any] = await caller.call(
        "lambda",
        "Invoke",
        FunctionName=method.function,
        InvocationType=invocation,
        Payload=payload,
    )
    return answer


def proxy_exchange(matched: Matched, payload: bytes) -> Exchange:
    """A function's answer, format 1.0. Raises GatewayFault when it is malformed."""
    try:
        answer = orjson.loads(payload)
    except orjson.JSONDecodeError as cause:
        raise malformed_answer("the function's answer is not JSON") from cause
    if not isinstance(answer, dict) or not _MEMBERS.issuperset(answer):
        raise malformed_answer("the function's answer is not of the proxy form")
    return Exchange(
        matched,
        _status(answer.get("statusCode")),
        _headers(answer.get("headers"), answer.get("multiValueHeaders")),
        _body(matched, answer),
        True,
    )


def _status(given: Any) -> int:
    if given is None:
        return 200
    if isinstance(given, str) and given.isdigit():
        return int(given)
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    raise malformed_answer("statusCode is no number")


def _headers(single: Any, many: Any) -> list[tuple[str, str]]:
    """One list of both; values of a name in both stand together, the list's first."""
    if not isinstance(single, (dict, type(None))) or not isinstance(many, (dict, type(None))):
        raise malformed_answer("headers are no object")
    found: list[tuple[str, str]] = []
    left = {str(name).lower(): value for name, value in (single or {}).items()}
    spelt = {str(name).lower(): str(name) for name in (single or {})}
    for name, values in (many or {}).items():
        if not isinstance(values, list):
            raise malformed_answer("multiValueHeaders hold lists")
        found += [(str(name), _header_text(value)) for value in values]
        if (lowered := str(name).lower()) in left:
            found.append((str(name), _header_text(left.pop(lowered))))
    found += [(spelt[lowered], _header_text(value)) for lowered, value in left.items()]
    return found


def _header_text(value: Any) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case None:
            return ""
    raise malformed_answer("a header is no text")


def _body(matched: Matched, answer: dict[str, Any]) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    if isinstance(body, (int, float)):
        body = json.dumps(body)
    if not isinstance(body, str):
        raise malformed_answer("body is no text")
    if answer.get("isBase64Encoded") is not True:
        return body.encode("utf-8", "replace")
    stage = matched.stage
    # Only the first type of the Accept header decides whether bytes are given.
    accept = matched.arrival.request.headers.get("accept").partition(",")[0]
    if not stage.is_binary(accept):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as cause:
        raise malformed_answer("body is not base64") from cause


async def invoke_mapped(ctx: Context, admitted: Admitted) -> Exchange:
    """Invoke the function with what the template makes of the request. Raises GatewayFault.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-custom-integrations.html
    """
    facts = facts_of(admitted)
    variables = template_variables(facts)
    sent = outgoing(admitted, facts, variables)
    check_function_headers(sent.parameters["header"])
    named = {name.lower(): value for name, value in sent.parameters["header"].items()}
    wanted = single(named.get("x-amz-invocation-type", "RequestResponse")).strip("'")
    try:
        orjson.loads(sent.body or b"{}")
    except orjson.JSONDecodeError as cause:
        # Lambda itself refuses a payload that is not JSON; the caller sees a server error.
        raise configuration_error("the request for the function is not JSON") from cause
    answer = await _invoke(ctx, admitted, sent.body or b"{}", wanted)
    payload: bytes = answer.get("Payload") or b""
    selector = _error_message(payload) if answer.get("FunctionError") else ""
    incoming = Incoming(selector, [("Content-Type", "application/json")], payload)
    return answered(admitted, facts, variables, incoming, shows_trace=True)


def _error_message(payload: bytes) -> str:
    try:
        answer = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return ""
    message = answer.get("errorMessage") if isinstance(answer, dict) else None
    return message if isinstance(message, str) else ""
