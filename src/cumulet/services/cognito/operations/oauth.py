"""Domains of pools, and resource servers with their scopes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.cognito import store
from cumulet.services.cognito.errors import (
    InvalidParameterException,
    LimitExceededException,
    ResourceNotFoundException,
)
from cumulet.services.cognito.limits import RESOURCE_SERVERS_MAX, SCOPES_PER_SERVER_MAX
from cumulet.services.cognito.model import Domain, Server
from cumulet.services.cognito.operations.pool import loaded, position
from cumulet.services.cognito.rules import permissions

_RESERVED = ("aws", "amazon", "cognito")


@operation("CreateUserPoolDomain", resource=permissions.pool, conditions=permissions.keys)
async def create_user_pool_domain(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Give a pool the prefix under which its pages and OAuth endpoints are."""
    pool = await loaded(ctx, request["UserPoolId"])
    name = request["Domain"]
    _check_domain(request)
    if any(word in name for word in _RESERVED):
        raise InvalidParameterException("Domain cannot contain reserved word: aws, amazon, cognito")
    version = request.get("ManagedLoginVersion", 1)
    domain = Domain(name, ctx.scope.account, ctx.scope.region, pool.id, version)
    await ctx.transact(_add_domain, domain)
    return {"ManagedLoginVersion": version}


def _check_domain(request: Mapping[str, Any]) -> None:
    if request.get("CustomDomainConfig"):
        raise InvalidParameterException("Custom domains are not supported here: a prefix only.")
    if request.get("Routing"):
        raise InvalidParameterException("Routing is not supported here.")
    if request.get("ManagedLoginVersion", 1) not in (1, 2):
        raise InvalidParameterException("ManagedLoginVersion must be 1 or 2.")


async def _add_domain(tx: Transaction, scope: Scope, domain: Domain) -> None:
    if await store.DOMAINS.load(tx, store.NOWHERE, domain.name) is not None:
        raise InvalidParameterException("Domain already associated with another user pool.")
    if await store.domain_of(tx, scope, domain.pool) is not None:
        raise InvalidParameterException(f"User pool {domain.pool} already has a domain configured.")
    await store.DOMAINS.save(tx, store.NOWHERE, domain)


# AWS asks for this permission on no particular pool.
@operation("DescribeUserPoolDomain", resource="*")
async def describe_user_pool_domain(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Show a domain; an empty description when nobody has it."""
    domain = await ctx.transact(_load_domain, request["Domain"])
    if domain is None or domain.account != ctx.scope.account:
        return {"DomainDescription": {}}
    return {
        "DomainDescription": {
            "UserPoolId": domain.pool,
            "AWSAccountId": domain.account,
            "Domain": domain.name,
            "Status": "ACTIVE",
            "CustomDomainConfig": {},
            "ManagedLoginVersion": domain.version,
        }
    }


async def _load_domain(tx: Transaction, scope: Scope, name: str) -> Domain | None:
    return await store.DOMAINS.load(tx, store.NOWHERE, name)


@operation("UpdateUserPoolDomain", resource=permissions.pool, conditions=permissions.keys)
async def update_user_pool_domain(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Change the version of a domain's pages."""
    pool = await loaded(ctx, request["UserPoolId"])
    _check_domain(request)
    domain = await _own_domain(ctx, pool.id, request["Domain"])
    version = request.get("ManagedLoginVersion", domain.version)
    await ctx.transact(_save_domain, msgspec.structs.replace(domain, version=version))
    return {"ManagedLoginVersion": version}


async def _save_domain(tx: Transaction, scope: Scope, domain: Domain) -> None:
    await store.DOMAINS.save(tx, store.NOWHERE, domain)


async def _own_domain(ctx: Context, pool: str, name: str) -> Domain:
    domain = await ctx.transact(_load_domain, name)
    if domain is None or domain.pool != pool:
        raise InvalidParameterException("No such domain or user pool exists.")
    return domain


@operation("DeleteUserPoolDomain", resource=permissions.pool, conditions=permissions.keys)
async def delete_user_pool_domain(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Take a pool's domain away."""
    pool = await loaded(ctx, request["UserPoolId"])
    domain = await _own_domain(ctx, pool.id, request["Domain"])
    await ctx.transact(_drop_domain, domain.name)
    return {}


async def _drop_domain(tx: Transaction, scope: Scope, name: str) -> None:
    await store.DOMAINS.drop(tx, store.NOWHERE, name)


@operation("CreateResourceServer", resource=permissions.pool, conditions=permissions.keys)
async def create_resource_server(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Make a resource server with its scopes."""
    server = await _read_server(ctx, request)
    await ctx.transact(_add_server, server)
    return {"ResourceServer": _server_view(server)}


async def _read_server(ctx: Context, request: Mapping[str, Any]) -> Server:
    pool = await loaded(ctx, request["UserPoolId"])
    scopes = request.get("Scopes", ())
    if len(scopes) > SCOPES_PER_SERVER_MAX:
        raise LimitExceededException("Maximum number of scopes has been reached.")
    return Server(
        pool.id,
        request["Identifier"],
        request["Name"],
        {one["ScopeName"]: one["ScopeDescription"] for one in scopes},
    )


async def _add_server(tx: Transaction, scope: Scope, server: Server) -> None:
    held = await store.SERVERS.scan(tx, scope, server.pool, limit=RESOURCE_SERVERS_MAX)
    if len(held) >= RESOURCE_SERVERS_MAX:
        raise LimitExceededException("Maximum number of resource servers has been reached.")
    if not await store.SERVERS.insert(tx, scope, server):
        raise InvalidParameterException(
            f"{server.identifier} already exists in user pool {server.pool}."
        )


def _server_view(server: Server) -> dict[str, Any]:
    return {
        "UserPoolId": server.pool,
        "Identifier": server.identifier,
        "Name": server.name,
        "Scopes": [
            {"ScopeName": name, "ScopeDescription": text} for name, text in server.scopes.items()
        ],
    }


@operation("DescribeResourceServer", resource=permissions.pool, conditions=permissions.keys)
async def describe_resource_server(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Show a resource server."""
    return {"ResourceServer": _server_view(await _server(ctx, request))}


async def _server(ctx: Context, request: Mapping[str, Any]) -> Server:
    await loaded(ctx, request["UserPoolId"])
    found = await ctx.transact(_load_server, request["UserPoolId"], request["Identifier"])
    if found is None:
        raise ResourceNotFoundException(f"Resource server {request['Identifier']} does not exist.")
    return found


async def _load_server(tx: Transaction, scope: Scope, pool: str, identifier: str) -> Server | None:
    return await store.SERVERS.load(tx, scope, pool, identifier)


@operation("UpdateResourceServer", resource=permissions.pool, conditions=permissions.keys)
async def update_resource_server(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Change the name and the scopes of a resource server."""
    await _server(ctx, request)
    server = await _read_server(ctx, request)
    await ctx.transact(_save_server, server)
    return {"ResourceServer": _server_view(server)}


async def _save_server(tx: Transaction, scope: Scope, server: Server) -> None:
    await store.SERVERS.save(tx, scope, server)


@operation("DeleteResourceServer", resource=permissions.pool, conditions=permissions.keys)
async def delete_resource_server(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Delete a resource server."""
    server = await _server(ctx, request)
    await ctx.transact(_drop_server, server)
    return {}


async def _drop_server(tx: Transaction, scope: Scope, server: Server) -> None:
    await store.SERVERS.drop(tx, scope, server.pool, server.identifier)


@operation("ListResourceServers", resource=permissions.pool, conditions=permissions.keys)
async def list_resource_servers(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the resource servers of a pool."""
    pool = await loaded(ctx, request["UserPoolId"])
    limit = request.get("MaxResults", RESOURCE_SERVERS_MAX)
    found = await ctx.transact(_page, pool.id, limit + 1, position(request.get("NextToken")))
    last = found[limit - 1] if len(found) > limit else None
    more = {"NextToken": make_token([last.pool, last.identifier])} if last is not None else {}
    return {"ResourceServers": [_server_view(one) for one in found[:limit]], **more}


async def _page(
    tx: Transaction, scope: Scope, pool: str, limit: int, after: tuple[Any, ...] | None
) -> list[Server]:
    return await store.SERVERS.scan(tx, scope, pool, limit=limit, after=after)
