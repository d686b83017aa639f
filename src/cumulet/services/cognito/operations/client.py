"""App clients: made, changed, listed, deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token
from cumulet.kit.ports import Sealer
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.cognito import store
from cumulet.services.cognito.errors import (
    InvalidParameterException,
    LimitExceededException,
    ResourceNotFoundException,
)
from cumulet.services.cognito.flow.place import SECRET_PURPOSE
from cumulet.services.cognito.limits import (
    CLIENTS_PER_POOL_MAX,
    PAGE_LIST_MAX,
    RESOURCE_SERVERS_MAX,
)
from cumulet.services.cognito.model import Client, Pool, new_code
from cumulet.services.cognito.operations.pool import loaded, position
from cumulet.services.cognito.rules import permissions
from cumulet.services.cognito.rules.clients import client_view, read_client

_ID_LETTERS = 26
_SECRET_LETTERS = 51


@operation("CreateUserPoolClient", resource=permissions.pool, conditions=permissions.keys)
async def create_user_pool_client(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Make an app client, with a secret when asked."""
    pool = await loaded(ctx, request["UserPoolId"])
    has_secret = bool(request.get("GenerateSecret") or request.get("ClientSecret"))
    if request.get("GenerateSecret") and request.get("ClientSecret"):
        raise InvalidParameterException("GenerateSecret and ClientSecret cannot be used together.")
    settings = read_client(request, pool.schema, await _scopes(ctx, pool), has_secret)
    now, clock = ctx.clock.now(), ctx.clock
    secret = request.get("ClientSecret") or (
        new_code(clock, _SECRET_LETTERS).lower() if has_secret else ""
    )
    client = Client(
        id=new_code(clock, _ID_LETTERS).lower(),
        pool=pool.id,
        name=request["ClientName"],
        settings=settings,
        created=now,
        modified=now,
        secret=_sealer(ctx).seal(secret.encode(), SECRET_PURPOSE) if secret else b"",
    )
    await ctx.transact(_add, client)
    return {"UserPoolClient": client_view(client, secret)}


async def _add(tx: Transaction, scope: Scope, client: Client) -> None:
    held = await store.CLIENTS.scan(tx, scope, client.pool, limit=CLIENTS_PER_POOL_MAX)
    if len(held) >= CLIENTS_PER_POOL_MAX:
        raise LimitExceededException("Maximum number of clients has been reached.")
    await store.save_client(tx, scope, client)


def _sealer(ctx: Context) -> Sealer:
    return ctx.need(Sealer)


async def _scopes(ctx: Context, pool: Pool) -> list[str]:
    return await ctx.transact(_scopes_of, pool.id)


async def _scopes_of(tx: Transaction, scope: Scope, pool: str) -> list[str]:
    servers = await store.SERVERS.scan(tx, scope, pool, limit=RESOURCE_SERVERS_MAX)
    return [f"{one.identifier}/{name}" for one in servers for name in one.scopes]


async def _client(ctx: Context, request: Mapping[str, Any]) -> Client:
    await loaded(ctx, request["UserPoolId"])
    found = await ctx.transact(store.load_client, request["UserPoolId"], request["ClientId"])
    if found is None:
        raise ResourceNotFoundException(f"User pool client {request['ClientId']} does not exist.")
    return found


def _shown(ctx: Context, client: Client) -> dict[str, Any]:
    secret = _sealer(ctx).unseal(client.secret, SECRET_PURPOSE).decode() if client.secret else ""
    return client_view(client, secret)


@operation("DescribeUserPoolClient", resource=permissions.pool, conditions=permissions.keys)
async def describe_user_pool_client(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Show an app client with its secret."""
    return {"UserPoolClient": _shown(ctx, await _client(ctx, request))}


@operation("UpdateUserPoolClient", resource=permissions.pool, conditions=permissions.keys)
async def update_user_pool_client(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Change an app client: what is not given goes back to its default."""
    client = await _client(ctx, request)
    pool = await loaded(ctx, request["UserPoolId"])
    settings = read_client(request, pool.schema, await _scopes(ctx, pool), bool(client.secret))
    changed = msgspec.structs.replace(
        client,
        settings=settings,
        name=request.get("ClientName", client.name),
        modified=ctx.clock.now(),
    )
    await ctx.transact(store.save_client, changed)
    return {"UserPoolClient": _shown(ctx, changed)}


@operation("DeleteUserPoolClient", resource=permissions.pool, conditions=permissions.keys)
async def delete_user_pool_client(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Delete an app client; its tokens are good for nothing but until they expire elsewhere."""
    client = await _client(ctx, request)
    await ctx.transact(store.drop_client, client.pool, client.id)
    return {}


@operation("ListUserPoolClients", resource=permissions.pool, conditions=permissions.keys)
async def list_user_pool_clients(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the app clients of a pool."""
    pool = await loaded(ctx, request["UserPoolId"])
    limit = request.get("MaxResults", PAGE_LIST_MAX)
    after = position(request.get("NextToken"))
    found = await ctx.transact(_page, pool.id, limit + 1, after)
    shown = [
        {"ClientId": one.id, "UserPoolId": one.pool, "ClientName": one.name}
        for one in found[:limit]
    ]
    last = found[limit - 1] if len(found) > limit else None
    more = {"NextToken": make_token([last.pool, last.id])} if last is not None else {}
    return {"UserPoolClients": shown, **more}


async def _page(
    tx: Transaction, scope: Scope, pool: str, limit: int, after: tuple[Any, ...] | None
) -> list[Client]:
    return await store.CLIENTS.scan(tx, scope, pool, limit=limit, after=after)
