"""For which resource a permission is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.services.cognito import store
from cumulet.services.cognito.model import pool_arn


def pool(ctx: Context, request: Mapping[str, Any]) -> str:
    """The pool that a request names."""
    return pool_arn(ctx.scope, request["UserPoolId"])


def every_pool(ctx: Context, request: Mapping[str, Any]) -> str:
    """All pools of the account and region."""
    return ctx.scope.arn("cognito-idp", "userpool/*")


def tagged(ctx: Context, request: Mapping[str, Any]) -> str:
    """The pool whose tags a request names."""
    found: str = request["ResourceArn"]
    return found


async def keys(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """The condition keys of tags: those that the request gives, and those of the pool."""
    found: dict[str, Any] = {}
    given = request.get("UserPoolTags") or request.get("Tags") or {}
    for name, value in given.items():
        found[f"aws:RequestTag/{name}"] = value
    names = [*given, *request.get("TagKeys", ())]
    if names:
        found["aws:TagKeys"] = names
    id = request.get("UserPoolId") or request.get("ResourceArn", "").rpartition("/")[2]
    kept = await ctx.transact(store.load_pool, id) if id else None
    for name, value in (kept.tags if kept is not None else {}).items():
        found[f"aws:ResourceTag/{name}"] = value
    return found
