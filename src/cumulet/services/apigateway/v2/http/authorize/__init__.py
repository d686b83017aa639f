"""Third step: who calls, and whether the route lets them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from cumulet.core.context import Context, Platform
from cumulet.services.apigateway.v2.http.arrival import Authorized, Matched
from cumulet.services.apigateway.v2.http.authorize.function import by_function
from cumulet.services.apigateway.v2.http.authorize.signature import by_signature
from cumulet.services.apigateway.v2.http.authorize.token import by_token

_WAYS: Mapping[str, Callable[[Platform, Context, Matched], Awaitable[Authorized]]] = {
    "AWS_IAM": by_signature,
    "JWT": by_token,
    "CUSTOM": by_function,
}


async def authorize(platform: Platform, ctx: Context, matched: Matched) -> Authorized:
    """Let the route's authorization decide. Raises Refusal."""
    way = _WAYS.get(matched.route.authorization)
    return Authorized(matched) if way is None else await way(platform, ctx, matched)
