"""Who may connect: signatures, Lambda authorizers, API keys and rates, in AWS's order.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-control-access.html
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import (
    AwsError,
    ExpiredToken,
    IncompleteSignature,
    UnknownKey,
)
from cumulet.core.http import Request
from cumulet.core.identity import Principal
from cumulet.kit.conditions import condition_keys
from cumulet.kit.policy import IdentityPolicies, Question, decide
from cumulet.kit.ports import Authenticator, Policies
from cumulet.services.apigateway.admission.authorizers import (
    INVOKE,
    AuthorizerError,
    ask,
    judge,
    parse_grant,
)
from cumulet.services.apigateway.admission.buckets import Buckets, Rate
from cumulet.services.apigateway.admission.limits import ACCOUNT_BURST, ACCOUNT_RATE
from cumulet.services.apigateway.admission.throttles import stage_rates
from cumulet.services.apigateway.admission.usage.passes import NoPass, Pass, Passes
from cumulet.services.apigateway.admission.usage.quotas import Quotas
from cumulet.services.apigateway.pipeline.faults import (
    GatewayFault,
    access_denied,
    authorizer_failed,
    authorizer_misconfigured,
    denied_by_authorizer,
    invalid_key,
    missing_token,
    quota_exceeded,
    throttled,
    unauthorized,
)
from cumulet.services.apigateway.pipeline.integrations.waiting import Invocations
from cumulet.services.apigateway.rules.names import invoke_arn
from cumulet.services.apigateway.v2.sockets.deployed.selection import Sources
from cumulet.services.apigateway.v2.sockets.deployed.served import (
    ServedAuthorizer,
    ServedRoute,
    ServedStage,
)
from cumulet.services.apigateway.v2.sockets.event import Handshake, handshake_members
from cumulet.services.apigateway.v2.sockets.limits import CONNECT_BURST, CONNECT_RATE

_SIGNATURE_FAULTS: dict[type[AwsError], tuple[str, str]] = {
    UnknownKey: ("ACCESS_DENIED", "UnrecognizedClientException"),
    ExpiredToken: ("EXPIRED_TOKEN", "ExpiredTokenException"),
    IncompleteSignature: ("INVALID_SIGNATURE", "IncompleteSignatureException"),
}
_UPGRADE = {"Connection": "upgrade", "Upgrade": "websocket", "content-length": "0"}


@dataclass(frozen=True, slots=True)
class Admitted:
    """What was learnt of a client that may connect.

    `authorizer` is what events show of it, `identity` what they show of a signature, `key` the
    value of its API key or empty.
    """

    authorizer: dict[str, Any] | None = None
    identity: dict[str, Any] = field(default_factory=dict)
    key: str = ""


async def authorize(
    ctx: Context,
    stage: ServedStage,
    route: ServedRoute,
    request: Request,
    handshake: Handshake,
    context: Mapping[str, Any],
) -> Admitted:
    """Let the client connect, or raise GatewayFault. `context` is the `requestContext`."""
    given = Sources("", headers=handshake.headers).header("x-api-key") or ""
    admitted = Admitted(key=given)
    match route.authorization_type:
        case "AWS_IAM":
            admitted = Admitted(identity=await _signed(ctx, stage, route, request), key=given)
        case "CUSTOM":
            asked = route.authorizer
            if asked is None or asked.function is None:
                raise authorizer_misconfigured("the authorizer is gone, or names no function")
            authorizer, usage_key = await _grant(ctx, stage, route, asked, handshake, context)
            by_header = "usageIdentifierKey" not in stage.key_selection
            admitted = Admitted(authorizer, key=given if by_header else usage_key)
    return admitted


async def _signed(
    ctx: Context, stage: ServedStage, route: ServedRoute, request: Request
) -> dict[str, Any]:
    authenticator = ctx.need(Authenticator)
    try:
        caller = await authenticator.authenticate(request, "execute-api", b"")
    except AwsError as error:
        if error.http_status is not None and error.http_status >= 500:
            raise
        kind, name = _SIGNATURE_FAULTS.get(
            type(error), ("INVALID_SIGNATURE", "InvalidSignatureException")
        )
        raise GatewayFault(kind, 403, name, error.message) from error
    if caller.kind == "anonymous":
        raise missing_token()
    await _check_policies(ctx, stage, route, caller)
    return {
        "accountId": caller.account,
        "caller": caller.user_id,
        "accessKey": caller.access_key_id or None,
        "userArn": caller.arn,
        "user": caller.user_id,
        "principalOrgId": None,
        "cognitoIdentityPoolId": None,
        "cognitoIdentityId": None,
        "cognitoAuthenticationType": None,
        "cognitoAuthenticationProvider": None,
    }


async def _check_policies(
    ctx: Context, stage: ServedStage, route: ServedRoute, caller: Principal
) -> None:
    identity = IdentityPolicies()
    if caller.kind not in ("root", "service"):
        identity = await ctx.need(Policies).of(caller)
    arn = _route_arn(stage, route)
    keys = condition_keys(ctx.acting_as(caller))
    keys["aws:ResourceAccount"] = stage.scope.account
    decision = decide(Question(caller, INVOKE, arn, keys), identity, (), stage.scope.account)
    if decision.allowed:
        return
    parts = arn.split(":", 5)
    parts[4] = "*" * 8 + parts[4][-4:]
    because = " with an explicit deny" if decision.effect == "deny" else ""
    raise access_denied(
        f"User: {caller.arn} is not authorized to perform: {INVOKE} on resource: "
        f"{':'.join(parts)}{because}"
    )


def _route_arn(stage: ServedStage, route: ServedRoute) -> str:
    return invoke_arn(stage.scope, stage.api_id, stage.stage_name, route.key, "")


async def _grant(
    ctx: Context,
    stage: ServedStage,
    route: ServedRoute,
    asked: ServedAuthorizer,
    handshake: Handshake,
    context: Mapping[str, Any],
) -> tuple[dict[str, Any], str]:
    """What events show of the authorizer, and the value of the API key that it gave.

    WebSocket APIs keep no answers of authorizers: each connection is asked for once.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html
    """
    if asked.function is None or not _has_identity(asked, stage, handshake, context):
        raise unauthorized()
    event = {
        "type": "REQUEST",
        "methodArn": _route_arn(stage, route),
        **_with_upgrade(handshake_members(handshake)),
        "stageVariables": dict(stage.variables),
        "requestContext": context,
    }
    start = time.perf_counter()
    try:
        grant = parse_grant(await ask(ctx, asked.function, event, ctx.need(Invocations).wait))
    except AuthorizerError as error:
        match error.kind:
            case "unauthorized":
                raise unauthorized() from error
            case "failed":
                raise authorizer_failed(str(error)) from error
        raise authorizer_misconfigured(str(error)) from error
    took_ms = int((time.perf_counter() - start) * 1000)
    arn = _route_arn(stage, route)
    decision = judge(grant, stage.scope.account, arn, condition_keys(ctx))
    if not decision.allowed:
        raise denied_by_authorizer(explicitly=decision.effect == "deny")
    shown = {"principalId": grant.principal_id, "integrationLatency": took_ms, **grant.context}
    return shown, grant.usage_key


def _with_upgrade(members: dict[str, Any]) -> dict[str, Any]:
    """An authorizer sees the headers of the upgrade too."""
    many = {name: [value] for name, value in _UPGRADE.items()}
    return {
        **members,
        "headers": {**_UPGRADE, **members["headers"]},
        "multiValueHeaders": {**many, **members["multiValueHeaders"]},
    }


def _has_identity(
    asked: ServedAuthorizer,
    stage: ServedStage,
    handshake: Handshake,
    context: Mapping[str, Any],
) -> bool:
    sources = Sources("", handshake.headers, handshake.query, context, stage.variables)
    for place, name in asked.sources:
        owner = place if place in ("context", "stageVariables") else f"route.request.{place}"
        if not sources.mapped(f"{owner}.{name}"):
            return False
    return True


async def meter(ctx: Context, stage: ServedStage, route: ServedRoute, key: str) -> str | None:
    """Hold an event to its API key, quota and rates; the key's id. Raises GatewayFault.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-protect.html
    """
    found: Pass | None = None
    if route.api_key_required:
        try:
            if not key:
                raise NoPass("no API key was given")
            found = await ctx.need(Passes).find(stage.scope, stage.api_id, stage.stage_name, key)
        except NoPass as cause:
            raise invalid_key(str(cause)) from cause
    rates = list(_rates(stage, route))
    if found is not None and found.rate is not None:
        rates.append(found.rate)
    empty = ctx.need(Buckets).take_all(rates, ctx.clock.monotonic())
    if empty is not None:
        raise throttled(f"the rate of {rates[empty].key}")
    if found is None:
        return None
    quotas = ctx.need(Quotas)
    if not await quotas.take(stage.scope, found.plan_id, found.key_id, found.quota):
        raise quota_exceeded()
    return found.key_id


def meter_connection(ctx: Context, stage: ServedStage) -> None:
    """Hold the account to its new connections a second. Raises GatewayFault."""
    key = ("connect", *stage.scope)
    if not ctx.need(Buckets).take(key, CONNECT_RATE, CONNECT_BURST, ctx.clock.monotonic()):
        raise throttled("the account's new connections")


def _rates(stage: ServedStage, route: ServedRoute) -> tuple[Rate, ...]:
    rate, burst = route.settings.throttling_rate_limit, route.settings.throttling_burst_limit
    place = (stage.scope, stage.api_id, stage.stage_name, route.key)
    if rate is None and burst is None:
        return stage_rates(*place, -1, -1)
    return stage_rates(
        *place,
        ACCOUNT_RATE if rate is None else rate,
        ACCOUNT_BURST if burst is None else burst,
    )
