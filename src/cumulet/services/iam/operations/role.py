"""Roles and whom they trust."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.clock import new_base32
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.iam import permissions, store
from cumulet.services.iam.describe import cut, describe_role, gather_page
from cumulet.services.iam.errors import (
    DeleteConflictException,
    EntityAlreadyExistsException,
    InvalidInputException,
    missing,
)
from cumulet.services.iam.model import Role
from cumulet.services.iam.policies.documents import (
    check_attachable,
    check_trust,
    check_trusted,
    read_tags,
)

_ROLE = permissions.existing("role")
_KEYS = permissions.entity_keys("role")
_SERVICE_PATH = "/aws-service-role/"


@operation("CreateRole", resource=permissions.new("role"), conditions=permissions.request_keys)
async def create_role(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Make a role."""
    path = request.get("Path") or "/"
    if path.startswith(_SERVICE_PATH):
        raise InvalidInputException(
            f"Path {path} is for roles that are linked to services, which Cumulet does not have."
        )
    trusted = check_trust(request["AssumeRolePolicyDocument"])
    role = Role(
        name=request["RoleName"],
        path=path,
        id="AROA" + new_base32(ctx.clock, 17),
        created=float(int(ctx.clock.now())),
        trust=request["AssumeRolePolicyDocument"],
        description=request.get("Description"),
        session_seconds_max=request.get("MaxSessionDuration", 3_600),
        boundary=request.get("PermissionsBoundary", ""),
        tags=read_tags(request.get("Tags", [])),
    )
    if not await ctx.transact(_insert, role, trusted):
        raise EntityAlreadyExistsException(f"Role with name {role.name} already exists.")
    return {"Role": describe_role(ctx.scope.account, role)}


async def _insert(tx: Transaction, scope: Scope, role: Role, trusted: tuple[str, ...]) -> bool:
    if role.boundary:
        await check_attachable(tx, scope, role.boundary)
    await check_trusted(tx, trusted)
    return await store.ROLES.insert(tx, scope, role)


@operation("GetRole", resource=_ROLE, conditions=_KEYS)
async def get_role(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Tell about a role."""
    role = await ctx.transact(store.load_role, request["RoleName"])
    if role is None:
        raise missing("role", request["RoleName"])
    return {"Role": describe_role(ctx.scope.account, role)}


@operation("ListRoles", resource=permissions.listed("role"))
async def list_roles(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the roles whose paths begin with a prefix."""
    roles = await ctx.transact(_page, request)
    return cut(
        "Roles",
        roles,
        request,
        lambda role: role.key,
        lambda role: describe_role(ctx.scope.account, role, whole=False),
    )


async def _page(tx: Transaction, scope: Scope, request: Mapping[str, Any]) -> list[Role]:
    under = request.get("PathPrefix") or "/"
    return await gather_page(
        request,
        lambda after, limit: store.ROLES.scan(tx, scope, limit=limit, after=after),
        lambda role: role.key,
        lambda role: role.path.startswith(under),
    )


@operation("UpdateRole", resource=_ROLE, conditions=_KEYS)
async def update_role(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Change the description and the longest session of a role."""

    def change(role: Role) -> Role:
        return msgspec.structs.replace(
            role,
            description=request.get("Description", role.description),
            session_seconds_max=request.get("MaxSessionDuration", role.session_seconds_max),
        )

    if await ctx.transact(store.change_entity, "role", request["RoleName"], change) is None:
        raise missing("role", request["RoleName"])
    return {}


@operation("UpdateRoleDescription", resource=_ROLE, conditions=_KEYS)
async def update_role_description(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Change the description of a role."""
    description = request["Description"]
    role = await ctx.transact(
        store.change_entity,
        "role",
        request["RoleName"],
        lambda role: msgspec.structs.replace(role, description=description),
    )
    if role is None:
        raise missing("role", request["RoleName"])
    return {"Role": describe_role(ctx.scope.account, role)}


@operation("UpdateAssumeRolePolicy", resource=_ROLE, conditions=_KEYS)
async def update_assume_role_policy(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Change whom a role trusts."""
    trusted = check_trust(request["PolicyDocument"])
    await ctx.transact(_trust, request["RoleName"], request["PolicyDocument"], trusted)
    return {}


async def _trust(
    tx: Transaction, scope: Scope, name: str, text: str, trusted: tuple[str, ...]
) -> None:
    await check_trusted(tx, trusted)
    changed = await store.change_entity(
        tx, scope, "role", name, lambda role: msgspec.structs.replace(role, trust=text)
    )
    if changed is None:
        raise missing("role", name)


@operation("DeleteRole", resource=_ROLE, conditions=_KEYS)
async def delete_role(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Remove a role that has no policies left."""
    await ctx.transact(_remove, request["RoleName"])
    return {}


async def _remove(tx: Transaction, scope: Scope, name: str) -> None:
    role = await store.load_role(tx, scope, name)
    if role is None:
        raise missing("role", name)
    if role.attached:
        raise DeleteConflictException("Cannot delete entity, must detach all policies first.")
    if role.inline:
        raise DeleteConflictException("Cannot delete entity, must delete policies first.")
    await store.ROLES.drop(tx, scope, role.key)


@operation("ListInstanceProfilesForRole", resource=_ROLE)
async def list_instance_profiles_for_role(
    ctx: Context, request: Mapping[str, Any]
) -> dict[str, Any]:
    """List the instance profiles with a role: there are no instances here, so there are none."""
    if await ctx.transact(store.load_role, request["RoleName"]) is None:
        raise missing("role", request["RoleName"])
    return {"InstanceProfiles": [], "IsTruncated": False}
