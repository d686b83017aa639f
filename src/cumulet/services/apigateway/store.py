"""API Gateway's records in the store: the only file that knows their keys."""

from __future__ import annotations

from typing import Any, NamedTuple

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.kv.table import Table
from cumulet.kv.tuples import AFTER
from cumulet.services.apigateway.admission import store as admission
from cumulet.services.apigateway.limits import (
    APIS_MAX,
    DEPLOYMENTS_MAX,
    MODELS_MAX,
    RESOURCES_MAX,
    RESPONSES_MAX,
    STAGES_MAX,
    VALIDATORS_MAX,
)
from cumulet.services.apigateway.model import (
    Account,
    DeployedGatewayResponse,
    DeployedResource,
    Deployment,
    GatewayResponse,
    Model,
    Place,
    RequestValidator,
    Resource,
    RestApi,
    Stage,
)

NOWHERE = Scope("", "")
_SERVICE = "apigateway"

PLACES: Table[Place] = Table(_SERVICE, "place", Place, lambda p: (p.api_id,), extent="global")
APIS: Table[RestApi] = Table(
    _SERVICE,
    "api",
    RestApi,
    lambda api: (api.id,),
    indexes={"origin": lambda api: [(api.origin,)] if api.origin else []},
)
RESOURCES: Table[Resource] = Table(_SERVICE, "resource", Resource, lambda r: (r.api_id, r.id))
MODELS: Table[Model] = Table(_SERVICE, "model", Model, lambda model: (model.api_id, model.name))
VALIDATORS: Table[RequestValidator] = Table(
    _SERVICE, "validator", RequestValidator, lambda v: (v.api_id, v.id)
)
DEPLOYMENTS: Table[Deployment] = Table(
    _SERVICE, "deployment", Deployment, lambda d: (d.api_id, d.id)
)
DEPLOYED: Table[DeployedResource] = Table(
    _SERVICE,
    "deployed",
    DeployedResource,
    lambda d: (d.resource.api_id, d.deployment_id, d.resource.id),
)
RESPONSES: Table[GatewayResponse] = Table(
    _SERVICE, "gateway-response", GatewayResponse, lambda r: (r.api_id, r.response_type)
)
DEPLOYED_RESPONSES: Table[DeployedGatewayResponse] = Table(
    _SERVICE,
    "deployed-response",
    DeployedGatewayResponse,
    lambda d: (d.response.api_id, d.deployment_id, d.response.response_type),
)
STAGES: Table[Stage] = Table(_SERVICE, "stage", Stage, lambda s: (s.api_id, s.stage_name))
ACCOUNTS: Table[Account] = Table(_SERVICE, "account", Account, lambda _: ("settings",))

TABLES: tuple[Table[Any], ...] = (
    PLACES,
    APIS,
    RESOURCES,
    MODELS,
    VALIDATORS,
    DEPLOYMENTS,
    DEPLOYED,
    RESPONSES,
    DEPLOYED_RESPONSES,
    STAGES,
    ACCOUNTS,
)


async def save_new_api(
    tx: Transaction, scope: Scope, api: RestApi, resources: list[Resource], models: list[Model]
) -> bool:
    """Write an API with its first resources and models; False when there are too many APIs."""
    if len(await APIS.scan(tx, scope, limit=APIS_MAX)) >= APIS_MAX:
        return False
    await APIS.save(tx, scope, api)
    await PLACES.save(tx, NOWHERE, Place(api_id=api.id, account=scope.account, region=scope.region))
    for resource in resources:
        await RESOURCES.save(tx, scope, resource)
    for model in models:
        await MODELS.save(tx, scope, model)
    return True


async def load_api(tx: Transaction, scope: Scope, api_id: str) -> RestApi | None:
    """The API, or None."""
    return await APIS.load(tx, scope, api_id)


async def find_api_of(tx: Transaction, scope: Scope, origin: str) -> RestApi | None:
    """The API that an earlier try of the same creation made, or None."""
    found = await APIS.lookup(tx, scope, "origin", origin, limit=1)
    return found[0] if found else None


async def scan_apis(tx: Transaction, scope: Scope, after: str | None, limit: int) -> list[RestApi]:
    """A page of the account's APIs, by id."""
    return await APIS.scan(tx, scope, limit=limit, after=(after,) if after else None)


async def drop_api(tx: Transaction, scope: Scope, api_id: str) -> bool:
    """Remove an API with all that belongs to it; False when it is not there."""
    if await APIS.drop(tx, scope, api_id) is None:
        return False
    await PLACES.drop(tx, NOWHERE, api_id)
    for stage in await scan_stages(tx, scope, api_id):
        await STAGES.drop(tx, scope, api_id, stage.stage_name)
    for resource in await scan_resources(tx, scope, api_id):
        await RESOURCES.drop(tx, scope, api_id, resource.id)
    for model in await scan_models(tx, scope, api_id):
        await MODELS.drop(tx, scope, api_id, model.name)
    for validator in await scan_validators(tx, scope, api_id):
        await VALIDATORS.drop(tx, scope, api_id, validator.id)
    await admission.drop_authorizers(tx, scope, api_id)
    for table in (DEPLOYMENTS, DEPLOYED, RESPONSES, DEPLOYED_RESPONSES):
        prefix = table.prefix(scope, api_id)
        tx.clear(prefix, prefix + AFTER)
    return True


async def scan_resources(tx: Transaction, scope: Scope, api_id: str) -> list[Resource]:
    """Every resource of an API; their number is bounded."""
    return await RESOURCES.scan(tx, scope, api_id, limit=RESOURCES_MAX + 1)


async def load_resource(
    tx: Transaction, scope: Scope, api_id: str, resource_id: str
) -> Resource | None:
    """One resource, or None."""
    return await RESOURCES.load(tx, scope, api_id, resource_id)


async def replace_resources(
    tx: Transaction, scope: Scope, api_id: str, resources: list[Resource]
) -> None:
    """Make these the whole tree of the API."""
    kept = {resource.id for resource in resources}
    for old in await scan_resources(tx, scope, api_id):
        if old.id not in kept:
            await RESOURCES.drop(tx, scope, api_id, old.id)
    for resource in resources:
        await RESOURCES.save(tx, scope, resource)


async def scan_models(tx: Transaction, scope: Scope, api_id: str) -> list[Model]:
    """Every model of an API; their number is bounded."""
    return await MODELS.scan(tx, scope, api_id, limit=MODELS_MAX + 1)


async def scan_validators(tx: Transaction, scope: Scope, api_id: str) -> list[RequestValidator]:
    """Every request validator of an API; their number is bounded."""
    return await VALIDATORS.scan(tx, scope, api_id, limit=VALIDATORS_MAX + 1)


async def scan_stages(tx: Transaction, scope: Scope, api_id: str) -> list[Stage]:
    """Every stage of an API; their number is bounded."""
    return await STAGES.scan(tx, scope, api_id, limit=STAGES_MAX + 1)


async def scan_deployments(
    tx: Transaction, scope: Scope, api_id: str, after: str | None, limit: int
) -> list[Deployment]:
    """A page of an API's deployments, by id."""
    mark = (api_id, after) if after else None
    return await DEPLOYMENTS.scan(tx, scope, api_id, limit=limit, after=mark)


async def has_room_for_deployment(tx: Transaction, scope: Scope, api_id: str) -> bool:
    """Whether the API may have one more deployment."""
    found = await scan_deployments(tx, scope, api_id, None, DEPLOYMENTS_MAX)
    return len(found) < DEPLOYMENTS_MAX


async def save_deployment(
    tx: Transaction, scope: Scope, deployment: Deployment, resources: list[Resource]
) -> None:
    """Write a deployment with its copies of the resources and of the gateway responses."""
    await DEPLOYMENTS.save(tx, scope, deployment)
    for resource in resources:
        await DEPLOYED.save(
            tx, scope, DeployedResource(deployment_id=deployment.id, resource=resource)
        )
    for response in await scan_responses(tx, scope, deployment.api_id):
        await DEPLOYED_RESPONSES.save(
            tx, scope, DeployedGatewayResponse(deployment_id=deployment.id, response=response)
        )


async def drop_deployment(tx: Transaction, scope: Scope, api_id: str, deployment_id: str) -> None:
    """Remove a deployment and its copy of the resources."""
    await DEPLOYMENTS.drop(tx, scope, api_id, deployment_id)
    for copy in await scan_deployed(tx, scope, api_id, deployment_id):
        await DEPLOYED.drop(tx, scope, api_id, deployment_id, copy.id)
    for response in await scan_deployed_responses(tx, scope, api_id, deployment_id):
        await DEPLOYED_RESPONSES.drop(tx, scope, api_id, deployment_id, response.response_type)


async def scan_responses(tx: Transaction, scope: Scope, api_id: str) -> list[GatewayResponse]:
    """The gateway responses that an API has of its own; there is at most one of each type."""
    return await RESPONSES.scan(tx, scope, api_id, limit=RESPONSES_MAX)


async def scan_deployed_responses(
    tx: Transaction, scope: Scope, api_id: str, deployment_id: str
) -> list[GatewayResponse]:
    """The gateway responses as they were when the deployment was made."""
    found = await DEPLOYED_RESPONSES.scan(tx, scope, api_id, deployment_id, limit=RESPONSES_MAX)
    return [copy.response for copy in found]


async def scan_deployed(
    tx: Transaction, scope: Scope, api_id: str, deployment_id: str
) -> list[Resource]:
    """The resources as they were when the deployment was made."""
    copies = await DEPLOYED.scan(tx, scope, api_id, deployment_id, limit=RESOURCES_MAX + 1)
    return [copy.resource for copy in copies]


class Snapshot(NamedTuple):
    """A deployment with all that belongs to it."""

    deployment: Deployment
    resources: list[Resource]
    responses: list[GatewayResponse]


class Served(NamedTuple):
    """All that serving a stage needs. `canary` is there when the stage has a second deployment."""

    api: RestApi
    stage: Stage
    snapshot: Snapshot
    canary: Snapshot | None
    account: Account


async def load_served(tx: Transaction, scope: Scope, api_id: str, stage_name: str) -> Served | None:
    """All that serving a stage needs, or None when it is not there."""
    api = await APIS.load(tx, scope, api_id)
    stage = await STAGES.load(tx, scope, api_id, stage_name)
    if api is None or stage is None:
        return None
    snapshot = await _load_snapshot(tx, scope, api_id, stage.deployment_id)
    if snapshot is None:
        return None
    canary = None
    if stage.canary_settings is not None:
        canary = await _load_snapshot(tx, scope, api_id, stage.canary_settings.deployment_id)
    account = await ACCOUNTS.load(tx, scope, "settings") or Account()
    return Served(api, stage, snapshot, canary, account)


async def _load_snapshot(
    tx: Transaction, scope: Scope, api_id: str, deployment_id: str
) -> Snapshot | None:
    deployment = await DEPLOYMENTS.load(tx, scope, api_id, deployment_id)
    if deployment is None:
        return None
    return Snapshot(
        deployment,
        await scan_deployed(tx, scope, api_id, deployment_id),
        await scan_deployed_responses(tx, scope, api_id, deployment_id),
    )
