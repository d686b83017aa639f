"""How a change of an API reaches its stages: deployments, asked for or automatic.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.html
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway.errors import no_api
from cumulet.services.apigateway.v2 import store
from cumulet.services.apigateway.v2.errors import TooManyRequestsException, too_many
from cumulet.services.apigateway.v2.limits import DEPLOYMENTS_MAX, SNAPSHOT_BYTES_MAX
from cumulet.services.apigateway.v2.model import HTTP, Api, Deployment, Snapshot, Stage

T = TypeVar("T")

DEPLOYED = "DEPLOYED"
_AUTOMATIC = "Automatic deployment triggered by changes to the Api configuration"


async def change_api(
    ctx: Context, api_id: str, work: Callable[[Transaction, Scope, Api], Awaitable[T]]
) -> T:
    """Run `work(tx, scope, api)` and deploy to the API's auto-deployed stages, all in one.

    Raises NotFoundException when the API is not there.
    """
    deployment_id, now = new_label(ctx.clock, 6), int(ctx.clock.now())

    async def change(tx: Transaction, scope: Scope) -> T:
        api = await store.load_api(tx, scope, api_id)
        if api is None:
            raise no_api(scope, api_id)
        result = await work(tx, scope, api)
        await redeploy(tx, scope, api_id, deployment_id, now)
        return result

    return await ctx.transact(change)


async def read_api(
    ctx: Context, api_id: str, work: Callable[[Transaction, Scope, Api], Awaitable[T]]
) -> T:
    """Run `work(tx, scope, api)`, which only reads, or changes nothing that is deployed."""

    async def read(tx: Transaction, scope: Scope) -> T:
        api = await store.load_api(tx, scope, api_id)
        if api is None:
            raise no_api(scope, api_id)
        return await work(tx, scope, api)

    return await ctx.transact(read)


def obstacle(snapshot: Snapshot) -> str | None:
    """Why an API cannot be deployed as it is, in AWS's words; None when it can."""
    if snapshot.routes:
        return None
    if snapshot.api.protocol_type == HTTP:
        return "Unable to deploy API because no routes exist in this API"
    return "At least one route is required before deploying the Api."


async def redeploy(
    tx: Transaction, scope: Scope, api_id: str, deployment_id: str, now: int
) -> None:
    """Deploy what the API is now to every stage that wants it at once."""
    every = await store.scan_stages(tx, scope, api_id)
    stages = [stage for stage in every if stage.auto_deploy]
    api = await store.load_api(tx, scope, api_id)
    if not stages or api is None:
        return
    snapshot = await store.take_snapshot(tx, scope, api)
    if (problem := obstacle(snapshot)) is not None:
        for stage in stages:
            told = f"Deployment attempt failed: {problem}"
            failed = msgspec.structs.replace(stage, last_deployment_status_message=told)
            await store.STAGES.save(tx, scope, failed)
        return
    deployment = Deployment(
        api_id=api_id,
        deployment_id=deployment_id,
        created_date=now,
        deployment_status=DEPLOYED,
        auto_deployed=True,
        description=_AUTOMATIC,
    )
    _save(tx, scope, deployment, snapshot)
    for stage in stages:
        await point_stage(tx, scope, stage, deployment_id, now)
    left = {stage.deployment_id for stage in stages} - {
        stage.deployment_id for stage in every if not stage.auto_deploy
    }
    for old_id in sorted(one for one in left if one is not None):
        old = await store.DEPLOYMENTS.load(tx, scope, api_id, old_id)
        if old is not None and old.auto_deployed:
            await store.drop_deployment(tx, scope, api_id, old_id)


async def point_stage(
    tx: Transaction, scope: Scope, stage: Stage, deployment_id: str, now: int
) -> Stage:
    """Make the stage serve the deployment."""
    moved = msgspec.structs.replace(
        stage,
        deployment_id=deployment_id,
        last_updated_date=now,
        last_deployment_status_message=(
            f"Successfully deployed stage with deployment ID '{deployment_id}'"
        ),
    )
    await store.STAGES.save(tx, scope, moved)
    return moved


async def deploy(tx: Transaction, scope: Scope, deployment: Deployment, snapshot: Snapshot) -> None:
    """Keep a deployment that was asked for. Raises TooManyRequestsException."""
    if not await store.has_room_for_deployment(tx, scope, deployment.api_id):
        raise too_many("deployments", DEPLOYMENTS_MAX)
    _save(tx, scope, deployment, snapshot)


def _save(tx: Transaction, scope: Scope, deployment: Deployment, snapshot: Snapshot) -> None:
    if not store.save_deployment(tx, scope, deployment, snapshot):
        raise TooManyRequestsException(
            f"The routes, integrations and models of the API are larger than {SNAPSHOT_BYTES_MAX} "
            "bytes together."
        )
