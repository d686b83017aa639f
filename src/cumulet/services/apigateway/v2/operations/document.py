"""HTTP APIs from OpenAPI documents, and as such."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import yaml

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway.errors import BadRequestException
from cumulet.services.apigateway.openapi.document import parse_document
from cumulet.services.apigateway.rules.access import check_pass_role
from cumulet.services.apigateway.rules.names import at
from cumulet.services.apigateway.rules.settings import check_tags
from cumulet.services.apigateway.v2 import store
from cumulet.services.apigateway.v2.errors import no_part, no_stage
from cumulet.services.apigateway.v2.model import (
    DEFAULT,
    HTTP,
    Api,
    Authorizer,
    Integration,
    Snapshot,
)
from cumulet.services.apigateway.v2.openapi.reading import Plan, read_plan
from cumulet.services.apigateway.v2.openapi.writing import write_document
from cumulet.services.apigateway.v2.operations.api import new_api, save_in_room
from cumulet.services.apigateway.v2.operations.parts.authorizer import save_authorizer
from cumulet.services.apigateway.v2.operations.parts.integration import save_integration
from cumulet.services.apigateway.v2.operations.parts.route import new_route, save_route
from cumulet.services.apigateway.v2.rollout import change_api, read_api
from cumulet.services.apigateway.v2.rules.apis import HTTP_SELECTION, api_view, check_api
from cumulet.services.apigateway.v2.rules.authorizers import parse_authorizer
from cumulet.services.apigateway.v2.rules.integrations import parse_integration

Request = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parts:
    """The checked parts of a document, with their ids; routes still lack their API."""

    plan: Plan
    integrations: tuple[Integration, ...]
    authorizers: Mapping[str, Authorizer]
    route_ids: tuple[str, ...]


async def _planned(ctx: Context, request: Request, api_id: str) -> Parts:
    """Read the document and check its parts. Raises AwsError."""
    plan = read_plan(parse_document(request["Body"].encode()), request.get("Basepath") or "ignore")
    check_api({**plan.settings, "RouteSelectionExpression": HTTP_SELECTION}, HTTP)
    check_tags(plan.settings.get("Tags"))
    if request.get("FailOnWarnings") and plan.warnings:
        raise BadRequestException("Warnings found during import: " + "; ".join(plan.warnings))
    for given in plan.integrations:
        await check_pass_role(ctx, given.get("CredentialsArn"))
    integrations = tuple(
        parse_integration(
            {**given, "ApiId": api_id, "IntegrationId": new_label(ctx.clock, 7)}, HTTP
        )
        for given in plan.integrations
    )
    authorizers = {
        name: parse_authorizer(
            {**given, "ApiId": api_id, "AuthorizerId": new_label(ctx.clock, 6)}, HTTP
        )
        for name, given in plan.authorizers.items()
    }
    for one in authorizers.values():
        await check_pass_role(ctx, one.authorizer_credentials_arn)
    ids = tuple(new_label(ctx.clock, 7) for _ in plan.routes)
    return Parts(plan, integrations, authorizers, ids)


async def _save_parts(
    tx: Transaction, scope: Scope, api: Api, parts: Parts, kept: Mapping[str, str]
) -> None:
    """Write the parts; `kept` gives the ids of routes by key that were there before."""
    for integration in parts.integrations:
        await save_integration(tx, scope, integration)
    for authorizer in parts.authorizers.values():
        await save_authorizer(tx, scope, authorizer)
    for route_id, given in zip(parts.route_ids, parts.plan.routes, strict=True):
        document = dict(given)
        if (place := document.pop("Integration", None)) is not None:
            document["Target"] = f"integrations/{parts.integrations[place].integration_id}"
        if (name := document.pop("Authorizer", None)) is not None:
            document["AuthorizerId"] = parts.authorizers[name].authorizer_id
        route = new_route(document, api, kept.get(given["RouteKey"], route_id))
        await save_route(tx, scope, api, route)


@operation("ImportApi", action="PUT", resource=at("/apis"))
async def import_api(ctx: Context, request: Request) -> dict[str, Any]:
    """Make an HTTP API from an OpenAPI document."""
    api_id = new_label(ctx.clock, 10)
    parts = await _planned(ctx, request, api_id)
    made = new_api(ctx, HTTP, parts.plan.settings)
    api = msgspec.structs.replace(made, api_id=api_id, warnings=tuple(parts.plan.warnings) or None)

    async def save(tx: Transaction, scope: Scope) -> None:
        await save_in_room(tx, scope, api)
        await _save_parts(tx, scope, api, parts, {})

    await ctx.transact(save)
    return api_view(api, ctx.scope.region, ctx.endpoint)


@operation("ReimportApi", action="PUT", resource=at("/apis/{ApiId}"))
async def reimport_api(ctx: Context, request: Request) -> dict[str, Any]:
    """Make an API what a document says; its stages stay, and routes with the same key their ids."""
    parts = await _planned(ctx, request, request["ApiId"])

    async def save(tx: Transaction, scope: Scope, old: Api) -> Api:
        if old.protocol_type != HTTP:
            raise BadRequestException("Only HTTP APIs can be imported")
        routes = await store.scan_parts(tx, scope, store.ROUTES, old.api_id)
        await store.drop_parts(tx, scope, old.api_id)
        api = _overwritten(old, parts.plan)
        await store.APIS.save(tx, scope, api)
        await _save_parts(tx, scope, api, parts, {one.route_key: one.route_id for one in routes})
        return api

    changed = await change_api(ctx, request["ApiId"], save)
    return api_view(changed, ctx.scope.region, ctx.endpoint)


def _overwritten(old: Api, plan: Plan) -> Api:
    """The API with the document's settings; what it does not say is as in a new API."""
    document = {
        name: value
        for name, value in msgspec.to_builtins(old).items()
        if name not in ("CorsConfiguration", "Description", "Version", "Warnings")
    }
    settings = {**plan.settings, "Tags": {**(old.tags or {}), **(plan.settings.get("Tags") or {})}}
    document |= {"DisableExecuteApiEndpoint": False, **settings}
    if plan.warnings:
        document["Warnings"] = plan.warnings
    if not document["Tags"]:
        del document["Tags"]
    return msgspec.convert(document, Api)


@operation("ExportApi", action="GET", resource=at("/apis/{ApiId}/exports/{Specification}"))
async def export_api(ctx: Context, request: Request) -> dict[str, Any]:
    """An HTTP API as an OpenAPI document: as a stage serves it, or as it is now."""
    if request["Specification"] != "OAS30":
        raise BadRequestException("Invalid specification: only OAS30 is supported")
    if request["OutputType"] not in ("JSON", "YAML"):
        raise BadRequestException("Invalid outputType: it must be JSON or YAML")
    if request.get("ExportVersion") not in (None, "", "1.0"):
        raise BadRequestException("Invalid exportVersion: only 1.0 is supported")
    name = request.get("StageName") or ""

    async def load(tx: Transaction, scope: Scope, api: Api) -> Snapshot:
        if api.protocol_type != HTTP:
            raise BadRequestException("Only HTTP APIs can be exported")
        if not name:
            return await store.take_snapshot(tx, scope, api)
        stage = await store.STAGES.load(tx, scope, api.api_id, name)
        if stage is None:
            raise no_stage()
        found = await store.load_snapshot(tx, scope, api.api_id, stage.deployment_id or "")
        if found is None:
            raise no_part("Deployment", stage.deployment_id or DEFAULT)
        return found

    snapshot = await read_api(ctx, request["ApiId"], load)
    address = api_view(snapshot.api, ctx.scope.region, ctx.endpoint)["ApiEndpoint"]
    extensions = request.get("IncludeExtensions")
    document = write_document(
        snapshot, address, name, extensions=True if extensions is None else bool(extensions)
    )
    if request["OutputType"] == "YAML":
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    else:
        text = json.dumps(document, indent=2, ensure_ascii=False)
    return {"body": text.encode()}
