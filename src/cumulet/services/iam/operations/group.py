"""Groups and who is in them."""

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
from cumulet.services.iam.describe import cut, describe_group, describe_user, gather_page, page
from cumulet.services.iam.errors import (
    DeleteConflictException,
    EntityAlreadyExistsException,
    LimitExceededException,
    missing,
)
from cumulet.services.iam.limits import GROUPS_PER_USER_MAX
from cumulet.services.iam.model import Group, User

_GROUP = permissions.existing("group")


@operation("CreateGroup", resource=permissions.new("group"))
async def create_group(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Make a group."""
    group = Group(
        name=request["GroupName"],
        path=request.get("Path") or "/",
        id="AGPA" + new_base32(ctx.clock, 17),
        created=float(int(ctx.clock.now())),
    )
    if not await ctx.transact(store.GROUPS.insert, group):
        raise EntityAlreadyExistsException(f"Group with name {group.name} already exists.")
    return {"Group": describe_group(ctx.scope.account, group)}


@operation("GetGroup", resource=_GROUP)
async def get_group(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Tell about a group and its users."""
    account = ctx.scope.account
    group, users = await ctx.transact(_with_members, request["GroupName"])
    found = page(
        "Users",
        [describe_user(account, user, whole=False) for user in users],
        request,
        lambda user: user["UserName"].lower(),
    )
    return {"Group": describe_group(account, group), **found}


async def _with_members(tx: Transaction, scope: Scope, name: str) -> tuple[Group, list[User]]:
    group = await store.load_group(tx, scope, name)
    if group is None:
        raise missing("group", name)
    return group, await store.members_of(tx, scope, group.key)


@operation("ListGroups", resource=permissions.listed("group"))
async def list_groups(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the groups whose paths begin with a prefix."""
    groups = await ctx.transact(_page, request)
    return cut(
        "Groups",
        groups,
        request,
        lambda group: group.key,
        lambda group: describe_group(ctx.scope.account, group),
    )


async def _page(tx: Transaction, scope: Scope, request: Mapping[str, Any]) -> list[Group]:
    under = request.get("PathPrefix") or "/"
    return await gather_page(
        request,
        lambda after, limit: store.GROUPS.scan(tx, scope, limit=limit, after=after),
        lambda group: group.key,
        lambda group: group.path.startswith(under),
    )


@operation("ListGroupsForUser", resource=permissions.existing("user"))
async def list_groups_for_user(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the groups that a user is in."""
    groups = await ctx.transact(_groups_of, request["UserName"])
    return page(
        "Groups",
        [describe_group(ctx.scope.account, group) for group in groups],
        request,
        lambda group: group["GroupName"].lower(),
    )


async def _groups_of(tx: Transaction, scope: Scope, name: str) -> list[Group]:
    user = await store.load_user(tx, scope, name)
    if user is None:
        raise missing("user", name)
    groups = [await store.GROUPS.load(tx, scope, key) for key in user.groups]
    return [group for group in groups if group is not None]


@operation("UpdateGroup", resource=_GROUP)
async def update_group(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Give a group another name or path."""
    await ctx.transact(_rename, request)
    return {}


async def _rename(tx: Transaction, scope: Scope, request: Mapping[str, Any]) -> None:
    old = await store.load_group(tx, scope, request["GroupName"])
    if old is None:
        raise missing("group", request["GroupName"])
    name = request.get("NewGroupName", old.name)
    new = msgspec.structs.replace(old, name=name, path=request.get("NewPath", old.path))
    if not await store.rename_group(tx, scope, old, new):
        raise EntityAlreadyExistsException(f"Group with name {name} already exists.")


@operation("DeleteGroup", resource=_GROUP)
async def delete_group(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Remove a group that has nothing left."""
    await ctx.transact(_remove, request["GroupName"])
    return {}


async def _remove(tx: Transaction, scope: Scope, name: str) -> None:
    group = await store.load_group(tx, scope, name)
    if group is None:
        raise missing("group", name)
    left = ""
    if group.attached:
        left = "detach all policies"
    elif group.inline:
        left = "delete policies"
    elif await store.members_of(tx, scope, group.key):
        left = "remove users from group"
    if left:
        raise DeleteConflictException(f"Cannot delete entity, must {left} first.")
    await store.GROUPS.drop(tx, scope, group.key)


@operation("AddUserToGroup", resource=_GROUP)
async def add_user_to_group(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Put a user into a group; one that is in it already stays."""
    await ctx.transact(_join, request["GroupName"], request["UserName"])
    return {}


async def _join(tx: Transaction, scope: Scope, group_name: str, user_name: str) -> None:
    group, user = await _both(tx, scope, group_name, user_name)
    if group.key in user.groups:
        return
    if len(user.groups) >= GROUPS_PER_USER_MAX:
        raise LimitExceededException(
            f"Cannot exceed quota for GroupsPerUser: {GROUPS_PER_USER_MAX}"
        )
    groups = (*user.groups, group.key)
    await store.USERS.save(tx, scope, msgspec.structs.replace(user, groups=groups))


@operation("RemoveUserFromGroup", resource=_GROUP)
async def remove_user_from_group(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Take a user out of a group; one that is not in it is no error."""
    await ctx.transact(_leave, request["GroupName"], request["UserName"])
    return {}


async def _leave(tx: Transaction, scope: Scope, group_name: str, user_name: str) -> None:
    group, user = await _both(tx, scope, group_name, user_name)
    if group.key in user.groups:
        groups = tuple(key for key in user.groups if key != group.key)
        await store.USERS.save(tx, scope, msgspec.structs.replace(user, groups=groups))


async def _both(
    tx: Transaction, scope: Scope, group_name: str, user_name: str
) -> tuple[Group, User]:
    group = await store.load_group(tx, scope, group_name)
    if group is None:
        raise missing("group", group_name)
    user = await store.load_user(tx, scope, user_name)
    if user is None:
        raise missing("user", user_name)
    return group, user
