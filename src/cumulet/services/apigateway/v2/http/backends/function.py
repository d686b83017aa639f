"""Lambda functions behind HTTP APIs, and how their answers become HTTP answers.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from typing import Any

import orjson

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.services.apigateway.pipeline.faults import GatewayFault
from cumulet.services.apigateway.pipeline.integrations.roles import RoleSessions
from cumulet.services.apigateway.pipeline.integrations.waiting import Invocations
from cumulet.services.apigateway.v2.http.arrival import Authorized, Exchange
from cumulet.services.apigateway.v2.http.changes import changed_request
from cumulet.services.apigateway.v2.http.event import event_1, event_2
from cumulet.services.apigateway.v2.http.prepared.served import ServedIntegration
from cumulet.services.apigateway.v2.http.refusals import Refusal, failed, too_large, unavailable

_THROTTLED = frozenset({"TooManyRequestsException", "ServiceUnavailable", "ServiceException"})
_TOO_LARGE = frozenset({"RequestTooLargeException", "RequestEntityTooLargeException"})
_TEXT = ("Content-Type", "text/plain;charset=UTF-8")


async def invoke(ctx: Context, who: Authorized, served: ServedIntegration) -> Exchange:
    """Hand the request to the function and take its answer. Raises Refusal."""
    if not served.function_region:
        raise failed(f"{served.function!r} is no function's ARN")
    is_new = served.integration.payload_format_version == "2.0"
    if served.changes:
        arrival, _ = changed_request(who, served.changes)
        who = replace(who, matched=replace(who.matched, arrival=arrival))
    event = event_2(who) if is_new else event_1(who)
    notes = who.matched.arrival.notes
    work = _call(ctx, who, served, orjson.dumps(event))
    try:
        answer = await ctx.need(Invocations).wait(work, served.timeout_seconds)
    except TimeoutError as cause:
        raise unavailable("the function took longer than the integration's timeout") from cause
    except (AwsError, GatewayFault) as cause:
        raise _refusal_of(cause) from cause
    notes.integration_status = int(answer.get("StatusCode") or 200)
    if answer.get("FunctionError"):
        raise failed(f"The function failed: {_error_of(answer)}")
    payload: bytes = answer.get("Payload") or b""
    return exchange_2(payload) if is_new else exchange_1(payload)


async def _call(
    ctx: Context, who: Authorized, served: ServedIntegration, payload: bytes
) -> dict[str, Any]:
    caller = await acting_for(ctx, who, served, served.function_region)
    answer: dict[str, Any] = await caller.call(
        "lambda",
        "Invoke",
        FunctionName=served.function,
        InvocationType="RequestResponse",
        Payload=payload,
    )
    return answer


async def acting_for(
    ctx: Context, who: Authorized, served: ServedIntegration, region: str
) -> Context:
    """The context in which the integration asks: its role's, or the gateway's own."""
    gateway = ctx.acting_as(who.matched.route.gateway, region=region)
    if not served.credentials:
        return gateway
    role = await ctx.need(RoleSessions).principal(gateway, served.credentials)
    return gateway.acting_as(role, region=region)


def _refusal_of(cause: AwsError | GatewayFault) -> Refusal:
    if isinstance(cause, GatewayFault):
        return failed(cause.cause or cause.message or "")
    text = f"{cause.code}: {cause.message}"
    if cause.code in _THROTTLED:
        return unavailable(text)
    return too_large() if cause.code in _TOO_LARGE else failed(text)


def _error_of(answer: dict[str, Any]) -> str:
    try:
        told = orjson.loads(answer.get("Payload") or b"{}")
    except orjson.JSONDecodeError:
        return ""
    return str(told.get("errorMessage", "")) if isinstance(told, dict) else ""


def exchange_2(payload: bytes) -> Exchange:
    """A function's answer, format 2.0. Raises Refusal.

    JSON without `statusCode` is the body of a 200 answer, and a text is the body itself.
    """
    answer = _parsed(payload)
    if not isinstance(answer, dict) or "statusCode" not in answer:
        body = answer.encode() if isinstance(answer, str) else payload
        return Exchange(200, [("Content-Type", "application/json")], body)
    headers = _single(answer.get("headers"))
    cookies = answer.get("cookies") or []
    if not isinstance(cookies, list):
        raise failed("the function's cookies are no list")
    headers += [("Set-Cookie", _text(cookie)) for cookie in cookies]
    return _exchange(answer, headers)


def exchange_1(payload: bytes) -> Exchange:
    """A function's answer, format 1.0. Raises Refusal when it is malformed."""
    answer = _parsed(payload)
    if not isinstance(answer, dict) or "statusCode" not in answer:
        raise failed("the function's answer has no statusCode")
    many = answer.get("multiValueHeaders") or {}
    if not isinstance(many, dict):
        raise failed("multiValueHeaders is no object")
    headers: list[tuple[str, str]] = []
    for name, values in many.items():
        if not isinstance(values, list):
            raise failed("multiValueHeaders hold lists")
        headers += [(str(name), _text(value)) for value in values]
    named = {name.lower() for name, _ in headers}
    single = _single(answer.get("headers"))
    return _exchange(answer, headers + [one for one in single if one[0].lower() not in named])


def _parsed(payload: bytes) -> Any:
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError as cause:
        raise failed("the function's answer is not JSON") from cause


def _exchange(answer: dict[str, Any], headers: list[tuple[str, str]]) -> Exchange:
    code = answer["statusCode"]
    if isinstance(code, str) and code.isdigit():
        code = int(code)
    if isinstance(code, bool) or not isinstance(code, int) or not 200 <= code <= 599:
        raise failed(f"{code!r} is no status code")
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(_TEXT)
    return Exchange(code, headers, _body(answer))


def _single(headers: Any) -> list[tuple[str, str]]:
    if headers is None:
        return []
    if not isinstance(headers, dict):
        raise failed("headers is no object")
    return [(str(name), _text(value)) for name, value in headers.items()]


def _text(value: Any) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case None:
            return ""
    raise failed("a header is no text")


def _body(answer: dict[str, Any]) -> bytes:
    body = answer.get("body")
    if body is None:
        return b""
    if isinstance(body, int | float):
        body = _text(body)
    if not isinstance(body, str):
        raise failed("body is no text")
    if answer.get("isBase64Encoded") is not True:
        return body.encode("utf-8", "replace")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as cause:
        raise failed("body is not base64") from cause
