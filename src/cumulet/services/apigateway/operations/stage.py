"""Stages: named pointers to deployments, with variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway import store
from cumulet.services.apigateway.errors import (
    BadRequestException,
    ConflictException,
    LimitExceededException,
    NotFoundException,
    no_api,
    no_deployment,
    no_stage,
    not_yet,
)
from cumulet.services.apigateway.limits import STAGES_MAX
from cumulet.services.apigateway.model import Stage, shown
from cumulet.services.apigateway.rules.names import at, check_stage_name, check_variables
from cumulet.services.apigateway.rules.patch import (
    ALL,
    REPLACE,
    Patch,
    Rule,
    apply_patches,
    parse_patch,
    read_flag,
)
from cumulet.services.apigateway.rules.settings import check_tags

Request = Mapping[str, Any]

_ALL = "/restapis/{restApiId}/stages"
_ONE = _ALL + "/{stageName}"
_RULES = (
    Rule("/deploymentId"),
    Rule("/description", ALL),
    Rule("/tracingEnabled", REPLACE, read_flag),
    Rule("/variables/{}", ALL, str, "map", "Invalid stage variable specified"),
)
_UNSERVED = {
    "accessLogSettings": "Access logs of stages are",
    "canarySettings": "Canary releases are",
    "cacheClusterEnabled": "Cache clusters of stages are",
    "cacheClusterSize": "Cache clusters of stages are",
    "clientCertificateId": "Client certificates of stages are",
    "documentationVersion": "Documentation versions are",
}


def check_unserved(request: Request) -> None:
    """Refuse what AWS serves in a stage and Cumulet does not yet."""
    for member, words in _UNSERVED.items():
        if request.get(member):
            raise not_yet(words)


async def save_stage(tx: Transaction, scope: Scope, stage: Stage) -> None:
    """Write a stage. Raises LimitExceededException when the API has too many."""
    stages = await store.scan_stages(tx, scope, stage.api_id)
    others = [one for one in stages if one.stage_name != stage.stage_name]
    if len(others) >= STAGES_MAX:
        raise LimitExceededException("Maximum number of stages for this API has been reached.")
    await store.STAGES.save(tx, scope, stage)


def _view(stage: Stage) -> dict[str, Any]:
    return shown(stage)


@operation("CreateStage", action="POST", resource=at(_ALL))
async def create_stage(ctx: Context, request: Request) -> dict[str, Any]:
    """Make a stage that serves a deployment."""
    check_stage_name(request["stageName"])
    check_unserved(request)
    check_variables(request.get("variables"))
    check_tags(request.get("tags"))
    now = int(ctx.clock.now())
    stage = Stage(
        api_id=request["restApiId"],
        stage_name=request["stageName"],
        deployment_id=request["deploymentId"],
        created_date=now,
        last_updated_date=now,
        cache_cluster_enabled=False,
        cache_cluster_status="NOT_AVAILABLE",
        method_settings={},
        tracing_enabled=bool(request.get("tracingEnabled")),
        description=request.get("description"),
        variables=request.get("variables"),
        tags=request.get("tags"),
    )

    async def create(tx: Transaction, scope: Scope) -> None:
        if await store.load_api(tx, scope, stage.api_id) is None:
            raise no_api(scope, stage.api_id)
        if await store.STAGES.load(tx, scope, stage.api_id, stage.stage_name) is not None:
            raise ConflictException("Stage already exists")
        await _check_deployment(tx, scope, stage)
        await save_stage(tx, scope, stage)

    await ctx.transact(create)
    return _view(stage)


async def _check_deployment(tx: Transaction, scope: Scope, stage: Stage) -> None:
    if await store.DEPLOYMENTS.load(tx, scope, stage.api_id, stage.deployment_id) is None:
        raise no_deployment()


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
    """Change a stage; moving it to another deployment takes effect at once."""
    now = int(ctx.clock.now())

    async def update(tx: Transaction, scope: Scope) -> Stage:
        document = msgspec.to_builtins(await _find(tx, scope, request))
        for given in request.get("patchOperations") or ():
            patch = parse_patch(given)
            if (patch.value or "").lower() in _HARMLESS.get(patch.segments[0], ()):
                continue
            _refuse_unserved(patch)
            document = apply_patches(document, [given], _RULES, _refusal)
        changed = msgspec.convert({**document, "lastUpdatedDate": now}, Stage)
        check_variables(changed.variables)
        await _check_deployment(tx, scope, changed)
        await store.STAGES.save(tx, scope, changed)
        return changed

    return _view(await ctx.transact(update))


_SETTINGS = ("logging", "metrics", "throttling", "caching")
_HARMLESS = {"cacheClusterEnabled": ("false", ""), "clientCertificateId": ("",)}
"""Values that say no more than what is so already."""


def _refuse_unserved(patch: Patch) -> None:
    """Refuse a change of what AWS serves in a stage and Cumulet does not yet."""
    first = patch.segments[0]
    if first in _UNSERVED and first != "documentationVersion":
        raise not_yet(_UNSERVED[first])
    if patch.op == "remove" and len(patch.segments) == 2 and first != "variables":
        name = "/".join(patch.segments)
        raise BadRequestException(
            f"Cannot remove method setting {name} because there is no method setting for "
            "this method "
        )
    if len(patch.segments) == 4 and patch.segments[2] in _SETTINGS:
        raise not_yet("Method settings of stages (logs, metrics, throttles, caches) are")
    if first == "documentationVersion":
        raise NotFoundException("Invalid Documentation version specified")


def _refusal(patch: Patch, rules: Any, rule: Rule | None) -> BadRequestException:
    """AWS's sentence; its list of paths is kept to those that are served here."""
    paths = ", ".join(
        "/variables/{variable_name}" if known.kind == "map" else known.path for known in rules
    )
    return BadRequestException(
        f"Invalid method setting path: {patch.path}. Must be one of: [{paths}]"
    )


@operation("DeleteStage", action="DELETE", resource=at(_ONE))
async def delete_stage(ctx: Context, request: Request) -> None:
    """Remove a stage; its URL answers no more."""

    async def delete(tx: Transaction, scope: Scope) -> None:
        found = await _find(tx, scope, request)
        await store.STAGES.drop(tx, scope, found.api_id, found.stage_name)

    await ctx.transact(delete)
