"""Stages: what of an API is served under which name, how it is metered and logged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway.admission.domains.mappings import check_unmapped
from cumulet.services.apigateway.errors import (
    BadRequestException,
    ConflictException,
    no_api,
)
from cumulet.services.apigateway.rules.names import at
from cumulet.services.apigateway.rules.settings import check_tags
from cumulet.services.apigateway.v2 import store
from cumulet.services.apigateway.v2.errors import no_part, no_route_settings, no_stage, too_many
from cumulet.services.apigateway.v2.limits import STAGES_MAX
from cumulet.services.apigateway.v2.model import Api, Stage, view
from cumulet.services.apigateway.v2.rollout import point_stage, read_api, redeploy
from cumulet.services.apigateway.v2.rules.stages import check_stage, check_stage_name
from cumulet.services.apigateway.v2.rules.words import made, members, merged, page

Request = Mapping[str, Any]

_ALL = "/apis/{ApiId}/stages"
_ONE = _ALL + "/{StageName}"
_MEMBERS = (
    "AccessLogSettings",
    "AutoDeploy",
    "DefaultRouteSettings",
    "DeploymentId",
    "Description",
    "RouteSettings",
    "StageVariables",
)


def stage_view(stage: Stage) -> dict[str, Any]:
    """The stage as AWS shows it."""
    return {**view(stage, "ApiId", "AuthorizersReset"), "Tags": stage.tags or {}}


def new_stage(request: Mapping[str, Any], api: Api, now: int) -> Stage:
    """A stage from members in AWS's spelling. Raises BadRequestException."""
    check_stage(request, api.protocol_type)
    check_stage_name(request["StageName"], api.protocol_type)
    check_tags(request.get("Tags"))
    document = {
        "AutoDeploy": False,
        "StageVariables": {},
        "RouteSettings": {},
        **members(request, (*_MEMBERS, "Tags")),
        "DefaultRouteSettings": {
            "DetailedMetricsEnabled": False,
            **(request.get("DefaultRouteSettings") or {}),
        },
        "ApiId": api.api_id,
        "StageName": request["StageName"],
        "CreatedDate": now,
        "LastUpdatedDate": now,
    }
    if document["AutoDeploy"] and document.get("DeploymentId"):
        raise BadRequestException("DeploymentId cannot be specified for an auto-deployed stage")
    return made(Stage, document)


async def _check_references(
    tx: Transaction, scope: Scope, stage: Stage, keys: Mapping[str, Any]
) -> None:
    for key in keys:
        if await store.find_route(tx, scope, stage.api_id, key) is None:
            raise no_route_settings(key)
    wanted = stage.deployment_id
    if wanted is not None:
        found = await store.DEPLOYMENTS.load(tx, scope, stage.api_id, wanted)
        if found is None:
            raise no_part("Deployment", wanted)


@operation("CreateStage", action="POST", resource=at(_ALL))
async def create_stage(ctx: Context, request: Request) -> dict[str, Any]:
    """Make a stage; with auto-deploy it serves the API as it is at once."""
    now, deployment_id = int(ctx.clock.now()), new_label(ctx.clock, 6)

    async def create(tx: Transaction, scope: Scope, api: Api) -> Stage:
        stage = new_stage(request, api, now)
        stages = await store.scan_stages(tx, scope, api.api_id)
        if any(one.stage_name == stage.stage_name for one in stages):
            raise ConflictException("Stage already exists")
        if len(stages) >= STAGES_MAX:
            raise too_many("stages", STAGES_MAX)
        await _check_references(tx, scope, stage, stage.route_settings)
        await store.STAGES.save(tx, scope, stage)
        return await _settled(tx, scope, stage, deployment_id, now)

    return stage_view(await read_api(ctx, request["ApiId"], create))


async def _settled(
    tx: Transaction, scope: Scope, stage: Stage, deployment_id: str, now: int
) -> Stage:
    """The stage after the deployment that its settings ask for."""
    if stage.auto_deploy:
        await redeploy(tx, scope, stage.api_id, deployment_id, now)
    elif stage.deployment_id is not None:
        await point_stage(tx, scope, stage, stage.deployment_id, now)
    return await store.STAGES.load(tx, scope, stage.api_id, stage.stage_name) or stage


async def find(tx: Transaction, scope: Scope, request: Request) -> Stage:
    """The stage that a request names. Raises NotFoundException."""
    if await store.load_api(tx, scope, request["ApiId"]) is None:
        raise no_api(scope, request["ApiId"])
    found = await store.STAGES.load(tx, scope, request["ApiId"], request["StageName"])
    if found is None:
        raise no_stage()
    return found


@operation("GetStage", action="GET", resource=at(_ONE))
async def get_stage(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe a stage."""
    return stage_view(await ctx.transact(find, request))


@operation("GetStages", action="GET", resource=at(_ALL))
async def get_stages(ctx: Context, request: Request) -> dict[str, Any]:
    """List an API's stages."""
    api_id = request["ApiId"]
    found = await read_api(ctx, api_id, lambda tx, scope, _: store.scan_stages(tx, scope, api_id))
    return page([(stage.stage_name, stage_view(stage)) for stage in found], request)


@operation("UpdateStage", action="PATCH", resource=at(_ONE))
async def update_stage(ctx: Context, request: Request) -> dict[str, Any]:
    """Change a stage; an empty value takes a variable away."""
    now, deployment_id = int(ctx.clock.now()), new_label(ctx.clock, 6)

    async def update(tx: Transaction, scope: Scope, api: Api) -> Stage:
        old = await find(tx, scope, request)
        check_stage(request, api.protocol_type)
        joined = ("StageVariables", "RouteSettings", "DefaultRouteSettings")
        document = merged(old, members(request, _MEMBERS), joined)
        changed = made(Stage, {**document, "LastUpdatedDate": now})
        # AWS checks the keys of the whole map again, and not only those that are given.
        checks_keys = request.get("RouteSettings") is not None
        keys = changed.route_settings if checks_keys else {}
        if changed.auto_deploy and request.get("DeploymentId"):
            raise BadRequestException("DeploymentId cannot be changed for an auto-deployed stage")
        await _check_references(tx, scope, changed, keys)
        await store.STAGES.save(tx, scope, changed)
        if changed.auto_deploy and old.auto_deploy:
            return changed
        if changed.deployment_id == old.deployment_id and not changed.auto_deploy:
            return changed
        return await _settled(tx, scope, changed, deployment_id, now)

    return stage_view(await read_api(ctx, request["ApiId"], update))


@operation("DeleteStage", action="DELETE", resource=at(_ONE))
async def delete_stage(ctx: Context, request: Request) -> None:
    """Remove a stage; its address answers no more."""

    async def delete(tx: Transaction, scope: Scope) -> None:
        gone = await find(tx, scope, request)
        await check_unmapped(tx, scope, gone.api_id, gone.stage_name)
        await store.STAGES.drop(tx, scope, gone.api_id, gone.stage_name)

    await ctx.transact(delete)


@operation("DeleteRouteSettings", action="DELETE", resource=at(_ONE + "/routesettings/{RouteKey}"))
async def delete_route_settings(ctx: Context, request: Request) -> None:
    """Let a route have the stage's default settings again."""

    async def delete(tx: Transaction, scope: Scope) -> None:
        stage = await find(tx, scope, request)
        key = request["RouteKey"]
        if key not in stage.route_settings:
            raise no_route_settings(key)
        left = {name: value for name, value in stage.route_settings.items() if name != key}
        await store.STAGES.save(tx, scope, msgspec.structs.replace(stage, route_settings=left))

    await ctx.transact(delete)


@operation("DeleteAccessLogSettings", action="DELETE", resource=at(_ONE + "/accesslogsettings"))
async def delete_access_log_settings(ctx: Context, request: Request) -> None:
    """Write no line for a request any more."""

    async def delete(tx: Transaction, scope: Scope) -> None:
        stage = await find(tx, scope, request)
        await store.STAGES.save(tx, scope, msgspec.structs.replace(stage, access_log_settings=None))

    await ctx.transact(delete)
