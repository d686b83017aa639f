"""Quick create: an HTTP API made at once with its integration, its route and its stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway.errors import BadRequestException
from cumulet.services.apigateway.v2 import store
from cumulet.services.apigateway.v2.model import (
    DEFAULT,
    HTTP,
    Api,
    Integration,
    Route,
    RouteSettings,
    Stage,
)
from cumulet.services.apigateway.v2.rules.integrations import function_of, parse_integration
from cumulet.services.apigateway.v2.rules.routes import check_route_key
from cumulet.services.apigateway.v2.rules.words import merged

Request = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Quick:
    """What a quick creation makes besides the API."""

    integration: Integration
    route: Route
    stage: Stage
    deployment_id: str


def plan_quick(ctx: Context, api_id: str, request: Request) -> Quick | None:
    """The parts to make, None when no target is given. Raises BadRequestException."""
    target = request.get("Target")
    if not target:
        if request.get("RouteKey") or request.get("CredentialsArn"):
            raise BadRequestException("RouteKey and CredentialsArn need a Target")
        return None
    key = request.get("RouteKey") or DEFAULT
    check_route_key(key, HTTP)
    document = {
        **_backend(target),
        "ApiId": api_id,
        "IntegrationId": new_label(ctx.clock, 7),
        "ApiGatewayManaged": True,
        "CredentialsArn": request.get("CredentialsArn"),
    }
    integration = parse_integration(document, HTTP)
    now = int(ctx.clock.now())
    return Quick(
        integration,
        Route(
            api_id=api_id,
            route_id=new_label(ctx.clock, 7),
            route_key=key,
            api_key_required=False,
            authorization_type="NONE",
            api_gateway_managed=True,
            target=f"integrations/{integration.integration_id}",
        ),
        Stage(
            api_id=api_id,
            stage_name=DEFAULT,
            auto_deploy=True,
            created_date=now,
            last_updated_date=now,
            default_route_settings=RouteSettings(detailed_metrics_enabled=False),
            route_settings={},
            stage_variables={},
            api_gateway_managed=True,
        ),
        new_label(ctx.clock, 6),
    )


def _backend(target: str) -> dict[str, Any]:
    if function_of(target) is not None:
        return {
            "IntegrationType": "AWS_PROXY",
            "IntegrationUri": target,
            "PayloadFormatVersion": "2.0",
        }
    return {"IntegrationType": "HTTP_PROXY", "IntegrationUri": target, "IntegrationMethod": "ANY"}


async def save_quick(tx: Transaction, scope: Scope, quick: Quick) -> None:
    """Write the parts."""
    await store.INTEGRATIONS.save(tx, scope, quick.integration)
    await store.ROUTES.save(tx, scope, quick.route)
    await store.STAGES.save(tx, scope, quick.stage)


async def change_quick(tx: Transaction, scope: Scope, api: Api, request: Request) -> None:
    """Change the managed parts by members of UpdateApi. Raises BadRequestException."""
    target, key = request.get("Target"), request.get("RouteKey")
    credentials = request.get("CredentialsArn")
    if not target and not key and credentials is None:
        return
    routes = await store.scan_parts(tx, scope, store.ROUTES, api.api_id)
    managed = next((route for route in routes if route.api_gateway_managed), None)
    found = None
    if managed is not None and managed.integration_id:
        found = await store.INTEGRATIONS.load(tx, scope, api.api_id, managed.integration_id)
    if managed is None or found is None or not found.api_gateway_managed:
        raise BadRequestException(
            "Target, RouteKey and CredentialsArn can only be updated for quick created APIs"
        )
    document = merged(found, {} if credentials is None else {"CredentialsArn": credentials})
    if target:
        for name in ("IntegrationMethod", "IntegrationUri", "PayloadFormatVersion"):
            document.pop(name, None)
        document |= _backend(target)
    changed = parse_integration(document, HTTP)
    await store.INTEGRATIONS.save(tx, scope, changed)
    if key:
        check_route_key(key, HTTP)
        await store.ROUTES.save(tx, scope, msgspec.structs.replace(managed, route_key=key))
