"""Users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.clock import new_base32
from cumulet.core.context import Context
from cumulet.core.errors import ConstraintViolation
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.iam import permissions, store
from cumulet.services.iam.describe import cut, describe_user, gather_page
from cumulet.services.iam.errors import (
    DeleteConflictException,
    EntityAlreadyExistsException,
    missing,
)
from cumulet.services.iam.model import User
from cumulet.services.iam.policies.documents import check_attachable, read_tags


def named_user(ctx: Context, request: Mapping[str, Any]) -> str:
    """The user that a request names, or else the caller; "" for the account itself."""
    if "UserName" in request:
        given: str = request["UserName"]
        return given
    if ctx.caller.is_root:
        return ""
    if ctx.caller.kind != "user":
        raise ConstraintViolation("Must specify userName when calling with non-User credentials")
    return ctx.caller.policy_arn.rsplit("/", 1)[-1]


@operation("CreateUser", resource=permissions.new("user"), conditions=permissions.request_keys)
async def create_user(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Make a user."""
    user = User(
        name=request["UserName"],
        path=request.get("Path") or "/",
        id="AIDA" + new_base32(ctx.clock, 17),
        created=float(int(ctx.clock.now())),
        boundary=request.get("PermissionsBoundary", ""),
        tags=read_tags(request.get("Tags", [])),
    )
    if not await ctx.transact(_insert, user):
        raise EntityAlreadyExistsException(f"User with name {user.name} already exists.")
    return {"User": describe_user(ctx.scope.account, user)}


async def _insert(tx: Transaction, scope: Scope, user: User) -> bool:
    if user.boundary:
        await check_attachable(tx, scope, user.boundary)
    return await store.USERS.insert(tx, scope, user)


@operation(
    "GetUser", resource=permissions.existing("user"), conditions=permissions.entity_keys("user")
)
async def get_user(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Tell about a user; without a name, about the caller."""
    name = named_user(ctx, request)
    if not name:
        return {"User": await ctx.transact(_root)}
    user = await ctx.transact(store.load_user, name)
    if user is None:
        raise missing("user", name)
    return {"User": describe_user(ctx.scope.account, user)}


async def _root(tx: Transaction, scope: Scope) -> dict[str, Any]:
    account = await store.ACCOUNTS.load(tx, store.EVERYWHERE, scope.account)
    return {
        "Path": "/",
        "UserId": scope.account,
        "Arn": scope.global_arn("iam", "root"),
        "CreateDate": 0.0 if account is None else account.created,
    }


@operation("ListUsers", resource=permissions.listed("user"))
async def list_users(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the users whose paths begin with a prefix."""
    users = await ctx.transact(_page, request)
    return cut(
        "Users",
        users,
        request,
        lambda user: user.key,
        lambda user: describe_user(ctx.scope.account, user, whole=False),
    )


async def _page(tx: Transaction, scope: Scope, request: Mapping[str, Any]) -> list[User]:
    under = request.get("PathPrefix") or "/"
    return await gather_page(
        request,
        lambda after, limit: store.USERS.scan(tx, scope, limit=limit, after=after),
        lambda user: user.key,
        lambda user: user.path.startswith(under),
    )


@operation(
    "UpdateUser",
    resource=permissions.existing("user"),
    conditions=permissions.entity_keys("user"),
)
async def update_user(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Give a user another name or path."""
    await ctx.transact(_rename, request)
    return {}


async def _rename(tx: Transaction, scope: Scope, request: Mapping[str, Any]) -> None:
    old = await store.load_user(tx, scope, request["UserName"])
    if old is None:
        raise missing("user", request["UserName"])
    name = request.get("NewUserName", old.name)
    new = msgspec.structs.replace(old, name=name, path=request.get("NewPath", old.path))
    if not await store.rename_user(tx, scope, old, new):
        raise EntityAlreadyExistsException(f"User with name {name} already exists.")


@operation(
    "DeleteUser",
    resource=permissions.existing("user"),
    conditions=permissions.entity_keys("user"),
)
async def delete_user(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Remove a user that has nothing left."""
    await ctx.transact(_remove, request["UserName"])
    return {}


async def _remove(tx: Transaction, scope: Scope, name: str) -> None:
    user = await store.load_user(tx, scope, name)
    if user is None:
        raise missing("user", name)
    left = ""
    if user.attached:
        left = "detach all policies"
    elif user.inline:
        left = "delete policies"
    elif user.groups:
        left = "remove users from group"
    elif await store.keys_of(tx, scope, user.key):
        left = "delete access keys"
    if left:
        raise DeleteConflictException(f"Cannot delete entity, must {left} first.")
    await store.USERS.drop(tx, scope, user.key)
