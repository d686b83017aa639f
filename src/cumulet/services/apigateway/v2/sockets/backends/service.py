"""AWS services other than Lambda behind WebSocket routes, by action or by path.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integrations.html
"""

from __future__ import annotations

from urllib.parse import urlencode

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.http import BytesBody, Headers, Request
from cumulet.kit.surface import Errand, Outlet
from cumulet.services.apigateway.limits import BODY_BYTES_MAX
from cumulet.services.apigateway.pipeline.faults import (
    configuration_error,
    malformed_answer,
    timed_out,
)
from cumulet.services.apigateway.pipeline.integrations.addresses import filled
from cumulet.services.apigateway.pipeline.integrations.waiting import Invocations
from cumulet.services.apigateway.v2.sockets.backends.answer import Answer
from cumulet.services.apigateway.v2.sockets.backends.function import on_behalf
from cumulet.services.apigateway.v2.sockets.backends.outgoing import Outgoing
from cumulet.services.apigateway.v2.sockets.deployed.served import ServedIntegration


async def ask_service(ctx: Context, integration: ServedIntegration, outgoing: Outgoing) -> Answer:
    """Send the service what the mappings and the template made. Raises GatewayFault."""
    work = _ask(ctx, integration, outgoing)
    try:
        found = await ctx.need(Invocations).wait(work, integration.timeout_seconds)
    except TimeoutError as cause:
        raise timed_out() from cause
    except AwsError as cause:
        ctx.trace.note(integration_error=f"{cause.code}: {cause.message}")
        raise configuration_error(f"{cause.code}: {cause.message}") from cause
    return found


async def _ask(ctx: Context, integration: ServedIntegration, outgoing: Outgoing) -> Answer:
    target = integration.service
    if target is None:
        raise configuration_error(f"{integration.uri!r} is no service's address")
    asking = await on_behalf(ctx, integration, target.region)
    response = await ctx.need(Outlet).carry_out(
        Errand(
            request=_request(integration, outgoing, target.host),
            principal=asking.caller,
            service=target.service,
            region=target.region,
            request_id=ctx.request_id,
            trace=ctx.trace,
            action=filled(target.rest, {}) if target.is_action else "",
        )
    )
    body = response.body
    if isinstance(body, bytes):
        return Answer(response.status, response.headers, body)
    content = bytearray()
    try:
        async for part in body:
            content += part
            if len(content) > BODY_BYTES_MAX:
                raise malformed_answer("the service's answer is longer than 10 MB")
    finally:
        end = getattr(body, "aclose", None)
        if end is not None:
            await end()
    return Answer(response.status, response.headers, bytes(content))


def _request(integration: ServedIntegration, outgoing: Outgoing, host: str) -> Request:
    """The request as it would go to the service's own endpoint."""
    given = {"Content-Type": "application/json", "Accept": "application/json", **outgoing.headers}
    target = integration.service
    place, query = "", ""
    if target is not None and not target.is_action:
        place, _, query = filled(target.rest, outgoing.path).partition("?")
    mapped = urlencode(outgoing.query)
    return Request(
        integration.method if integration.method != "ANY" else "POST",
        "/" + place.lstrip("/"),
        "&".join(piece for piece in (query, mapped) if piece),
        Headers([("Host", host), *given.items()]),
        BytesBody(outgoing.body),
        scheme="https",
    )
