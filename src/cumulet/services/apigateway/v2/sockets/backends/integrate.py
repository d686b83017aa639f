"""A route's backend asked: one function for each kind of integration."""

from __future__ import annotations

from collections.abc import Mapping

from cumulet.core.context import Context
from cumulet.services.apigateway.pipeline.faults import configuration_error
from cumulet.services.apigateway.pipeline.integrations.mock import parse_status
from cumulet.services.apigateway.v2.sockets.backends import function, http, service
from cumulet.services.apigateway.v2.sockets.backends.answer import Answer, shape
from cumulet.services.apigateway.v2.sockets.backends.outgoing import prepare
from cumulet.services.apigateway.v2.sockets.deployed.served import ServedIntegration
from cumulet.services.apigateway.v2.sockets.event import Happening, proxy_event


async def integrate(
    ctx: Context,
    integration: ServedIntegration,
    happening: Happening,
    stage_variables: Mapping[str, str],
) -> tuple[Answer, int]:
    """The route's answer, and the status that the backend itself gave. Raises GatewayFault.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integrations.html
    """
    if integration.kind == "AWS_PROXY":
        event = proxy_event(happening, stage_variables)
        answer = await function.invoke_proxy(ctx, integration, event)
        return answer, answer.status
    outgoing = prepare(integration, happening, stage_variables)
    match integration.kind:
        case "AWS" if integration.service is not None:
            received = await service.ask_service(ctx, integration, outgoing)
        case "AWS":
            received = await function.invoke_mapped(ctx, integration, outgoing.body or b"{}")
        case "HTTP_PROXY":
            answer = await http.send(ctx, integration, happening, outgoing)
            return answer, answer.status
        case "HTTP":
            received = await http.send(ctx, integration, happening, outgoing)
        case _:
            received = _mock(integration, outgoing.body)
    return shape(integration, happening, stage_variables, received), received.status


def _mock(integration: ServedIntegration, body: bytes) -> Answer:
    """No backend: the request template says which status it would have given; without one, 200."""
    if not integration.templates:
        return Answer(200)
    status = parse_status(body.decode("utf-8", "replace"))
    if status is None:
        raise configuration_error("the request template of a MOCK integration gives no statusCode")
    return Answer(status)
