"""Fifth step: the backend. One function for each kind of integration."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from cumulet.core.context import Context
from cumulet.services.apigateway.pipeline.exchange import Exchange
from cumulet.services.apigateway.pipeline.integrations import function, http, mock
from cumulet.services.apigateway.pipeline.validate import Admitted

_KINDS: Mapping[str, Callable[[Context, Admitted], Awaitable[Exchange]]] = {
    "AWS_PROXY": function.invoke_proxy,
    "AWS": function.invoke_mapped,
    "MOCK": mock.answer_mock,
    "HTTP_PROXY": http.pass_on,
    "HTTP": http.call_mapped,
}


async def integrate(ctx: Context, admitted: Admitted) -> Exchange:
    """Ask the method's backend. Raises GatewayFault."""
    return await _KINDS[admitted.authorized.matched.method.kind](ctx, admitted)
