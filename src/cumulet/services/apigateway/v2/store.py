"""The records of HTTP and WebSocket APIs in the store: the only file that knows their keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.kv.table import Table
from cumulet.kv.tuples import AFTER
from cumulet.services.apigateway.model import Place
from cumulet.services.apigateway.store import NOWHERE, PLACES
from cumulet.services.apigateway.v2.limits import (
    APIS_MAX,
    DEPLOYMENTS_MAX,
    RESPONSES_MAX,
    ROUTES_MAX,
    SNAPSHOT_BYTES_MAX,
    SNAPSHOT_PIECE_BYTES,
    STAGES_MAX,
)
from cumulet.services.apigateway.v2.model import (
    Api,
    Authorizer,
    Deployment,
    Integration,
    IntegrationResponse,
    Model,
    Route,
    RouteResponse,
    Snapshot,
    SnapshotPiece,
    Stage,
)

R = TypeVar("R", bound=msgspec.Struct)

SERVICE = "apigatewayv2"

APIS: Table[Api] = Table(
    SERVICE,
    "api",
    Api,
    lambda api: (api.api_id,),
    indexes={"origin": lambda api: [(api.origin,)] if api.origin else []},
)
ROUTES: Table[Route] = Table(
    SERVICE,
    "route",
    Route,
    lambda route: (route.api_id, route.route_id),
    indexes={"key": lambda route: [(route.api_id, route.route_key)]},
)
ROUTE_RESPONSES: Table[RouteResponse] = Table(
    SERVICE, "routeresponse", RouteResponse, lambda r: (r.api_id, r.route_id, r.route_response_id)
)
INTEGRATIONS: Table[Integration] = Table(
    SERVICE, "integration", Integration, lambda one: (one.api_id, one.integration_id)
)
INTEGRATION_RESPONSES: Table[IntegrationResponse] = Table(
    SERVICE,
    "integrationresponse",
    IntegrationResponse,
    lambda r: (r.api_id, r.integration_id, r.integration_response_id),
)
AUTHORIZERS: Table[Authorizer] = Table(
    SERVICE, "authorizer", Authorizer, lambda one: (one.api_id, one.authorizer_id)
)
MODELS: Table[Model] = Table(SERVICE, "model", Model, lambda model: (model.api_id, model.model_id))
STAGES: Table[Stage] = Table(SERVICE, "stage", Stage, lambda s: (s.api_id, s.stage_name))
DEPLOYMENTS: Table[Deployment] = Table(
    SERVICE, "deployment", Deployment, lambda d: (d.api_id, d.deployment_id)
)
SNAPSHOTS: Table[SnapshotPiece] = Table(
    SERVICE, "snapshot", SnapshotPiece, lambda s: (s.api_id, s.deployment_id, s.number)
)

PARTS: tuple[Table[Any], ...] = (
    ROUTES,
    ROUTE_RESPONSES,
    INTEGRATIONS,
    INTEGRATION_RESPONSES,
    AUTHORIZERS,
    MODELS,
)
"""What an import replaces and a deployment copies."""

TABLES: tuple[Table[Any], ...] = (APIS, *PARTS, STAGES, DEPLOYMENTS, SNAPSHOTS)

_ALL_MAX = ROUTES_MAX * RESPONSES_MAX
_write = msgspec.msgpack.Encoder().encode
_read = msgspec.msgpack.Decoder(Snapshot).decode


async def has_room_for_api(tx: Transaction, scope: Scope) -> bool:
    """Whether the account may have one more API here."""
    return len(await APIS.scan(tx, scope, limit=APIS_MAX)) < APIS_MAX


async def save_new_api(tx: Transaction, scope: Scope, api: Api) -> None:
    """Write an API, and where it is found by its id alone."""
    await APIS.save(tx, scope, api)
    place = Place(
        api_id=api.api_id,
        account=scope.account,
        region=scope.region,
        protocol=api.protocol_type,
    )
    await PLACES.save(tx, NOWHERE, place)


async def load_api(tx: Transaction, scope: Scope, api_id: str) -> Api | None:
    """The API, or None."""
    return await APIS.load(tx, scope, api_id)


async def find_api_of(tx: Transaction, scope: Scope, origin: str) -> Api | None:
    """The API that an earlier try of the same creation made, or None."""
    found = await APIS.lookup(tx, scope, "origin", origin, limit=1)
    return found[0] if found else None


async def find_route(tx: Transaction, scope: Scope, api_id: str, key: str) -> Route | None:
    """The API's route with this key, or None."""
    found = await ROUTES.lookup(tx, scope, "key", api_id, key, limit=1)
    return found[0] if found else None


async def scan_parts(tx: Transaction, scope: Scope, table: Table[R], *prefix: str) -> list[R]:
    """Every record of one kind of an API (or of one of its parts); their number is bounded."""
    return await table.scan(tx, scope, *prefix, limit=_ALL_MAX)


async def scan_stages(tx: Transaction, scope: Scope, api_id: str) -> list[Stage]:
    """Every stage of an API."""
    return await STAGES.scan(tx, scope, api_id, limit=STAGES_MAX + 1)


async def drop_responses(
    tx: Transaction, scope: Scope, table: Table[Any], api_id: str, owner_id: str
) -> None:
    """Remove the responses of one route or integration."""
    for one in await scan_parts(tx, scope, table, api_id, owner_id):
        await table.drop(tx, scope, *table.key_of(one))


async def drop_parts(tx: Transaction, scope: Scope, api_id: str) -> None:
    """Remove all that an import or a deletion replaces."""
    for table in PARTS:
        for one in await scan_parts(tx, scope, table, api_id):
            await table.drop(tx, scope, *table.key_of(one))


async def drop_api(tx: Transaction, scope: Scope, api_id: str) -> bool:
    """Remove an API with all that belongs to it; False when it is not there."""
    if await APIS.drop(tx, scope, api_id) is None:
        return False
    await PLACES.drop(tx, NOWHERE, api_id)
    await drop_parts(tx, scope, api_id)
    for table in (STAGES, DEPLOYMENTS, SNAPSHOTS):
        prefix = table.prefix(scope, api_id)
        tx.clear(prefix, prefix + AFTER)
    return True


async def take_snapshot(tx: Transaction, scope: Scope, api: Api) -> Snapshot:
    """The API with all its parts as they are now."""

    async def all_of(table: Table[R]) -> tuple[R, ...]:
        return tuple(await scan_parts(tx, scope, table, api.api_id))

    return Snapshot(
        api=api,
        routes=await all_of(ROUTES),
        route_responses=await all_of(ROUTE_RESPONSES),
        integrations=await all_of(INTEGRATIONS),
        integration_responses=await all_of(INTEGRATION_RESPONSES),
        authorizers=await all_of(AUTHORIZERS),
        models=await all_of(MODELS),
    )


async def has_room_for_deployment(tx: Transaction, scope: Scope, api_id: str) -> bool:
    """Whether the API may have one more deployment."""
    found = await DEPLOYMENTS.scan(tx, scope, api_id, limit=DEPLOYMENTS_MAX)
    return len(found) < DEPLOYMENTS_MAX


def save_deployment(
    tx: Transaction, scope: Scope, deployment: Deployment, snapshot: Snapshot
) -> bool:
    """Write a deployment and its copy of the API; False when the copy is too large."""
    content = _write(snapshot)
    if len(content) > SNAPSHOT_BYTES_MAX:
        return False
    DEPLOYMENTS.add(tx, scope, deployment)
    for number, begin in enumerate(range(0, len(content), SNAPSHOT_PIECE_BYTES)):
        piece = SnapshotPiece(
            api_id=deployment.api_id,
            deployment_id=deployment.deployment_id,
            number=number,
            content=content[begin : begin + SNAPSHOT_PIECE_BYTES],
        )
        SNAPSHOTS.add(tx, scope, piece)
    return True


async def drop_deployment(tx: Transaction, scope: Scope, api_id: str, deployment_id: str) -> None:
    """Remove a deployment and its copy of the API."""
    await DEPLOYMENTS.drop(tx, scope, api_id, deployment_id)
    prefix = SNAPSHOTS.prefix(scope, api_id, deployment_id)
    tx.clear(prefix, prefix + AFTER)


async def load_snapshot(
    tx: Transaction, scope: Scope, api_id: str, deployment_id: str
) -> Snapshot | None:
    """What a deployment copied, or None when it is not there."""
    most = SNAPSHOT_BYTES_MAX // SNAPSHOT_PIECE_BYTES + 1
    pieces = await SNAPSHOTS.scan(tx, scope, api_id, deployment_id, limit=most)
    if not pieces:
        return None
    return _read(b"".join(piece.content for piece in pieces))


async def load_served(
    tx: Transaction, scope: Scope, api_id: str
) -> tuple[Api, Sequence[tuple[Stage, Snapshot]]] | None:
    """The API and its stages that have a deployment; None when the API is not there."""
    api = await APIS.load(tx, scope, api_id)
    if api is None:
        return None
    found = []
    snapshots: dict[str, Snapshot | None] = {}
    for stage in await scan_stages(tx, scope, api_id):
        if stage.deployment_id is None:
            continue
        if stage.deployment_id not in snapshots:
            snapshots[stage.deployment_id] = await load_snapshot(
                tx, scope, api_id, stage.deployment_id
            )
        snapshot = snapshots[stage.deployment_id]
        if snapshot is not None:
            found.append((stage, snapshot))
    return api, found
