"""Lists of users, found by what they have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.cognito import store
from cumulet.services.cognito.errors import InvalidParameterException
from cumulet.services.cognito.limits import PAGE_USERS_MAX
from cumulet.services.cognito.model import Pool, User
from cumulet.services.cognito.operations.pool import loaded, position
from cumulet.services.cognito.rules import permissions
from cumulet.services.cognito.rules.filters import Filter, parse_filter
from cumulet.services.cognito.rules.views import user_view


@operation("ListUsers", resource=permissions.pool, conditions=permissions.keys)
async def list_users(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List users of a pool: all, or those whom a filter names. An index answers each filter."""
    pool = await loaded(ctx, request["UserPoolId"])
    names = request.get("AttributesToGet")
    for name in names or ():
        if name not in pool.schema:
            raise InvalidParameterException(
                "One or more requested attributes do not exist in user pool."
            )
    wanted = parse_filter(request.get("Filter", ""))
    limit = request.get("Limit", PAGE_USERS_MAX)
    if limit == 0:
        limit = PAGE_USERS_MAX
    after = position(request.get("PaginationToken"))
    users = await ctx.transact(_page, pool, wanted, limit + 1, after)
    more = {}
    if len(users) > limit:
        more = {"PaginationToken": make_token(list(_mark(wanted, users[limit - 1])))}
    return {"Users": [user_view(user, names) for user in users[:limit]], **more}


def _mark(wanted: Filter | None, user: User) -> tuple[Any, ...]:
    """A user's place in the list that a filter goes through."""
    if wanted is None or wanted.name == "username":
        return (user.pool, user.key)
    return (*store.place_of(user, wanted.name), user.pool, user.key)


async def _page(
    tx: Transaction,
    scope: Scope,
    pool: Pool,
    wanted: Filter | None,
    limit: int,
    after: tuple[Any, ...] | None,
) -> list[User]:
    if wanted is None:
        return await store.USERS.scan(tx, scope, pool.id, limit=limit, after=after)
    value = wanted.value
    if wanted.name == "username":
        value = pool.folded(value)
        if wanted.is_prefix:
            return await store.USERS.scan(
                tx, scope, pool.id, limit=limit, after=after, starts=value
            )
        user = await store.USERS.load(tx, scope, pool.id, value)
        return [user] if user is not None and after is None else []
    if not pool.is_case_sensitive and wanted.name in ("email", "preferred_username"):
        value = value.lower()
    at: tuple[Any, ...] = (pool.id, wanted.name)
    if wanted.is_prefix:
        return await store.USERS.lookup(
            tx, scope, "attribute", *at, limit=limit, after=after, starts=value
        )
    return await store.USERS.lookup(
        tx, scope, "attribute", *at, store.indexed(value), limit=limit, after=after
    )
