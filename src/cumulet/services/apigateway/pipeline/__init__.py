"""The way of a request: match → authorize → validate → integrate → respond.

Each step takes a value of another type, so that none can read what a later one makes.
"""

from __future__ import annotations

from cumulet.core.context import Context, Platform
from cumulet.core.http import Response
from cumulet.services.apigateway.pipeline.authorize import authorize
from cumulet.services.apigateway.pipeline.integrate import integrate
from cumulet.services.apigateway.pipeline.match import Arrival, match
from cumulet.services.apigateway.pipeline.respond import respond
from cumulet.services.apigateway.pipeline.served import ServedStage
from cumulet.services.apigateway.pipeline.validate import validate


async def answer(
    platform: Platform, ctx: Context, stage: ServedStage | None, arrival: Arrival
) -> Response:
    """Run one request through the steps. Raises GatewayFault."""
    matched = match(stage, arrival)
    own = platform.context(
        matched.stage.scope,
        ctx.caller,
        request=arrival.request,
        request_id=ctx.request_id,
        trace=ctx.trace,
    )
    ctx.trace.note(api_id=matched.stage.api_id, resource=matched.method.resource_path)
    authorized = await authorize(platform, own, matched)
    admitted = validate(authorized)
    return respond(await integrate(own, admitted))
