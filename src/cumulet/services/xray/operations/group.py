"""Groups: traces that an expression matches, under a name."""

from __future__ import annotations

from typing import Any

from cumulet.core.clock import new_base32
from cumulet.core.context import Context
from cumulet.core.identity import Scope, parse_arn
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.xray import store
from cumulet.services.xray.errors import InvalidRequestException
from cumulet.services.xray.expressions import BadExpression, parse_expression
from cumulet.services.xray.limits import GROUPS_MAX
from cumulet.services.xray.model import Group, group_arn

Request = dict[str, Any]

_DEFAULT = Group("Default", "")


def _name(request: Request) -> str:
    if request.get("GroupName"):
        return str(request["GroupName"])
    arn = parse_arn(request.get("GroupARN") or "")
    if arn is None or not arn.resource.startswith("group/"):
        raise InvalidRequestException("GroupName or GroupARN must be given.")
    return arn.resource.split("/")[1]


def _resource(ctx: Context, request: Request) -> str:
    name = request.get("GroupName") or (request.get("GroupARN") or "").split("/")[1:2] or "*"
    return ctx.scope.arn("xray", f"group/{name if isinstance(name, str) else name[0]}/*")


async def find_group(ctx: Context, request: Request) -> Group:
    """The group that a request names, the default one if none. Raises InvalidRequestException."""
    if not request.get("GroupName") and not request.get("GroupARN"):
        return _DEFAULT
    name = _name(request)

    async def read(tx: Transaction, scope: Scope) -> Group | None:
        return await store.GROUPS.load(tx, scope, name)

    found = _DEFAULT if name == _DEFAULT.name else await ctx.transact(read)
    if found is None:
        raise InvalidRequestException("Group not found.")
    return found


def _check(request: Request) -> str:
    if (request.get("InsightsConfiguration") or {}).get("InsightsEnabled"):
        raise InvalidRequestException("Insights of groups are not supported by Cumulet.")
    text = request.get("FilterExpression") or ""
    try:
        parse_expression(text)
    except BadExpression as cause:
        raise InvalidRequestException(f"Invalid filter expression: {cause}.") from None
    return text


def _shown(ctx: Context, group: Group) -> Request:
    return {
        "GroupName": group.name,
        "GroupARN": group_arn(ctx.scope, group),
        "FilterExpression": group.expression,
        "InsightsConfiguration": {"InsightsEnabled": False, "NotificationsEnabled": False},
    }


@operation("CreateGroup", resource=_resource)
async def create_group(ctx: Context, request: Request) -> Request:
    """Make a group."""
    if request.get("Tags"):
        raise InvalidRequestException("Tags are not supported by Cumulet.")
    made = Group(request["GroupName"], new_base32(ctx.clock, 26), _check(request))

    async def write(tx: Transaction, scope: Scope) -> bool:
        taken = await store.GROUPS.scan(tx, scope, limit=GROUPS_MAX)
        if len(taken) >= GROUPS_MAX:
            raise InvalidRequestException(f"There can be {GROUPS_MAX} groups.")
        return made.name != _DEFAULT.name and await store.GROUPS.insert(tx, scope, made)

    if not await ctx.transact(write):
        raise InvalidRequestException(f"Group name already exists: {made.name}")
    return {"Group": _shown(ctx, made)}


@operation("UpdateGroup", resource=_resource)
async def update_group(ctx: Context, request: Request) -> Request:
    """Change the expression of a group."""
    name, text = _name(request), _check(request)

    async def write(tx: Transaction, scope: Scope) -> Group | None:
        old = await store.GROUPS.load(tx, scope, name)
        if old is None:
            return None
        new = Group(old.name, old.uid, text if "FilterExpression" in request else old.expression)
        await store.GROUPS.save(tx, scope, new)
        return new

    found = await ctx.transact(write)
    if found is None:
        raise InvalidRequestException("Group not found.")
    return {"Group": _shown(ctx, found)}


@operation("GetGroup", resource=_resource)
async def get_group(ctx: Context, request: Request) -> Request:
    """A group."""
    _name(request)
    return {"Group": _shown(ctx, await find_group(ctx, request))}


@operation("GetGroups")
async def get_groups(ctx: Context, request: Request) -> Request:
    """All groups, the default one too."""

    async def read(tx: Transaction, scope: Scope) -> list[Group]:
        return await store.GROUPS.scan(tx, scope, limit=GROUPS_MAX)

    return {"Groups": [_shown(ctx, one) for one in (_DEFAULT, *await ctx.transact(read))]}


@operation("DeleteGroup", resource=_resource)
async def delete_group(ctx: Context, request: Request) -> Request:
    """Delete a group; its traces stay."""
    name = _name(request)

    async def drop(tx: Transaction, scope: Scope) -> bool:
        return await store.GROUPS.drop(tx, scope, name) is not None

    if not await ctx.transact(drop):
        raise InvalidRequestException("Group not found.")
    return {}
