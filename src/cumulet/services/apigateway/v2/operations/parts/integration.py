"""Integrations: the backends of an API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway.errors import ConflictException
from cumulet.services.apigateway.rules.access import check_pass_role
from cumulet.services.apigateway.rules.names import at
from cumulet.services.apigateway.v2 import store
from cumulet.services.apigateway.v2.errors import no_part, too_many
from cumulet.services.apigateway.v2.limits import INTEGRATIONS_MAX
from cumulet.services.apigateway.v2.model import Api, Integration, view
from cumulet.services.apigateway.v2.rollout import change_api, read_api
from cumulet.services.apigateway.v2.rules.integrations import parse_integration
from cumulet.services.apigateway.v2.rules.words import members, merged, page

Request = Mapping[str, Any]

_ALL = "/apis/{ApiId}/integrations"
_ONE = _ALL + "/{IntegrationId}"
_MEMBERS = (
    "ConnectionId",
    "ConnectionType",
    "ContentHandlingStrategy",
    "CredentialsArn",
    "Description",
    "IntegrationMethod",
    "IntegrationSubtype",
    "IntegrationType",
    "IntegrationUri",
    "PassthroughBehavior",
    "PayloadFormatVersion",
    "RequestParameters",
    "RequestTemplates",
    "ResponseParameters",
    "TemplateSelectionExpression",
    "TimeoutInMillis",
    "TlsConfig",
)


async def save_integration(tx: Transaction, scope: Scope, integration: Integration) -> None:
    """Write an integration. Raises TooManyRequestsException."""
    every = await store.scan_parts(tx, scope, store.INTEGRATIONS, integration.api_id)
    others = [one for one in every if one.integration_id != integration.integration_id]
    if len(others) >= INTEGRATIONS_MAX:
        raise too_many("integrations", INTEGRATIONS_MAX)
    await store.INTEGRATIONS.save(tx, scope, integration)


@operation("CreateIntegration", action="POST", resource=at(_ALL))
async def create_integration(ctx: Context, request: Request) -> dict[str, Any]:
    """Add a backend to an API."""
    await check_pass_role(ctx, request.get("CredentialsArn"))
    ids = {"ApiId": request["ApiId"], "IntegrationId": new_label(ctx.clock, 7)}

    async def create(tx: Transaction, scope: Scope, api: Api) -> Integration:
        made = parse_integration({**members(request, _MEMBERS), **ids}, api.protocol_type)
        await save_integration(tx, scope, made)
        return made

    return view(await change_api(ctx, request["ApiId"], create), "ApiId")


async def find(tx: Transaction, scope: Scope, request: Request) -> Integration:
    """The integration that a request names. Raises NotFoundException."""
    found = await store.INTEGRATIONS.load(tx, scope, request["ApiId"], request["IntegrationId"])
    if found is None:
        raise no_part("Integration", request["IntegrationId"])
    return found


@operation("GetIntegration", action="GET", resource=at(_ONE))
async def get_integration(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe an integration."""
    found = await read_api(ctx, request["ApiId"], lambda tx, scope, _: find(tx, scope, request))
    return view(found, "ApiId")


@operation("GetIntegrations", action="GET", resource=at(_ALL))
async def get_integrations(ctx: Context, request: Request) -> dict[str, Any]:
    """List an API's integrations."""
    api_id = request["ApiId"]
    found = await read_api(
        ctx, api_id, lambda tx, scope, _: store.scan_parts(tx, scope, store.INTEGRATIONS, api_id)
    )
    return page([(one.integration_id, view(one, "ApiId")) for one in found], request)


@operation("UpdateIntegration", action="PATCH", resource=at(_ONE))
async def update_integration(ctx: Context, request: Request) -> dict[str, Any]:
    """Change an integration; an empty value takes a parameter away."""
    await check_pass_role(ctx, request.get("CredentialsArn"))

    async def update(tx: Transaction, scope: Scope, api: Api) -> Integration:
        old = await find(tx, scope, request)
        given = members(request, _MEMBERS)
        joined = ("RequestParameters", "ResponseParameters")
        changed = parse_integration(merged(old, given, joined), api.protocol_type)
        await store.INTEGRATIONS.save(tx, scope, changed)
        return changed

    return view(await change_api(ctx, request["ApiId"], update), "ApiId")


@operation("DeleteIntegration", action="DELETE", resource=at(_ONE))
async def delete_integration(ctx: Context, request: Request) -> None:
    """Remove an integration that no route uses."""

    async def delete(tx: Transaction, scope: Scope, api: Api) -> None:
        gone = await find(tx, scope, request)
        for route in await store.scan_parts(tx, scope, store.ROUTES, api.api_id):
            if route.integration_id == gone.integration_id:
                raise ConflictException(
                    f"Cannot delete Integration '{gone.integration_id}', is referenced in route: "
                    f"{route.route_key}"
                )
        place = (store.INTEGRATION_RESPONSES, api.api_id, gone.integration_id)
        await store.drop_responses(tx, scope, *place)
        await store.INTEGRATIONS.drop(tx, scope, api.api_id, gone.integration_id)

    await change_api(ctx, request["ApiId"], delete)
