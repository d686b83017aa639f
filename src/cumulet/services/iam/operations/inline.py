"""Policies that live inside a user, a group or a role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.policy import size_of_document
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.iam import store
from cumulet.services.iam.describe import encoded, page
from cumulet.services.iam.errors import LimitExceededException, NoSuchEntityException, missing
from cumulet.services.iam.limits import (
    GROUP_POLICIES_SIZE_MAX,
    ROLE_POLICIES_SIZE_MAX,
    USER_POLICIES_SIZE_MAX,
)
from cumulet.services.iam.model import Entity
from cumulet.services.iam.permissions import name_of, permission
from cumulet.services.iam.policies.documents import check_policy
from cumulet.services.iam.store import EntityKind

_SIZES: Mapping[EntityKind, int] = {
    "user": USER_POLICIES_SIZE_MAX,
    "group": GROUP_POLICIES_SIZE_MAX,
    "role": ROLE_POLICIES_SIZE_MAX,
}


async def _put(ctx: Context, request: Mapping[str, Any], kind: EntityKind) -> dict[str, Any]:
    name, text = name_of(request, kind), request["PolicyDocument"]
    check_policy(text, "inline")

    def change(entity: Entity) -> Entity:
        inline = {**entity.inline, request["PolicyName"]: text}
        if sum(map(size_of_document, inline.values())) > _SIZES[kind]:
            raise LimitExceededException(
                f"Maximum policy size of {_SIZES[kind]} bytes exceeded for {kind} {entity.name}"
            )
        return msgspec.structs.replace(entity, inline=inline)

    if await ctx.transact(store.change_entity, kind, name, change) is None:
        raise missing(kind, name)
    return {}


async def _get(ctx: Context, request: Mapping[str, Any], kind: EntityKind) -> dict[str, Any]:
    entity = await ctx.transact(_load, kind, name_of(request, kind))
    name = request["PolicyName"]
    if name not in entity.inline:
        raise _no_policy(kind, name)
    return {
        f"{kind.capitalize()}Name": entity.name,
        "PolicyName": name,
        "PolicyDocument": encoded(entity.inline[name]),
    }


async def _list(ctx: Context, request: Mapping[str, Any], kind: EntityKind) -> dict[str, Any]:
    entity = await ctx.transact(_load, kind, name_of(request, kind))
    return page("PolicyNames", entity.inline, request)


async def _delete(ctx: Context, request: Mapping[str, Any], kind: EntityKind) -> dict[str, Any]:
    name, policy = name_of(request, kind), request["PolicyName"]

    def change(entity: Entity) -> Entity:
        if policy not in entity.inline:
            raise _no_policy(kind, policy)
        kept = {key: text for key, text in entity.inline.items() if key != policy}
        return msgspec.structs.replace(entity, inline=kept)

    if await ctx.transact(store.change_entity, kind, name, change) is None:
        raise missing(kind, name)
    return {}


async def _load(tx: Transaction, scope: Scope, kind: EntityKind, name: str) -> Entity:
    entity = await store.load_entity(tx, scope, kind, name)
    if entity is None:
        raise missing(kind, name)
    return entity


def _no_policy(kind: EntityKind, name: str) -> NoSuchEntityException:
    return NoSuchEntityException(f"The {kind} policy with name {name} cannot be found.")


@operation("PutUserPolicy", **permission("user"))
async def put_user_policy(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Write a policy into a user."""
    return await _put(ctx, request, "user")


@operation("GetUserPolicy", **permission("user"))
async def get_user_policy(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Tell a policy of a user."""
    return await _get(ctx, request, "user")


@operation("ListUserPolicies", **permission("user"))
async def list_user_policies(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the policies inside a user."""
    return await _list(ctx, request, "user")


@operation("DeleteUserPolicy", **permission("user"))
async def delete_user_policy(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Remove a policy from a user."""
    return await _delete(ctx, request, "user")


@operation("PutGroupPolicy", **permission("group"))
async def put_group_policy(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Write a policy into a group."""
    return await _put(ctx, request, "group")


@operation("GetGroupPolicy", **permission("group"))
async def get_group_policy(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Tell a policy of a group."""
    return await _get(ctx, request, "group")


@operation("ListGroupPolicies", **permission("group"))
async def list_group_policies(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the policies inside a group."""
    return await _list(ctx, request, "group")


@operation("DeleteGroupPolicy", **permission("group"))
async def delete_group_policy(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Remove a policy from a group."""
    return await _delete(ctx, request, "group")


@operation("PutRolePolicy", **permission("role"))
async def put_role_policy(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Write a policy into a role."""
    return await _put(ctx, request, "role")


@operation("GetRolePolicy", **permission("role"))
async def get_role_policy(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Tell a policy of a role."""
    return await _get(ctx, request, "role")


@operation("ListRolePolicies", **permission("role"))
async def list_role_policies(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the policies inside a role."""
    return await _list(ctx, request, "role")


@operation("DeleteRolePolicy", **permission("role"))
async def delete_role_policy(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Remove a policy from a role."""
    return await _delete(ctx, request, "role")
