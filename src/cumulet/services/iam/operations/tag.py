"""Tags of users, roles and managed policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.iam import permissions, store
from cumulet.services.iam.describe import page, tag_list
from cumulet.services.iam.errors import missing
from cumulet.services.iam.model import ManagedPolicy
from cumulet.services.iam.operations.policy import check_own, no_policy
from cumulet.services.iam.operations.provider import load_provider
from cumulet.services.iam.permissions import name_of, permission
from cumulet.services.iam.policies.documents import read_tags
from cumulet.services.iam.store import EntityKind

_POLICY: dict[str, Any] = {
    "resource": permissions.policy_named,
    "conditions": permissions.policy_keys,
}
_PROVIDER: dict[str, Any] = {
    "resource": permissions.provider_named,
    "conditions": permissions.request_keys,
}


def _apply(request: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, str]:
    if "Tags" in request:
        return read_tags(request["Tags"], tags)
    gone = {name.lower() for name in request["TagKeys"]}
    return {name: value for name, value in tags.items() if name.lower() not in gone}


def _listed(tags: Mapping[str, str], request: Mapping[str, Any]) -> dict[str, Any]:
    return page("Tags", tag_list(tags), request, lambda tag: tag["Key"])


async def _change_entity(
    ctx: Context, request: Mapping[str, Any], kind: EntityKind
) -> dict[str, Any]:
    changed = await ctx.transact(
        store.change_entity,
        kind,
        name_of(request, kind),
        lambda entity: msgspec.structs.replace(entity, tags=_apply(request, entity.tags)),
    )
    if changed is None:
        raise missing(kind, name_of(request, kind))
    return {}


async def _list_entity(
    ctx: Context, request: Mapping[str, Any], kind: EntityKind
) -> dict[str, Any]:
    entity: Any = await ctx.transact(store.load_entity, kind, name_of(request, kind))
    if entity is None:
        raise missing(kind, name_of(request, kind))
    return _listed(entity.tags, request)


@operation("TagUser", **permission("user"))
async def tag_user(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Give a user tags."""
    return await _change_entity(ctx, request, "user")


@operation("UntagUser", **permission("user"))
async def untag_user(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Take tags from a user."""
    return await _change_entity(ctx, request, "user")


@operation("ListUserTags", **permission("user"))
async def list_user_tags(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the tags of a user."""
    return await _list_entity(ctx, request, "user")


@operation("TagRole", **permission("role"))
async def tag_role(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Give a role tags."""
    return await _change_entity(ctx, request, "role")


@operation("UntagRole", **permission("role"))
async def untag_role(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Take tags from a role."""
    return await _change_entity(ctx, request, "role")


@operation("ListRoleTags", **permission("role"))
async def list_role_tags(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the tags of a role."""
    return await _list_entity(ctx, request, "role")


async def _load_policy(tx: Transaction, scope: Scope, arn: str) -> ManagedPolicy:
    policy = await store.load_policy(tx, scope, arn)
    if policy is None:
        raise no_policy(arn)
    return policy


async def _change_policy(tx: Transaction, scope: Scope, request: Mapping[str, Any]) -> None:
    policy = await _load_policy(tx, scope, request["PolicyArn"])
    changed = msgspec.structs.replace(policy, tags=_apply(request, policy.tags))
    await store.POLICIES.save(tx, scope, changed)


@operation("TagPolicy", **_POLICY)
async def tag_policy(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Give a managed policy tags."""
    check_own(request["PolicyArn"])
    await ctx.transact(_change_policy, request)
    return {}


@operation("UntagPolicy", **_POLICY)
async def untag_policy(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Take tags from a managed policy."""
    check_own(request["PolicyArn"])
    await ctx.transact(_change_policy, request)
    return {}


@operation("ListPolicyTags", **_POLICY)
async def list_policy_tags(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the tags of a managed policy."""
    policy = await ctx.transact(_load_policy, request["PolicyArn"])
    return _listed(policy.tags, request)


async def _change_provider(tx: Transaction, scope: Scope, request: Mapping[str, Any]) -> None:
    provider = await load_provider(tx, scope, request["OpenIDConnectProviderArn"])
    changed = msgspec.structs.replace(provider, tags=_apply(request, provider.tags))
    await store.PROVIDERS.save(tx, scope, changed)


@operation("TagOpenIDConnectProvider", **_PROVIDER)
async def tag_open_id_connect_provider(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Give a provider tags."""
    await ctx.transact(_change_provider, request)
    return {}


@operation("UntagOpenIDConnectProvider", **_PROVIDER)
async def untag_open_id_connect_provider(
    ctx: Context, request: Mapping[str, Any]
) -> dict[str, Any]:
    """Take tags from a provider."""
    await ctx.transact(_change_provider, request)
    return {}


@operation("ListOpenIDConnectProviderTags", **_PROVIDER)
async def list_open_id_connect_provider_tags(
    ctx: Context, request: Mapping[str, Any]
) -> dict[str, Any]:
    """List the tags of a provider."""
    provider = await ctx.transact(load_provider, request["OpenIDConnectProviderArn"])
    return _listed(provider.tags, request)
