"""COGNITO_USER_POOLS: tokens of user pools, verified by whoever keeps the pools' keys.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-integrate-with-cognito.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cumulet.core.context import Context, Platform
from cumulet.kit.ports import WebIdentities
from cumulet.services.apigateway.admission.callers.cognito import (
    issuers_of,
    lets_through,
    shown_claims,
    token_of,
)
from cumulet.services.apigateway.pipeline.faults import authorizer_misconfigured, unauthorized
from cumulet.services.apigateway.pipeline.match import Matched
from cumulet.services.apigateway.rules.patterns import Overlong, fits


async def authorize_by_pool(platform: Platform, ctx: Context, matched: Matched) -> dict[str, Any]:
    """The claims of the request's token, for `$context.authorizer`. Raises GatewayFault."""
    served = matched.method.authorizer
    if served is None or not served.sources:
        raise authorizer_misconfigured("the method's authorizer is not there")
    token = token_of(matched.arrival.request.headers.get(served.sources[0].name))
    if not token:
        raise unauthorized()
    claims = await verified_claims(platform.need, token)
    if claims is None or not lets_through(
        claims, issuers_of(served.pools, platform.endpoint), matched.method.scopes
    ):
        raise unauthorized()
    if served.expression is not None:
        try:
            if not fits(served.expression, str(claims.get("aud") or claims.get("client_id") or "")):
                raise unauthorized()
        except Overlong as cause:
            raise unauthorized() from cause
    ctx.trace.note(authorizer=served.id)
    return {"claims": shown_claims(claims)}


async def verified_claims(need: Callable[[type[Any]], Any], token: str) -> dict[str, object] | None:
    """What a token says, or None when it is false, or nobody here knows its issuer."""
    try:
        identities: WebIdentities = need(WebIdentities)
    except KeyError:
        return None
    return await identities.verify(token)
