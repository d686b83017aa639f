"""AWS services behind HTTP APIs without a function: asked by their AWS names, as the role.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.services.apigateway.pipeline.faults import GatewayFault
from cumulet.services.apigateway.pipeline.integrations.waiting import Invocations
from cumulet.services.apigateway.v2.http.arrival import Authorized, Exchange
from cumulet.services.apigateway.v2.http.backends.function import acting_for
from cumulet.services.apigateway.v2.http.facts import RequestValues
from cumulet.services.apigateway.v2.http.prepared.served import ServedIntegration
from cumulet.services.apigateway.v2.http.refusals import bad_request, failed, unavailable
from cumulet.services.apigateway.v2.rules.expressions import evaluate, text_of
from cumulet.services.apigateway.v2.rules.services import DOCUMENTS, LISTS, NUMBERS, TIMES

_JSON = ("Content-Type", "application/json")


async def call_service(ctx: Context, who: Authorized, served: ServedIntegration) -> Exchange:
    """Call the operation with the mapped parameters. Raises Refusal.

    What the service refuses goes to the client with the service's own status and words.
    """
    if served.subtype is None:
        raise failed("the integration names no service")
    request = _request(who, served)
    region = str(request.pop("Region", "") or who.matched.stage.scope.region)
    work = _call(ctx, who, served, region, request)
    try:
        answer = await ctx.need(Invocations).wait(work, served.timeout_seconds)
    except TimeoutError as cause:
        raise unavailable("the service took longer than the integration's timeout") from cause
    except GatewayFault as cause:
        raise failed(cause.cause or cause.message or "") from cause
    except AwsError as error:
        status = error.http_status or 400
        who.matched.arrival.notes.integration_status = status
        who.matched.arrival.notes.integration_error = f"{error.code}: {error.message}"
        body = orjson.dumps({"__type": error.code, "message": error.message})
        return Exchange(status, [_JSON], body)
    shown = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    return Exchange(200, [_JSON], orjson.dumps(shown) if shown else b"")


async def _call(
    ctx: Context, who: Authorized, served: ServedIntegration, region: str, request: dict[str, Any]
) -> dict[str, Any]:
    caller = await acting_for(ctx, who, served, region)
    assert served.subtype is not None
    if served.subtype.entries:
        request = {served.subtype.entries: [request]}
    answer = await caller.call(served.subtype.service, served.subtype.operation, **request)
    return dict(answer or {})


def _request(who: Authorized, served: ServedIntegration) -> dict[str, Any]:
    values = RequestValues(who.matched, who)
    found: dict[str, Any] = {}
    for name, expression in served.parameters.items():
        value = evaluate(expression, values)
        if value is None or value == "":
            continue
        if name in NUMBERS:
            value = _number(name, value)
        elif name in TIMES:
            value = _time(name, text_of(value))
        elif name in LISTS and isinstance(value, str) and not value.startswith("["):
            value = [part.strip() for part in value.split(",") if part.strip()]
        elif name in DOCUMENTS or name in LISTS:
            value = _document(name, value)
        else:
            value = text_of(value)
        found[name] = value
    missing = [
        name for name in (served.subtype.required if served.subtype else ()) if name not in found
    ]
    if missing:
        raise bad_request(f"the request gives no {', '.join(missing)}")
    return found


def _number(name: str, value: Any) -> int:
    try:
        return int(text_of(value))
    except ValueError as cause:
        raise bad_request(f"{name} is no number") from cause


def _time(name: str, text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as cause:
        raise bad_request(f"{name} is no time") from cause
    if moment.tzinfo is None:
        raise bad_request(f"{name} has no offset from UTC")
    return moment.timestamp()


def _document(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as cause:
        raise bad_request(f"{name} is not JSON") from cause
