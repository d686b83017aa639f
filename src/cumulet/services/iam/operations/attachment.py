"""Managed policies attached to users, groups and roles, and permissions boundaries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.iam import store
from cumulet.services.iam.describe import attached_list
from cumulet.services.iam.errors import LimitExceededException, NoSuchEntityException, missing
from cumulet.services.iam.limits import ATTACHED_POLICIES_MAX
from cumulet.services.iam.model import Entity, Role, User
from cumulet.services.iam.permissions import name_of, permission
from cumulet.services.iam.policies.documents import check_attachable
from cumulet.services.iam.store import EntityKind


async def _attach(ctx: Context, request: Mapping[str, Any], kind: EntityKind) -> dict[str, Any]:
    await ctx.transact(_add, kind, name_of(request, kind), request["PolicyArn"])
    return {}


async def _add(tx: Transaction, scope: Scope, kind: EntityKind, name: str, arn: str) -> None:
    def change(entity: Entity) -> Entity:
        if arn in entity.attached:
            return entity
        if len(entity.attached) >= ATTACHED_POLICIES_MAX:
            raise LimitExceededException(
                f"Cannot exceed quota for PoliciesPer{kind.capitalize()}: {ATTACHED_POLICIES_MAX}"
            )
        return msgspec.structs.replace(entity, attached=(*entity.attached, arn))

    if await store.load_entity(tx, scope, kind, name) is None:
        raise missing(kind, name)
    await check_attachable(tx, scope, arn)
    await store.change_entity(tx, scope, kind, name, change)


async def _detach(ctx: Context, request: Mapping[str, Any], kind: EntityKind) -> dict[str, Any]:
    name, arn = name_of(request, kind), request["PolicyArn"]

    def change(entity: Entity) -> Entity:
        if arn not in entity.attached:
            raise NoSuchEntityException(f"Policy {arn} was not found.")
        kept = tuple(one for one in entity.attached if one != arn)
        return msgspec.structs.replace(entity, attached=kept)

    if await ctx.transact(store.change_entity, kind, name, change) is None:
        raise missing(kind, name)
    return {}


async def _list(ctx: Context, request: Mapping[str, Any], kind: EntityKind) -> dict[str, Any]:
    name = name_of(request, kind)
    entity = await ctx.transact(store.load_entity, kind, name)
    if entity is None:
        raise missing(kind, name)
    return attached_list(entity.attached, request)


async def _bound(tx: Transaction, scope: Scope, kind: EntityKind, name: str, arn: str) -> None:
    def change(entity: User | Role) -> User | Role:
        if not arn and not entity.boundary:
            raise NoSuchEntityException(
                f"{kind.capitalize()} {entity.name} does not have a permissions boundary."
            )
        return msgspec.structs.replace(entity, boundary=arn)

    if await store.load_entity(tx, scope, kind, name) is None:
        raise missing(kind, name)
    if arn:
        await check_attachable(tx, scope, arn)
    await store.change_entity(tx, scope, kind, name, change)


async def _put_boundary(
    ctx: Context, request: Mapping[str, Any], kind: EntityKind
) -> dict[str, Any]:
    await ctx.transact(_bound, kind, name_of(request, kind), request["PermissionsBoundary"])
    return {}


async def _delete_boundary(
    ctx: Context, request: Mapping[str, Any], kind: EntityKind
) -> dict[str, Any]:
    await ctx.transact(_bound, kind, name_of(request, kind), "")
    return {}


@operation("AttachUserPolicy", **permission("user"))
async def attach_user_policy(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Attach a managed policy to a user; once more is no error."""
    return await _attach(ctx, request, "user")


@operation("DetachUserPolicy", **permission("user"))
async def detach_user_policy(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Detach a managed policy from a user."""
    return await _detach(ctx, request, "user")


@operation("ListAttachedUserPolicies", **permission("user"))
async def list_attached_user_policies(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the managed policies of a user."""
    return await _list(ctx, request, "user")


@operation("AttachGroupPolicy", **permission("group"))
async def attach_group_policy(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Attach a managed policy to a group; once more is no error."""
    return await _attach(ctx, request, "group")


@operation("DetachGroupPolicy", **permission("group"))
async def detach_group_policy(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Detach a managed policy from a group."""
    return await _detach(ctx, request, "group")


@operation("ListAttachedGroupPolicies", **permission("group"))
async def list_attached_group_policies(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the managed policies of a group."""
    return await _list(ctx, request, "group")


@operation("AttachRolePolicy", **permission("role"))
async def attach_role_policy(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Attach a managed policy to a role; once more is no error."""
    return await _attach(ctx, request, "role")


@operation("DetachRolePolicy", **permission("role"))
async def detach_role_policy(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Detach a managed policy from a role."""
    return await _detach(ctx, request, "role")


@operation("ListAttachedRolePolicies", **permission("role"))
async def list_attached_role_policies(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the managed policies of a role."""
    return await _list(ctx, request, "role")


@operation("PutUserPermissionsBoundary", **permission("user"))
async def put_user_permissions_boundary(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Set what the permissions of a user may not go beyond."""
    return await _put_boundary(ctx, request, "user")


@operation("DeleteUserPermissionsBoundary", **permission("user"))
async def delete_user_permissions_boundary(
    ctx: Context, request: Mapping[str, Any]
) -> dict[str, Any]:
    """Take the boundary from a user."""
    return await _delete_boundary(ctx, request, "user")


@operation("PutRolePermissionsBoundary", **permission("role"))
async def put_role_permissions_boundary(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Set what the permissions of a role may not go beyond."""
    return await _put_boundary(ctx, request, "role")


@operation("DeleteRolePermissionsBoundary", **permission("role"))
async def delete_role_permissions_boundary(
    ctx: Context, request: Mapping[str, Any]
) -> dict[str, Any]:
    """Take the boundary from a role."""
    return await _delete_boundary(ctx, request, "role")
