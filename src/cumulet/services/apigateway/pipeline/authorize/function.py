"""CUSTOM: Lambda authorizers, by a token or by the whole request.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from cumulet.core.context import Context
from cumulet.core.identity import ANONYMOUS
from cumulet.services.apigateway.admission.authorizers import (
    AuthorizerError,
    Grant,
    Grants,
    ask,
    judge,
    parse_grant,
)
from cumulet.services.apigateway.admission.callers.served import ServedAuthorizer
from cumulet.services.apigateway.admission.callers.sources import Asked, identity_of
from cumulet.services.apigateway.pipeline.authorize.policies import method_arn, question_of
from cumulet.services.apigateway.pipeline.event import event_headers, event_query, request_context
from cumulet.services.apigateway.pipeline.faults import (
    authorizer_failed,
    authorizer_misconfigured,
    denied_by_authorizer,
    unauthorized,
)
from cumulet.services.apigateway.pipeline.integrations.waiting import Invocations
from cumulet.services.apigateway.pipeline.match import Matched
from cumulet.services.apigateway.rules.patterns import Overlong, fits


async def authorize_by_function(
    ctx: Context, matched: Matched, *, is_welcome: bool
) -> tuple[dict[str, Any], str]:
    """What the authorizer says, for `$context.authorizer`, and the caller's API key by its word.

    `is_welcome` says that the API's own policy allows the request. Raises GatewayFault.
    """
    served = matched.method.authorizer
    if served is None or served.function is None:
        raise authorizer_misconfigured("the method's authorizer is not there")
    grant, latency_ms = await _grant_of(ctx, matched, served)
    decision = judge(
        grant,
        matched.stage.scope.account,
        method_arn(matched),
        lambda: question_of(ctx, matched).context,
    )
    ctx.trace.note(authorizer=served.id, authorizer_reason=decision.reason)
    if decision.effect == "deny" or not (decision.allowed or is_welcome):
        raise denied_by_authorizer(explicitly=decision.effect == "deny")
    said = {
        **grant.context,
        "principalId": grant.principal_id,
        "integrationLatency": latency_ms,
    }
    return said, grant.usage_key


async def _grant_of(ctx: Context, matched: Matched, served: ServedAuthorizer) -> tuple[Grant, int]:
    identity = find_identity(matched, served)
    if identity is None:
        raise unauthorized()
    now = ctx.clock.monotonic()
    grants = ctx.need(Grants)
    key = (served.place, identity)
    if served.ttl_seconds and identity:
        kept: Grant | None = grants.find(key, now)
        if kept is not None:
            return kept, 0
    try:
        grant = await ask_for_grant(ctx, matched, served, identity)
    except AuthorizerError as error:
        if error.kind == "unauthorized":
            raise unauthorized() from error
        fault = authorizer_failed if error.kind == "failed" else authorizer_misconfigured
        raise fault(str(error)) from error
    then = ctx.clock.monotonic()
    if served.ttl_seconds and identity:
        grants.keep(key, grant, then + served.ttl_seconds)
    return grant, int((then - now) * 1000)


def find_identity(matched: Matched, served: ServedAuthorizer) -> tuple[str, ...] | None:
    """The values of the identity sources; None when one is missing, or does not fit the
    authorizer's expression: then the function is not asked.
    """
    request = matched.arrival.request
    identity = identity_of(
        served.sources,
        Asked(
            request.headers,
            lambda: parse_qsl(request.query, keep_blank_values=True, errors="replace"),
            matched.stage.variables,
            lambda: request_context(matched, ANONYMOUS),
        ),
    )
    if identity is None or served.expression is None:
        return identity
    try:
        return identity if fits(served.expression, identity[0]) else None
    except Overlong:
        return None


async def ask_for_grant(
    ctx: Context, matched: Matched, served: ServedAuthorizer, identity: tuple[str, ...]
) -> Grant:
    """Ask the function, whatever is kept of it. Raises AuthorizerError."""
    if served.function is None:
        raise AuthorizerError("misconfigured", "the authorizer has no function")
    if served.kind == "TOKEN":
        event = {
            "type": "TOKEN",
            "methodArn": method_arn(matched),
            "authorizationToken": identity[0],
        }
    else:
        event = _request_event(matched)
    traced = matched.arrival.journal.traced
    wait = ctx.need(Invocations).wait
    if traced is None:
        return parse_grant(await ask(ctx, served.function, event, wait))
    with traced.authorizing(served.function) as header:
        return parse_grant(await ask(ctx.carrying(header), served.function, event, wait))


def _request_event(matched: Matched) -> dict[str, Any]:
    """The request without its body; empty maps where there is nothing."""
    request = matched.arrival.request
    headers, many_headers = event_headers(matched)
    query, many_query = event_query(
        parse_qsl(request.query, keep_blank_values=True, errors="replace")
    )
    return {
        "type": "REQUEST",
        "methodArn": method_arn(matched),
        "resource": matched.method.resource_path,
        "path": matched.path,
        "httpMethod": request.method,
        "headers": headers,
        "multiValueHeaders": many_headers,
        "queryStringParameters": query or {},
        "multiValueQueryStringParameters": many_query or {},
        "pathParameters": matched.path_parameters or {},
        "stageVariables": matched.stage.variables or {},
        "requestContext": request_context(matched, ANONYMOUS),
    }
