"""Lambda authorizers, formats 1.0 and 2.0, with policies or simple answers, and their cache.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from cumulet.core.context import Context, Platform
from cumulet.kit.conditions import condition_keys
from cumulet.services.apigateway.admission.authorizers import (
    AuthorizerError,
    Grant,
    Grants,
    ask,
    judge,
    parse_grant,
)
from cumulet.services.apigateway.pipeline.integrations.waiting import Invocations
from cumulet.services.apigateway.v2.http.arrival import Authorized, Matched
from cumulet.services.apigateway.v2.http.authorize.signature import route_arn
from cumulet.services.apigateway.v2.http.event import request_1, request_2
from cumulet.services.apigateway.v2.http.facts import RequestValues
from cumulet.services.apigateway.v2.http.prepared.served import ServedAuthorizer
from cumulet.services.apigateway.v2.http.refusals import (
    Refusal,
    authorizer_failed,
    forbidden,
    unauthorized,
)
from cumulet.services.apigateway.v2.rules.expressions import evaluate, text_of


class Simple(NamedTuple):
    """A simple answer: yes or no, and what the integration is told."""

    is_authorized: bool
    context: dict[str, Any]


class Judged(NamedTuple):
    """An answer with a policy. `context` keeps its types for format 2.0."""

    grant: Grant
    context: dict[str, Any]


async def by_function(platform: Platform, ctx: Context, matched: Matched) -> Authorized:
    """Ask the authorizer's function, or what it answered to the same identity before."""
    served = matched.route.authorizer
    if served is None or served.function is None:
        raise authorizer_failed("the route's authorizer has no function")
    values = RequestValues(matched, None)
    identity = tuple(text_of(evaluate(source, values)) for source in served.sources)
    if not all(identity):
        raise unauthorized("an identity source is missing")
    answer = await _answer(platform, ctx, matched, served, identity)
    ctx.trace.note(authorizer=served.authorizer.authorizer_id)
    if isinstance(answer, Simple):
        if not answer.is_authorized:
            raise forbidden("the authorizer's function said no")
        return Authorized(matched, context=answer.context)
    keys = condition_keys(ctx)
    decision = judge(answer.grant, matched.stage.scope.account, route_arn(matched), keys)
    if not decision.allowed:
        raise forbidden(f"the authorizer's policy: {decision.reason}")
    return Authorized(matched, context=answer.context, principal_id=answer.grant.principal_id)


async def _answer(
    platform: Platform,
    ctx: Context,
    matched: Matched,
    served: ServedAuthorizer,
    identity: tuple[str, ...],
) -> Simple | Judged:
    ttl = served.authorizer.authorizer_result_ttl_in_seconds or 0
    grants = platform.need(Grants)
    key = ("v2", served.cache_key, identity)
    now = platform.clock.monotonic()
    kept: Simple | Judged | None = grants.find(key, now) if ttl else None
    if kept is not None:
        return kept
    answer = await _asked(platform, ctx, matched, served, identity)
    if ttl:
        grants.keep(key, answer, now + ttl)
    return answer


async def _asked(
    platform: Platform,
    ctx: Context,
    matched: Matched,
    served: ServedAuthorizer,
    identity: tuple[str, ...],
) -> Simple | Judged:
    if served.function is None:
        raise authorizer_failed("the route's authorizer has no function")
    is_new = served.authorizer.authorizer_payload_format_version == "2.0"
    event = _event_2(matched, identity) if is_new else _event_1(matched, identity)
    try:
        payload = await ask(ctx, served.function, event, platform.need(Invocations).wait)
        if served.authorizer.enable_simple_responses:
            return _simple(payload)
        grant = parse_grant(payload)
        return Judged(grant, _context(orjson.loads(payload)))
    except AuthorizerError as error:
        raise _refusal(error) from error


def _event_2(matched: Matched, identity: tuple[str, ...]) -> dict[str, Any]:
    event = request_2(matched)
    event.pop("version")
    return {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": route_arn(matched),
        "identitySource": list(identity) or None,
        **event,
    }


def _event_1(matched: Matched, identity: tuple[str, ...]) -> dict[str, Any]:
    event = request_1(matched, None)
    event.pop("version")
    joined = ",".join(identity)
    return {
        "version": "1.0",
        "type": "REQUEST",
        "methodArn": route_arn(matched),
        "identitySource": joined,
        "authorizationToken": joined,
        **event,
    }


def _simple(payload: bytes) -> Simple:
    try:
        answer = orjson.loads(payload)
    except orjson.JSONDecodeError as cause:
        raise AuthorizerError("misconfigured", "the authorizer's answer is not JSON") from cause
    if not isinstance(answer, dict) or not isinstance(answer.get("isAuthorized"), bool):
        raise AuthorizerError("misconfigured", "the authorizer's answer has no isAuthorized")
    return Simple(answer["isAuthorized"], _context(answer))


def _context(answer: Any) -> dict[str, Any]:
    context = answer.get("context")
    if context is None:
        return {}
    if not isinstance(context, dict):
        raise AuthorizerError("misconfigured", "the authorizer's context is no object")
    return context


def _refusal(error: AuthorizerError) -> Refusal:
    if error.kind == "unauthorized":
        return unauthorized(str(error))
    return authorizer_failed(str(error))
