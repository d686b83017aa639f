"""The way of a request: match → authorize → meter → validate → integrate → respond.

Each step takes a value of another type, so that none can read what a later one makes.
"""

from __future__ import annotations

from cumulet.core.context import Context, Platform
from cumulet.core.http import Response
from cumulet.core.identity import ANONYMOUS
from cumulet.core.trace import Trace, log_cause
from cumulet.services.apigateway.pipeline.authorize import Authorized, authorize
from cumulet.services.apigateway.pipeline.faults import GatewayFault, internal_error
from cumulet.services.apigateway.pipeline.integrate import integrate
from cumulet.services.apigateway.pipeline.match import Arrival, match, match_trial
from cumulet.services.apigateway.pipeline.meter import Metered, meter
from cumulet.services.apigateway.pipeline.observe.measure import Measures
from cumulet.services.apigateway.pipeline.observe.report import tell
from cumulet.services.apigateway.pipeline.observe.segments import begin_trace
from cumulet.services.apigateway.pipeline.respond import refuse, respond
from cumulet.services.apigateway.pipeline.served import ServedStage, chosen
from cumulet.services.apigateway.pipeline.validate import validate


async def answer(
    platform: Platform,
    stage: ServedStage | None,
    arrival: Arrival,
    trace: Trace,
    refused: GatewayFault | None = None,
) -> Response:
    """Run one request through the steps; a refusal is answered as the API says it.

    `refused` is why the request could not even be read. Raises GatewayFault when there is no such
    stage.
    """
    stage = chosen(stage, platform.clock)
    if stage is not None:
        arrival = await begin_trace(platform, stage, arrival)
    try:
        if refused is not None:
            raise refused
        response = await _through(platform, stage, arrival, trace)
    except GatewayFault as fault:
        if stage is None or (stage.is_disabled and not arrival.by_domain):
            raise
        response = _turn_away(fault, stage, arrival, trace)
    except ConnectionError:
        raise
    except Exception as cause:
        if stage is None:
            raise
        log_cause(arrival.request_id, "request failed", cause, path=arrival.whole_path)
        response = _turn_away(internal_error(), stage, arrival, trace)
    if stage is None:
        return response
    platform.need(Measures).measure(stage, arrival, response.status, trace)
    if arrival.journal.traced is not None:
        arrival.journal.traced.finish(stage, arrival, response)
    return tell(platform, stage, arrival, response)


def _turn_away(fault: GatewayFault, stage: ServedStage, arrival: Arrival, trace: Trace) -> Response:
    trace.note(gateway_fault=fault.kind, gateway_cause=fault.cause)
    arrival.journal.fault = fault
    return refuse(fault, arrival, stage)


async def _through(
    platform: Platform, stage: ServedStage | None, arrival: Arrival, trace: Trace
) -> Response:
    journal = arrival.journal
    journal.matched = matched = match(stage, arrival)
    ctx = platform.context(
        matched.stage.scope,
        ANONYMOUS,
        request=arrival.request,
        request_id=arrival.request_id,
        trace=trace,
    )
    trace.note(api_id=matched.stage.api_id, resource=matched.method.resource_path)
    ctx = ctx.carrying(arrival.trace_header)
    journal.authorized = authorized = await authorize(platform, ctx, matched)
    metered = await meter(platform, authorized)
    journal.key = metered.key
    admitted = validate(metered)
    return respond(await integrate(ctx, admitted))


async def try_out(
    ctx: Context, stage: ServedStage, arrival: Arrival, resource_path: str
) -> Response:
    """Run one request of a test invocation: authorizers, keys and throttles are passed by.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-test-method.html
    """
    journal = arrival.journal
    try:
        journal.matched = matched = match_trial(stage, arrival, resource_path)
        journal.authorized = authorized = Authorized(matched, ctx.caller)
        return respond(await integrate(ctx, validate(Metered(authorized, None))))
    except GatewayFault as fault:
        journal.fault = fault
        return refuse(fault, arrival, stage)
