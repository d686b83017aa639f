"""Identity pools: made, changed, listed, deleted, tagged, and given roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context
from cumulet.core.identity import Scope, parse_arn
from cumulet.kit.pages import make_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.cognito import store
from cumulet.services.cognito.errors import (
    InvalidParameterException,
    ResourceNotFoundException,
)
from cumulet.services.cognito.identity.model import (
    IDENTITIES,
    POOLS,
    IdentityPool,
    identity_pool_arn,
)
from cumulet.services.cognito.limits import ROLE_RULES_MAX, SWEEP_ROWS
from cumulet.services.cognito.model import Home
from cumulet.services.cognito.operations.pool import position

_KEPT = (
    *("AllowUnauthenticatedIdentities", "AllowClassicFlow", "DeveloperProviderName"),
    "CognitoIdentityProviders",
)
_REFUSED = ("SupportedLoginProviders", "OpenIdConnectProviderARNs", "SamlProviderARNs")


def one(ctx: Context, request: Mapping[str, Any]) -> str:
    """The identity pool that a request names."""
    return identity_pool_arn(ctx.scope, request["IdentityPoolId"])


def _tagged(ctx: Context, request: Mapping[str, Any]) -> str:
    found: str = request["ResourceArn"]
    return found


def _settings(request: Mapping[str, Any]) -> dict[str, Any]:
    for name in _REFUSED:
        if request.get(name):
            raise InvalidParameterException(f"{name} is not supported here: user pools only.")
    providers = request.get("CognitoIdentityProviders", ())
    for provider in providers:
        if not provider.get("ProviderName") or not provider.get("ClientId"):
            raise InvalidParameterException("A Cognito provider needs ProviderName and ClientId.")
    return {name: request[name] for name in _KEPT if name in request}


@operation("CreateIdentityPool", resource="*")
async def create_identity_pool(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Make an identity pool."""
    pool = IdentityPool(
        id=f"{ctx.scope.region}:{new_uuid(ctx.clock)}",
        name=request["IdentityPoolName"],
        settings=_settings(request),
        tags=dict(request.get("IdentityPoolTags", {})),
    )
    await ctx.transact(_found, pool)
    return view(pool)


async def _found(tx: Transaction, scope: Scope, pool: IdentityPool) -> None:
    await POOLS.save(tx, scope, pool)
    home = Home(pool.id, scope.account, scope.region, pool.id)
    await store.HOMES.save(tx, store.NOWHERE, home)


def view(pool: IdentityPool) -> dict[str, Any]:
    """An identity pool as DescribeIdentityPool shows it."""
    return {
        **pool.settings,
        "IdentityPoolId": pool.id,
        "IdentityPoolName": pool.name,
        "IdentityPoolTags": pool.tags,
    }


async def load(tx: Transaction, scope: Scope, id: str) -> IdentityPool:
    """The pool. Raises ResourceNotFoundException."""
    pool = await POOLS.load(tx, scope, id)
    if pool is None:
        raise ResourceNotFoundException(f"IdentityPool '{id}' not found.")
    return pool


@operation("DescribeIdentityPool", resource=one)
async def describe_identity_pool(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Show an identity pool."""
    return view(await ctx.transact(load, request["IdentityPoolId"]))


@operation("UpdateIdentityPool", resource=one)
async def update_identity_pool(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Change an identity pool: what is not given is taken away."""
    changed = await ctx.transact(
        _update,
        request["IdentityPoolId"],
        request["IdentityPoolName"],
        _settings(request),
        request.get("IdentityPoolTags"),
    )
    return view(changed)


async def _update(
    tx: Transaction,
    scope: Scope,
    id: str,
    name: str,
    settings: dict[str, Any],
    tags: dict[str, str] | None,
) -> IdentityPool:
    pool = await load(tx, scope, id)
    developers = pool.settings.get("DeveloperProviderName")
    if developers and settings.get("DeveloperProviderName") != developers:
        raise InvalidParameterException("DeveloperProviderName cannot be changed once it is set.")
    changed = msgspec.structs.replace(
        pool, name=name, settings=settings, tags=pool.tags if tags is None else tags
    )
    await POOLS.save(tx, scope, changed)
    return changed


@operation("DeleteIdentityPool", resource=one)
async def delete_identity_pool(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Delete an identity pool with its identities."""
    id = request["IdentityPoolId"]
    await ctx.transact(_close, id)
    while await ctx.transact(_clear, id):
        pass
    return {}


async def _close(tx: Transaction, scope: Scope, id: str) -> None:
    await load(tx, scope, id)
    await POOLS.drop(tx, scope, id)
    await store.HOMES.drop(tx, store.NOWHERE, id)


async def _clear(tx: Transaction, scope: Scope, id: str) -> bool:
    found = await IDENTITIES.lookup(tx, store.NOWHERE, "pool", id, limit=SWEEP_ROWS)
    for identity in found:
        await IDENTITIES.drop(tx, store.NOWHERE, identity.id)
    return bool(found)


@operation("ListIdentityPools", resource="*")
async def list_identity_pools(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the identity pools of the account and region."""
    limit = request["MaxResults"]
    found = await ctx.transact(_page, limit + 1, position(request.get("NextToken")))
    shown = [{"IdentityPoolId": pool.id, "IdentityPoolName": pool.name} for pool in found[:limit]]
    more = {"NextToken": make_token([found[limit - 1].id])} if len(found) > limit else {}
    return {"IdentityPools": shown, **more}


async def _page(
    tx: Transaction, scope: Scope, limit: int, after: tuple[Any, ...] | None
) -> list[IdentityPool]:
    return await POOLS.scan(tx, scope, limit=limit, after=after)


@operation("SetIdentityPoolRoles", resource=one)
async def set_identity_pool_roles(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Say which roles identities get, and by which rules."""
    roles, mappings = dict(request["Roles"]), dict(request.get("RoleMappings", {}))
    named = [*roles.values()]
    for kind in roles:
        if kind not in ("authenticated", "unauthenticated"):
            raise InvalidParameterException(f"Invalid role type: {kind}.")
    for mapping in mappings.values():
        rules = mapping.get("RulesConfiguration", {}).get("Rules", ())
        if mapping["Type"] == "Rules" and not 1 <= len(rules) <= ROLE_RULES_MAX:
            raise InvalidParameterException(f"Rules must be 1 to {ROLE_RULES_MAX}.")
        if "AmbiguousRoleResolution" not in mapping:
            raise InvalidParameterException("AmbiguousRoleResolution is required.")
        named += [rule["RoleARN"] for rule in rules]
    for role in named:
        parsed = parse_arn(role)
        if parsed is None or parsed.service != "iam" or not parsed.resource.startswith("role/"):
            raise InvalidParameterException(f"{role} is not the ARN of a role.")
    for role in dict.fromkeys(named):
        service = "cognito-identity.amazonaws.com"
        await ctx.authorize("iam:PassRole", role, iam_PassedToService=service)
    await ctx.transact(_set_roles, request["IdentityPoolId"], roles, mappings)
    return {}


async def _set_roles(
    tx: Transaction, scope: Scope, id: str, roles: dict[str, str], mappings: dict[str, Any]
) -> None:
    pool = await load(tx, scope, id)
    await POOLS.save(tx, scope, msgspec.structs.replace(pool, roles=roles, mappings=mappings))


@operation("GetIdentityPoolRoles", resource=one)
async def get_identity_pool_roles(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Show which roles identities get."""
    pool = await ctx.transact(load, request["IdentityPoolId"])
    shown: dict[str, Any] = {"IdentityPoolId": pool.id, "Roles": pool.roles}
    if pool.mappings:
        shown["RoleMappings"] = pool.mappings
    return shown


@operation("TagResource", resource=_tagged)
async def tag_resource(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Put tags on an identity pool."""
    await ctx.transact(_tag, request["ResourceArn"], dict(request["Tags"]), ())
    return {}


@operation("UntagResource", resource=_tagged)
async def untag_resource(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Take tags from an identity pool."""
    await ctx.transact(_tag, request["ResourceArn"], {}, tuple(request["TagKeys"]))
    return {}


@operation("ListTagsForResource", resource=_tagged)
async def list_tags_for_resource(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Show an identity pool's tags."""
    return {"Tags": await ctx.transact(_tag, request["ResourceArn"], {}, ())}


async def _tag(
    tx: Transaction, scope: Scope, arn: str, given: dict[str, str], gone: tuple[str, ...]
) -> dict[str, str]:
    pool = await load(tx, scope, arn.rpartition("/")[2])
    tags = {name: value for name, value in {**pool.tags, **given}.items() if name not in gone}
    if given or gone:
        await POOLS.save(tx, scope, msgspec.structs.replace(pool, tags=tags))
    return tags
