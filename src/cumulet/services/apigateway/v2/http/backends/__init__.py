"""Fifth step: the backend. One function for each kind of integration."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping

from cumulet.core.context import Context
from cumulet.services.apigateway.v2.http.arrival import Authorized, Exchange
from cumulet.services.apigateway.v2.http.backends.function import invoke
from cumulet.services.apigateway.v2.http.backends.service import call_service
from cumulet.services.apigateway.v2.http.backends.web import pass_on
from cumulet.services.apigateway.v2.http.changes import changed_answer
from cumulet.services.apigateway.v2.http.prepared.served import ServedIntegration
from cumulet.services.apigateway.v2.http.refusals import Refusal, failed

_KINDS: Mapping[str, Callable[[Context, Authorized, ServedIntegration], Awaitable[Exchange]]] = {
    "AWS_PROXY": invoke,
    "HTTP_PROXY": pass_on,
    "service": call_service,
}


async def integrate(ctx: Context, who: Authorized) -> Exchange:
    """Ask the route's backend, and map its answer. Raises Refusal."""
    served = who.matched.route.integration
    notes = who.matched.arrival.notes
    if served is None:
        raise failed("the route has no integration")
    started = time.perf_counter()
    try:
        exchange = await _KINDS[served.kind](ctx, who, served)
    except Refusal as refusal:
        notes.integration_error = refusal.cause
        raise
    finally:
        notes.integration_ms = int((time.perf_counter() - started) * 1000)
    if notes.integration_status is None:
        notes.integration_status = exchange.status
    return changed_answer(who, exchange, served.response_changes.get(exchange.status, ()))
