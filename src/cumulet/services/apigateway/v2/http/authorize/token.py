"""JWT: the token of an OpenID issuer, from its header or query parameter.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context, Platform
from cumulet.kit.ports import WebIdentities
from cumulet.services.apigateway.admission.jwt.issuers import Issuers
from cumulet.services.apigateway.admission.jwt.tokens import (
    ScopeError,
    TokenError,
    check_claims,
    parse_token,
)
from cumulet.services.apigateway.v2.http.arrival import Authorized, Matched
from cumulet.services.apigateway.v2.http.facts import RequestValues
from cumulet.services.apigateway.v2.http.refusals import failed, forbidden, unauthorized
from cumulet.services.apigateway.v2.rules.expressions import evaluate, text_of

_BEARER = "bearer"


async def by_token(platform: Platform, ctx: Context, matched: Matched) -> Authorized:
    """Verify the token with its issuer's keys and hold its claims against the authorizer's."""
    served = matched.route.authorizer
    configuration = served.authorizer.jwt_configuration if served is not None else None
    if served is None or configuration is None:
        raise failed("the route's authorizer is not one of tokens")
    scheme, _, rest = text_of(evaluate(served.source, RequestValues(matched, None))).partition(" ")
    token = rest.strip() if scheme.lower() == _BEARER else scheme
    if not token:
        raise unauthorized("the request has no token", "Bearer")
    asked = " ".join(matched.route.scopes)
    try:
        claims = await _claims(platform, token, configuration.issuer)
        scopes = check_claims(
            claims,
            configuration.issuer,
            configuration.audience,
            matched.route.scopes,
            platform.clock.now(),
        )
    except ScopeError as error:
        raise forbidden(str(error), _challenge(asked, "insufficient_scope", error)) from error
    except TokenError as error:
        raise unauthorized(str(error), _challenge(asked, "invalid_token", error)) from error
    ctx.trace.note(authorizer=served.authorizer.authorizer_id)
    return Authorized(matched, claims=dict(claims), scopes=scopes)


async def _claims(platform: Platform, token: str, issuer: str) -> Mapping[str, Any]:
    """Issuers of this cloud are asked directly; any other is discovered. Raises TokenError."""
    try:
        identities = platform.need(WebIdentities)
    except KeyError:
        return await platform.need(Issuers).verified(token, issuer)
    known = await identities.verify(token)
    if known is not None:
        return known
    if await identities.knows(issuer):
        raise _refusal(token, issuer, platform.clock.now())
    return await platform.need(Issuers).verified(token, issuer)


def _refusal(text: str, issuer: str, now: float) -> TokenError:
    """Why a token is none of this issuer's, as far as its own claims tell."""
    try:
        claims = parse_token(text).claims
    except TokenError as error:
        return error
    if claims.get("iss") != issuer:
        return TokenError("the token does not have a valid issuer")
    expires = claims.get("exp")
    if isinstance(expires, int | float) and expires <= now:
        return TokenError("the token has expired")
    return TokenError("the token's signature is not valid")


def _challenge(scope: str, error: str, cause: TokenError) -> str:
    return f'Bearer scope="{scope}" error="{error}" error_description="{cause}"'
