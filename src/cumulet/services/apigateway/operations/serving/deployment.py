"""Deployments: immutable copies of an API that stages point to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway import store
from cumulet.services.apigateway.admission import store as admission
from cumulet.services.apigateway.errors import (
    BadRequestException,
    LimitExceededException,
    no_api,
    no_deployment,
)
from cumulet.services.apigateway.model import Deployment, Resource, RestApi, Stage, shown
from cumulet.services.apigateway.operations.rest_api import page, page_of
from cumulet.services.apigateway.operations.serving.stage import (
    parse_canary,
    parse_stage,
    save_stage,
)
from cumulet.services.apigateway.rules.names import at, check_stage_name
from cumulet.services.apigateway.rules.patch import REPLACE, Rule, apply_patches, listing

Request = Mapping[str, Any]

_ALL = "/restapis/{restApiId}/deployments"
_ONE = _ALL + "/{deploymentId}"
_RULES = (Rule("/description", REPLACE),)


@operation("CreateDeployment", action="POST", resource=at(_ALL))
async def create_deployment(ctx: Context, request: Request) -> dict[str, Any]:
    """Copy the API as it is now, and point a stage to the copy when one is named."""
    deployment_id, now = new_label(ctx.clock, 6), int(ctx.clock.now())
    stage_name = request.get("stageName")
    if stage_name:
        check_stage_name(stage_name)
        parse_stage(request, deployment_id, now)
    elif request.get("canarySettings"):
        told = "null" if stage_name is None else stage_name
        raise BadRequestException(
            "Invalid deployment content specified.Non null and non empty stageName must be "
            f"provided for canary deployment. Provided value is {told}"
        )

    async def create(tx: Transaction, scope: Scope) -> Deployment:
        made = await _copy(tx, scope, request, deployment_id, now)
        if stage_name:
            await _point(tx, scope, request, deployment_id, now)
        return made

    return _view(await ctx.transact(create))


async def _copy(
    tx: Transaction, scope: Scope, request: Request, deployment_id: str, now: int
) -> Deployment:
    api_id = request["restApiId"]
    api = await store.load_api(tx, scope, api_id)
    if api is None:
        raise no_api(scope, api_id)
    resources = [node for node in await store.scan_resources(tx, scope, api_id) if node.methods]
    if not resources:
        raise BadRequestException("The REST API doesn't contain any methods")
    for resource in resources:
        if any(method.method_integration is None for method in resource.methods.values()):
            raise BadRequestException("No integration defined for method")
    if not await store.has_room_for_deployment(tx, scope, api_id):
        raise LimitExceededException("Maximum number of deployments for this API has been reached.")
    made = msgspec.structs.replace(
        await snapshot(tx, scope, api, deployment_id, now), description=request.get("description")
    )
    await store.save_deployment(tx, scope, made, resources)
    return made


async def snapshot(
    tx: Transaction, scope: Scope, api: RestApi, deployment_id: str, now: int
) -> Deployment:
    """The API as it is now, not written yet; its resources belong to it and are not inside."""
    models = await store.scan_models(tx, scope, api.id)
    validators = await store.scan_validators(tx, scope, api.id)
    authorizers = await admission.scan_authorizers(tx, scope, api.id)
    return Deployment(
        api_id=api.id,
        id=deployment_id,
        created_date=now,
        api=api,
        models={model.name: model.schema or "{}" for model in models},
        validators={
            one.id: (one.validate_request_body, one.validate_request_parameters)
            for one in validators
        },
        authorizers={one.id: one for one in authorizers} or None,
    )


async def _point(
    tx: Transaction, scope: Scope, request: Request, deployment_id: str, now: int
) -> None:
    """Make the named stage, or move it, or its canary, to the new deployment."""
    old = await store.STAGES.load(tx, scope, request["restApiId"], request["stageName"])
    if old is None:
        if request.get("canarySettings"):
            raise BadRequestException(
                f"Invalid deployment content specified.Stage {request['stageName']} must already "
                "be created before making a canary release deployment"
            )
        made = parse_stage(request, deployment_id, now)
        stage = msgspec.structs.replace(made, description=request.get("stageDescription"))
    elif request.get("canarySettings"):
        canary = parse_canary(request["canarySettings"], deployment_id)
        stage = msgspec.structs.replace(old, canary_settings=canary, last_updated_date=now)
    else:
        stage = _moved(old, request, deployment_id, now)
    await save_stage(tx, scope, stage)


def _moved(old: Stage, request: Request, deployment_id: str, now: int) -> Stage:
    """A stage with the new deployment, and what else the request says of it."""
    has_cache = request.get("cacheClusterEnabled")
    has_cache = old.cache_cluster_enabled if has_cache is None else has_cache
    size = (
        (request.get("cacheClusterSize") or old.cache_cluster_size or "0.5") if has_cache else None
    )
    return msgspec.structs.replace(
        old,
        deployment_id=deployment_id,
        last_updated_date=now,
        variables=request.get("variables", old.variables),
        description=request.get("stageDescription", old.description),
        tracing_enabled=request.get("tracingEnabled", old.tracing_enabled),
        cache_cluster_enabled=has_cache,
        cache_cluster_size=size,
        cache_flushes=old.cache_flushes + (size is not None and size != old.cache_cluster_size),
        cache_cluster_status="AVAILABLE" if has_cache else "NOT_AVAILABLE",
    )


def _view(deployment: Deployment) -> dict[str, Any]:
    return shown(deployment, "api", "models", "validators", "authorizers")


@operation("GetDeployment", action="GET", resource=at(_ONE))
async def get_deployment(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe a deployment, with a summary of its methods when asked for."""

    async def load(tx: Transaction, scope: Scope) -> tuple[Deployment, list[Resource]]:
        found = await _find(tx, scope, request)
        if "apisummary" not in [text.lower() for text in request.get("embed") or ()]:
            return found, []
        return found, await store.scan_deployed(tx, scope, found.api_id, found.id)

    deployment, resources = await ctx.transact(load)
    view = _view(deployment)
    if resources:
        view["apiSummary"] = {
            resource.path: {
                name: {
                    "authorizationType": method.authorization_type,
                    "apiKeyRequired": method.api_key_required,
                }
                for name, method in resource.methods.items()
            }
            for resource in resources
        }
    return view


async def _find(tx: Transaction, scope: Scope, request: Request) -> Deployment:
    found = await store.DEPLOYMENTS.load(tx, scope, request["restApiId"], request["deploymentId"])
    if found is None:
        raise no_deployment()
    return found


@operation("GetDeployments", action="GET", resource=at(_ALL))
async def get_deployments(ctx: Context, request: Request) -> dict[str, Any]:
    """List an API's deployments, a page at a time."""
    after, limit = page_of(request)

    async def load(tx: Transaction, scope: Scope) -> list[Deployment]:
        if await store.load_api(tx, scope, request["restApiId"]) is None:
            raise no_api(scope, request["restApiId"])
        return await store.scan_deployments(tx, scope, request["restApiId"], after, limit + 1)

    found = await ctx.transact(load)
    return page([(one.id, _view(one)) for one in found], limit)


@operation("UpdateDeployment", action="PATCH", resource=at(_ONE))
async def update_deployment(ctx: Context, request: Request) -> dict[str, Any]:
    """Change a deployment's description; nothing else of it ever changes."""

    async def update(tx: Transaction, scope: Scope) -> Deployment:
        found = await _find(tx, scope, request)
        document = apply_patches(
            {"description": found.description}, request.get("patchOperations"), _RULES, listing
        )
        changed = msgspec.structs.replace(found, description=document.get("description"))
        await store.DEPLOYMENTS.save(tx, scope, changed)
        return changed

    return _view(await ctx.transact(update))


@operation("DeleteDeployment", action="DELETE", resource=at(_ONE))
async def delete_deployment(ctx: Context, request: Request) -> None:
    """Remove a deployment that no stage points to."""

    async def delete(tx: Transaction, scope: Scope) -> None:
        found = await _find(tx, scope, request)
        stages = await store.scan_stages(tx, scope, found.api_id)
        if any(stage.deployment_id == found.id for stage in stages):
            raise BadRequestException(
                "Active stages pointing to this deployment must be moved or deleted"
            )
        canaries = [stage.canary_settings for stage in stages if stage.canary_settings is not None]
        if any(canary.deployment_id == found.id for canary in canaries):
            raise BadRequestException(
                "Active stages with canary settings pointing to this deployment must be moved or "
                "deleted"
            )
        await store.drop_deployment(tx, scope, found.api_id, found.id)

    await ctx.transact(delete)
