"""Fifth step: the backend. One function for each kind of integration."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from cumulet.core.context import Context
from cumulet.services.apigateway.pipeline.exchange import Exchange
from cumulet.services.apigateway.pipeline.integrations import function, http, mock, service
from cumulet.services.apigateway.pipeline.integrations.kept import from_cache
from cumulet.services.apigateway.pipeline.validate import Admitted


async def _call_aws(ctx: Context, admitted: Admitted) -> Exchange:
    if admitted.authorized.matched.method.service is not None:
        return await service.call_service(ctx, admitted)
    return await function.invoke_mapped(ctx, admitted)


_KINDS: Mapping[str, Callable[[Context, Admitted], Awaitable[Exchange]]] = {
    "AWS_PROXY": function.invoke_proxy,
    "AWS": _call_aws,
    "MOCK": mock.answer_mock,
    "HTTP_PROXY": http.pass_on,
    "HTTP": http.call_mapped,
}


async def _ask_traced(ctx: Context, admitted: Admitted) -> Exchange:
    """Ask the backend, and note it for X-Ray."""
    matched = admitted.authorized.matched
    ask = _KINDS[matched.method.kind]
    traced = matched.arrival.journal.traced
    if traced is None or matched.method.kind == "MOCK":
        return await ask(ctx, admitted)
    with traced.asking(matched):
        return await ask(ctx, admitted)


async def integrate(ctx: Context, admitted: Admitted) -> Exchange:
    """Ask the method's backend, or the stage's cache. Raises GatewayFault."""
    matched = admitted.authorized.matched
    ask = _KINDS[matched.method.kind] if matched.arrival.journal.traced is None else _ask_traced
    if not matched.stage.cache_bytes or not matched.method.settings.caching_enabled:
        return await ask(ctx, admitted)
    return await from_cache(ctx, admitted, ask)
