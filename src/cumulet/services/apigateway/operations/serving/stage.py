"""Stages: named pointers to deployments, with variables, settings, canaries and caches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway import store
from cumulet.services.apigateway.admission.domains import store as domains
from cumulet.services.apigateway.admission.domains.mappings import check_unmapped
from cumulet.services.apigateway.errors import (
    BadRequestException,
    ConflictException,
    LimitExceededException,
    no_api,
    no_stage,
)
from cumulet.services.apigateway.limits import STAGES_MAX
from cumulet.services.apigateway.model import CanarySettings, Stage, shown
from cumulet.services.apigateway.openapi.documentation import store as documentation
from cumulet.services.apigateway.rules.names import at, check_stage_name
from cumulet.services.apigateway.rules.settings import check_tags
from cumulet.services.apigateway.rules.stage_patches import check_stage, patch_stage

Request = Mapping[str, Any]

_ALL = "/restapis/{restApiId}/stages"
_ONE = _ALL + "/{stageName}"


def parse_stage(request: Request, deployment_id: str, now: int) -> Stage:
    """A new stage from the members of CreateStage or CreateDeployment. Raises
    BadRequestException."""
    has_cache = bool(request.get("cacheClusterEnabled"))
    stage = Stage(
        api_id=request["restApiId"],
        stage_name=request["stageName"],
        deployment_id=deployment_id,
        created_date=now,
        last_updated_date=now,
        cache_cluster_enabled=has_cache,
        cache_cluster_size=(request.get("cacheClusterSize") or "0.5") if has_cache else None,
        cache_cluster_status="AVAILABLE" if has_cache else "NOT_AVAILABLE",
        method_settings={},
        tracing_enabled=bool(request.get("tracingEnabled")),
        variables=request.get("variables"),
        canary_settings=parse_canary(request.get("canarySettings"), deployment_id),
        documentation_version=request.get("documentationVersion") or None,
    )
    check_stage(stage)
    return stage


def parse_canary(given: Mapping[str, Any] | None, deployment_id: str) -> CanarySettings | None:
    """A canary from members in AWS's spelling; `deployment_id` counts when they have none."""
    if not given:
        return None
    return CanarySettings(
        percent_traffic=float(given.get("percentTraffic") or 0),
        deployment_id=given.get("deploymentId") or deployment_id,
        stage_variable_overrides=given.get("stageVariableOverrides"),
        use_stage_cache=bool(given.get("useStageCache")),
    )


async def save_stage(tx: Transaction, scope: Scope, stage: Stage) -> None:
    """Write a stage. Raises LimitExceededException when the API has too many."""
    stages = await store.scan_stages(tx, scope, stage.api_id)
    others = [one for one in stages if one.stage_name != stage.stage_name]
    if len(others) >= STAGES_MAX:
        raise LimitExceededException("Maximum number of stages for this API has been reached.")
    await store.STAGES.save(tx, scope, stage)


def _view(stage: Stage) -> dict[str, Any]:
    return shown(stage, "cacheFlushes", "authorizerFlushes")


@operation("CreateStage", action="POST", resource=at(_ALL))
async def create_stage(ctx: Context, request: Request) -> dict[str, Any]:
    """Make a stage that serves a deployment."""
    check_stage_name(request["stageName"])
    check_tags(request.get("tags"))
    made = parse_stage(request, request["deploymentId"], int(ctx.clock.now()))
    stage = msgspec.structs.replace(
        made, description=request.get("description"), tags=request.get("tags")
    )

    async def create(tx: Transaction, scope: Scope) -> None:
        if await store.load_api(tx, scope, stage.api_id) is None:
            raise no_api(scope, stage.api_id)
        if await store.STAGES.load(tx, scope, stage.api_id, stage.stage_name) is not None:
            raise ConflictException("Stage already exists")
        await _check_references(tx, scope, stage)
        await save_stage(tx, scope, stage)

    await ctx.transact(create)
    return _view(stage)


async def _check_references(tx: Transaction, scope: Scope, stage: Stage) -> None:
    """Raise unless what the stage names exists, and the account lets it log."""
    wanted = [stage.deployment_id]
    if stage.canary_settings is not None:
        wanted.append(stage.canary_settings.deployment_id)
    for deployment_id in wanted:
        if await store.DEPLOYMENTS.load(tx, scope, stage.api_id, deployment_id) is None:
            raise BadRequestException("Deployment id does not exist")
    version, certificate = stage.documentation_version, stage.client_certificate_id
    if version and await documentation.VERSIONS.load(tx, scope, stage.api_id, version) is None:
        raise BadRequestException("Invalid Documentation version specified")
    if certificate and await domains.CLIENT_CERTIFICATES.load(tx, scope, certificate) is None:
        raise BadRequestException("Invalid Client Certificate identifier specified")
    is_logged = stage.access_log_settings is not None or any(
        (one.get("loggingLevel") or "OFF") != "OFF" for one in stage.method_settings.values()
    )
    if is_logged:
        account = await store.ACCOUNTS.load(tx, scope, "settings")
        if account is None or not account.cloudwatch_role_arn:
            raise BadRequestException(
                "CloudWatch Logs role ARN must be set in account settings to enable logging"
            )


async def _find(tx: Transaction, scope: Scope, request: Request) -> Stage:
    found = await store.STAGES.load(tx, scope, request["restApiId"], request["stageName"])
    if found is None:
        raise no_stage()
    return found


@operation("GetStage", action="GET", resource=at(_ONE))
async def get_stage(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe a stage."""
    return _view(await ctx.transact(_find, request))


@operation("GetStages", action="GET", resource=at(_ALL))
async def get_stages(ctx: Context, request: Request) -> dict[str, Any]:
    """List an API's stages, or those that serve one deployment."""

    async def load(tx: Transaction, scope: Scope) -> list[Stage]:
        if await store.load_api(tx, scope, request["restApiId"]) is None:
            raise no_api(scope, request["restApiId"])
        return await store.scan_stages(tx, scope, request["restApiId"])

    wanted = request.get("deploymentId")
    found = await ctx.transact(load)
    return {"item": [_view(one) for one in found if wanted in (None, one.deployment_id)]}


@operation("UpdateStage", action="PATCH", resource=at(_ONE))
async def update_stage(ctx: Context, request: Request) -> dict[str, Any]:
    """Change a stage; what it says counts from the next request on."""
    now = int(ctx.clock.now())

    async def update(tx: Transaction, scope: Scope) -> Stage:
        old = await _find(tx, scope, request)
        changed = patch_stage(old, request.get("patchOperations"), now)
        await _check_references(tx, scope, changed)
        await store.STAGES.save(tx, scope, changed)
        return changed

    return _view(await ctx.transact(update))


@operation("FlushStageCache", action="DELETE", resource=at(_ONE + "/cache/data"))
async def flush_stage_cache(ctx: Context, request: Request) -> None:
    """Forget what the stage's cache holds."""

    async def flush(tx: Transaction, scope: Scope) -> None:
        found = await _find(tx, scope, request)
        flushed = msgspec.structs.replace(found, cache_flushes=found.cache_flushes + 1)
        await store.STAGES.save(tx, scope, flushed)

    await ctx.transact(flush)


@operation("FlushStageAuthorizersCache", action="DELETE", resource=at(_ONE + "/cache/authorizers"))
async def flush_stage_authorizers_cache(ctx: Context, request: Request) -> None:
    """Forget what the stage's authorizers have said."""

    async def flush(tx: Transaction, scope: Scope) -> None:
        found = await _find(tx, scope, request)
        flushed = msgspec.structs.replace(found, authorizer_flushes=found.authorizer_flushes + 1)
        await store.STAGES.save(tx, scope, flushed)

    await ctx.transact(flush)


@operation("DeleteStage", action="DELETE", resource=at(_ONE))
async def delete_stage(ctx: Context, request: Request) -> None:
    """Remove a stage; its URL answers no more."""

    async def delete(tx: Transaction, scope: Scope) -> None:
        found = await _find(tx, scope, request)
        await check_unmapped(tx, scope, found.api_id, found.stage_name)
        await store.STAGES.drop(tx, scope, found.api_id, found.stage_name)

    await ctx.transact(delete)
