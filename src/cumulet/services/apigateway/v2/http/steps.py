"""The way of a request: match → CORS → authorize → meter → integrate → respond.

Each step takes a value of another type, so that none can read what a later one makes.
"""

from __future__ import annotations

from cumulet.core.context import Context, Platform
from cumulet.core.http import Response
from cumulet.core.identity import ANONYMOUS
from cumulet.core.trace import Trace
from cumulet.services.apigateway.admission.buckets import Buckets
from cumulet.services.apigateway.v2.http.arrival import Arrival, Matched
from cumulet.services.apigateway.v2.http.authorize import authorize
from cumulet.services.apigateway.v2.http.backends import integrate
from cumulet.services.apigateway.v2.http.observe import tell
from cumulet.services.apigateway.v2.http.prepared.served import ServedStage
from cumulet.services.apigateway.v2.http.refusals import Refusal, not_found, too_many
from cumulet.services.apigateway.v2.http.respond import (
    respond,
    respond_preflight,
    respond_refusal,
)


async def answer(
    platform: Platform, stage: ServedStage, arrival: Arrival, trace: Trace
) -> Response:
    """Run one request through the steps; the gateway's own answers are AWS's."""
    try:
        response = await _answer(platform, stage, arrival, trace)
    except Refusal as refusal:
        trace.note(gateway_fault=refusal.kind, gateway_cause=refusal.cause)
        notes = arrival.notes
        notes.refusal = refusal
        if notes.route is not None and notes.authorized is None:
            notes.authorizer_error = refusal.cause
        response = respond_refusal(arrival, stage.cors, refusal)
    tell(platform, stage, arrival, response, trace)
    return response


async def _answer(
    platform: Platform, stage: ServedStage, arrival: Arrival, trace: Trace
) -> Response:
    cors = stage.cors
    if cors is not None and (headers := cors.preflight(arrival.request)) is not None:
        return respond_preflight(arrival, headers)
    matched = _match(stage, arrival)
    ctx = platform.context(
        stage.scope,
        ANONYMOUS,
        request=arrival.request,
        request_id=arrival.request_id,
        trace=trace,
    )
    trace.note(api_id=stage.api_id, route=matched.route.key)
    authorized = await authorize(platform, ctx, matched)
    arrival.notes.authorized = authorized
    _meter(ctx, matched)
    return respond(arrival, cors, await integrate(ctx, authorized))


def _match(stage: ServedStage, arrival: Arrival) -> Matched:
    path = arrival.path if arrival.path.startswith("/") else f"/{arrival.path}"
    found = stage.router.find(arrival.request.method, path)
    if found is None:
        raise not_found()
    arrival.notes.route = found[0]
    return Matched(arrival, stage, found[0], path, found[1])


def _meter(ctx: Context, matched: Matched) -> None:
    """Let through what the throttles of route and account do.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
    """
    buckets = ctx.need(Buckets)
    if buckets.take_all(matched.route.rates, ctx.clock.monotonic()) is not None:
        raise too_many()
