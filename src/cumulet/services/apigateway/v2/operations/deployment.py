"""Deployments: copies of an API that stages serve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway.errors import BadRequestException
from cumulet.services.apigateway.rules.names import at
from cumulet.services.apigateway.v2 import store
from cumulet.services.apigateway.v2.errors import no_part, no_stage
from cumulet.services.apigateway.v2.limits import DEPLOYMENTS_MAX
from cumulet.services.apigateway.v2.model import Api, Deployment, view
from cumulet.services.apigateway.v2.rollout import (
    DEPLOYED,
    deploy,
    obstacle,
    point_stage,
    read_api,
)
from cumulet.services.apigateway.v2.rules.words import check_lengths, page

Request = Mapping[str, Any]

_ALL = "/apis/{ApiId}/deployments"
_ONE = _ALL + "/{DeploymentId}"


@operation("CreateDeployment", action="POST", resource=at(_ALL))
async def create_deployment(ctx: Context, request: Request) -> dict[str, Any]:
    """Copy the API as it is now, and let a stage serve the copy when one is named."""
    check_lengths(request)
    now = int(ctx.clock.now())
    made = Deployment(
        api_id=request["ApiId"],
        deployment_id=new_label(ctx.clock, 6),
        created_date=now,
        deployment_status=DEPLOYED,
        auto_deployed=False,
        description=request.get("Description") or None,
    )

    async def create(tx: Transaction, scope: Scope, api: Api) -> None:
        snapshot = await store.take_snapshot(tx, scope, api)
        if (problem := obstacle(snapshot)) is not None:
            raise BadRequestException(problem)
        name = request.get("StageName")
        stage = None
        if name:
            stage = await store.STAGES.load(tx, scope, api.api_id, name)
            if stage is None:
                raise no_stage()
            if stage.auto_deploy:
                raise BadRequestException(
                    f"The stage {name} deploys automatically; deployments to it are not allowed"
                )
        await deploy(tx, scope, made, snapshot)
        if stage is not None:
            await point_stage(tx, scope, stage, made.deployment_id, now)

    await read_api(ctx, request["ApiId"], create)
    return view(made, "ApiId")


async def _find(tx: Transaction, scope: Scope, request: Request) -> Deployment:
    found = await store.DEPLOYMENTS.load(tx, scope, request["ApiId"], request["DeploymentId"])
    if found is None:
        raise no_part("Deployment", request["DeploymentId"])
    return found


@operation("GetDeployment", action="GET", resource=at(_ONE))
async def get_deployment(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe a deployment."""
    found = await read_api(ctx, request["ApiId"], lambda tx, scope, _: _find(tx, scope, request))
    return view(found, "ApiId")


@operation("GetDeployments", action="GET", resource=at(_ALL))
async def get_deployments(ctx: Context, request: Request) -> dict[str, Any]:
    """List an API's deployments."""

    async def load(tx: Transaction, scope: Scope, api: Api) -> list[Deployment]:
        return await store.DEPLOYMENTS.scan(tx, scope, api.api_id, limit=DEPLOYMENTS_MAX + 1)

    found = await read_api(ctx, request["ApiId"], load)
    return page([(one.deployment_id, view(one, "ApiId")) for one in found], request)


@operation("UpdateDeployment", action="PATCH", resource=at(_ONE))
async def update_deployment(ctx: Context, request: Request) -> dict[str, Any]:
    """Change a deployment's description; its copy of the API never changes."""
    check_lengths(request)

    async def update(tx: Transaction, scope: Scope, api: Api) -> Deployment:
        old = await _find(tx, scope, request)
        text = request.get("Description")
        changed = old
        if text is not None:
            changed = msgspec.structs.replace(old, description=text or None)
        await store.DEPLOYMENTS.save(tx, scope, changed)
        return changed

    return view(await read_api(ctx, request["ApiId"], update), "ApiId")


@operation("DeleteDeployment", action="DELETE", resource=at(_ONE))
async def delete_deployment(ctx: Context, request: Request) -> None:
    """Remove a deployment that no stage serves."""

    async def delete(tx: Transaction, scope: Scope, api: Api) -> None:
        gone = await _find(tx, scope, request)
        for stage in await store.scan_stages(tx, scope, api.api_id):
            if stage.deployment_id == gone.deployment_id:
                raise BadRequestException(
                    "Active stages pointing to this deployment must be moved or deleted"
                )
        await store.drop_deployment(tx, scope, api.api_id, gone.deployment_id)

    await read_api(ctx, request["ApiId"], delete)
