"""Groups of users, and who is in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope, parse_arn
from cumulet.kit.pages import make_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.cognito import store
from cumulet.services.cognito.errors import (
    GroupExistsException,
    InvalidParameterException,
    LimitExceededException,
    ResourceNotFoundException,
    UserNotFoundException,
)
from cumulet.services.cognito.flow.issue import load_groups
from cumulet.services.cognito.flow.place import by_pool
from cumulet.services.cognito.limits import GROUPS_PER_USER_MAX, PAGE_LIST_MAX, SWEEP_ROWS
from cumulet.services.cognito.model import Group, User
from cumulet.services.cognito.operations.pool import loaded, position
from cumulet.services.cognito.rules import permissions
from cumulet.services.cognito.rules.views import group_view, user_view

_GONE = "Group not found."


@operation("CreateGroup", resource=permissions.pool, conditions=permissions.keys)
async def create_group(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Make a group, which may give its users a role."""
    pool = await loaded(ctx, request["UserPoolId"])
    await _check_role(ctx, request)
    now = ctx.clock.now()
    group = Group(
        pool.id,
        request["GroupName"],
        now,
        now,
        request.get("Description", ""),
        request.get("RoleArn", ""),
        request.get("Precedence"),
    )
    if not await ctx.transact(_insert, group):
        raise GroupExistsException("A group with the name already exists.")
    return {"Group": group_view(group)}


async def _check_role(ctx: Context, request: Mapping[str, Any]) -> None:
    role = request.get("RoleArn")
    if not role:
        return
    parsed = parse_arn(role)
    if parsed is None or parsed.service != "iam" or not parsed.resource.startswith("role/"):
        raise InvalidParameterException("RoleArn is not the ARN of a role.")
    await ctx.authorize("iam:PassRole", role, iam_PassedToService="cognito-identity.amazonaws.com")


async def _insert(tx: Transaction, scope: Scope, group: Group) -> bool:
    return await store.GROUPS.insert(tx, scope, group)


async def _load(tx: Transaction, scope: Scope, pool: str, name: str) -> Group | None:
    return await store.GROUPS.load(tx, scope, pool, name)


async def _group(ctx: Context, request: Mapping[str, Any]) -> Group:
    await loaded(ctx, request["UserPoolId"])
    found = await ctx.transact(_load, request["UserPoolId"], request["GroupName"])
    if found is None:
        raise ResourceNotFoundException(_GONE)
    return found


@operation("GetGroup", resource=permissions.pool, conditions=permissions.keys)
async def get_group(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Show a group."""
    return {"Group": group_view(await _group(ctx, request))}


@operation("UpdateGroup", resource=permissions.pool, conditions=permissions.keys)
async def update_group(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Change a group: what is not given is taken away."""
    group = await _group(ctx, request)
    await _check_role(ctx, request)
    changed = msgspec.structs.replace(
        group,
        description=request.get("Description", ""),
        role=request.get("RoleArn", ""),
        precedence=request.get("Precedence"),
        modified=ctx.clock.now(),
    )
    await ctx.transact(_save, changed)
    return {"Group": group_view(changed)}


async def _save(tx: Transaction, scope: Scope, group: Group) -> None:
    await store.GROUPS.save(tx, scope, group)


@operation("DeleteGroup", resource=permissions.pool, conditions=permissions.keys)
async def delete_group(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Delete a group; its users stay."""
    group = await _group(ctx, request)
    await ctx.transact(_drop, group)
    while await ctx.transact(_empty, group):
        pass
    return {}


async def _drop(tx: Transaction, scope: Scope, group: Group) -> None:
    await store.GROUPS.drop(tx, scope, group.pool, group.name)


async def _empty(tx: Transaction, scope: Scope, group: Group) -> bool:
    at = (group.pool, group.name)
    members = await store.USERS.lookup(tx, scope, "group", *at, limit=SWEEP_ROWS)
    for user in members:
        rest = tuple(name for name in user.groups if name != group.name)
        await store.save_user(tx, scope, msgspec.structs.replace(user, groups=rest))
    return bool(members)


@operation("ListGroups", resource=permissions.pool, conditions=permissions.keys)
async def list_groups(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the groups of a pool."""
    pool = await loaded(ctx, request["UserPoolId"])
    limit = request.get("Limit") or PAGE_LIST_MAX
    found = await ctx.transact(_page, pool.id, limit + 1, position(request.get("NextToken")))
    last = found[limit - 1] if len(found) > limit else None
    more = {"NextToken": make_token([last.pool, last.name])} if last is not None else {}
    return {"Groups": [group_view(one) for one in found[:limit]], **more}


async def _page(
    tx: Transaction, scope: Scope, pool: str, limit: int, after: tuple[Any, ...] | None
) -> list[Group]:
    return await store.GROUPS.scan(tx, scope, pool, limit=limit, after=after)


@operation("AdminAddUserToGroup", resource=permissions.pool, conditions=permissions.keys)
async def admin_add_user_to_group(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Put a user into a group."""
    user = await _member(ctx, request)
    await ctx.transact(_join, user.pool, user.key, request["GroupName"])
    return {}


async def _member(ctx: Context, request: Mapping[str, Any]) -> User:
    place = await by_pool(ctx, request["UserPoolId"])
    user = await place.user(request["Username"])
    await _group(ctx, request)
    return user


async def _join(tx: Transaction, scope: Scope, pool: str, key: str, group: str) -> None:
    user = await store.USERS.load(tx, scope, pool, key)
    if user is None:
        raise UserNotFoundException("User does not exist.")
    if await store.GROUPS.load(tx, scope, pool, group) is None:
        raise ResourceNotFoundException(_GONE)
    if group in user.groups:
        return
    if len(user.groups) >= GROUPS_PER_USER_MAX:
        raise LimitExceededException("Maximum number of groups for the user has been reached.")
    await store.save_user(tx, scope, msgspec.structs.replace(user, groups=(*user.groups, group)))


@operation("AdminRemoveUserFromGroup", resource=permissions.pool, conditions=permissions.keys)
async def admin_remove_user_from_group(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Take a user out of a group."""
    user = await _member(ctx, request)
    await ctx.transact(_leave, user.pool, user.key, request["GroupName"])
    return {}


async def _leave(tx: Transaction, scope: Scope, pool: str, key: str, group: str) -> None:
    user = await store.USERS.load(tx, scope, pool, key)
    if user is not None and group in user.groups:
        rest = tuple(name for name in user.groups if name != group)
        await store.save_user(tx, scope, msgspec.structs.replace(user, groups=rest))


@operation("AdminListGroupsForUser", resource=permissions.pool, conditions=permissions.keys)
async def admin_list_groups_for_user(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the groups that a user is in."""
    place = await by_pool(ctx, request["UserPoolId"])
    user = await place.user(request["Username"])
    groups = await place.ctx.transact(load_groups, user.pool, user.groups)
    begin = int((position(request.get("NextToken")) or (0,))[0])
    limit = request.get("Limit") or PAGE_LIST_MAX
    more = {"NextToken": make_token([begin + limit])} if len(groups) > begin + limit else {}
    return {"Groups": [group_view(one) for one in groups[begin : begin + limit]], **more}


@operation("ListUsersInGroup", resource=permissions.pool, conditions=permissions.keys)
async def list_users_in_group(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the users of a group."""
    group = await _group(ctx, request)
    limit = request.get("Limit") or PAGE_LIST_MAX
    after = position(request.get("NextToken"))
    users = await ctx.transact(_users, group, limit + 1, after)
    last = users[limit - 1] if len(users) > limit else None
    place = [group.pool, group.name, group.pool, last.key] if last is not None else []
    more = {"NextToken": make_token(place)} if place else {}
    return {"Users": [user_view(user) for user in users[:limit]], **more}


async def _users(
    tx: Transaction, scope: Scope, group: Group, limit: int, after: tuple[Any, ...] | None
) -> list[User]:
    at = (group.pool, group.name)
    return await store.USERS.lookup(tx, scope, "group", *at, limit=limit, after=after)
