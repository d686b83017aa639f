"""Tags of parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.ssm import permissions, store
from cumulet.services.ssm.errors import InvalidResourceId, InvalidResourceType, TooManyTagsError
from cumulet.services.ssm.limits import TAGS_MAX
from cumulet.services.ssm.model import Parameter


def read_tags(given: Sequence[Mapping[str, str]], present: Mapping[str, str]) -> dict[str, str]:
    """Tags as they will be: those that are there, and the given ones on top."""
    tags = {**present, **{tag["Key"]: tag["Value"] for tag in given}}
    if len(tags) > TAGS_MAX:
        raise TooManyTagsError(f"A parameter can have at most {TAGS_MAX} tags.")
    return tags


async def _load(tx: Transaction, scope: Scope, request: Mapping[str, Any]) -> Parameter:
    if request["ResourceType"] != "Parameter":
        raise InvalidResourceType(
            f"{request['ResourceType']} is not a type of resource that Cumulet has."
        )
    parameter = await store.load(tx, scope, request["ResourceId"])
    if parameter is None:
        raise InvalidResourceId(f"Invalid resource id: {request['ResourceId']}")
    return parameter


async def _change(
    tx: Transaction,
    scope: Scope,
    request: Mapping[str, Any],
    change: Callable[[dict[str, str]], dict[str, str]],
) -> None:
    parameter = await _load(tx, scope, request)
    changed = msgspec.structs.replace(parameter, tags=change(parameter.tags))
    await store.PARAMETERS.save(tx, scope, changed)


@operation("AddTagsToResource", resource=permissions.tagged, conditions=permissions.keys)
async def add_tags_to_resource(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Give a parameter tags."""
    await ctx.transact(_change, request, lambda tags: read_tags(request["Tags"], tags))
    return {}


@operation("RemoveTagsFromResource", resource=permissions.tagged, conditions=permissions.keys)
async def remove_tags_from_resource(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Take tags from a parameter."""
    gone = set(request["TagKeys"])
    await ctx.transact(
        _change,
        request,
        lambda tags: {key: value for key, value in tags.items() if key not in gone},
    )
    return {}


@operation("ListTagsForResource", resource=permissions.tagged, conditions=permissions.keys)
async def list_tags_for_resource(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """List the tags of a parameter."""
    parameter = await ctx.transact(_load, request)
    return {"TagList": [{"Key": key, "Value": value} for key, value in parameter.tags.items()]}
