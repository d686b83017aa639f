"""Groups of schedules, and their tags."""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope, parse_arn
from cumulet.kit.pages import make_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.events.errors import (
    ConflictException,
    ResourceNotFoundException,
    ServiceQuotaExceededException,
    ValidationException,
)
from cumulet.services.events.limits import GROUPS_MAX, OCCASIONS_PAGE, TAGS_MAX
from cumulet.services.events.model import DEFAULT, Group, group_arn
from cumulet.services.events.operations.bus import page_of, tags_of
from cumulet.services.events.store import GROUPS, SCHEDULE_OCCASIONS, SCHEDULES, save_due

Request = dict[str, Any]


def group_resource(ctx: Context, request: Request) -> str:
    """The group of a request, as IAM's resource."""
    return group_arn(ctx.scope, request["Name"])


def no_group(name: str) -> ResourceNotFoundException:
    """In AWS's words."""
    return ResourceNotFoundException(f"Schedule group {name} does not exist.")


async def load_group(tx: Transaction, scope: Scope, name: str) -> Group | None:
    """A group; the default one is there before anything was said of it."""
    found = await GROUPS.load(tx, scope, name)
    if found is None and name == DEFAULT:
        return Group(DEFAULT, 0.0, 0.0)
    return found


@operation("CreateScheduleGroup", resource=group_resource)
async def create_schedule_group(ctx: Context, request: Request) -> dict[str, Any]:
    """Make a group."""
    name, now = request["Name"], ctx.clock.now()
    made = Group(name, now, now, tags_of(request), request.get("ClientToken") or "")

    async def insert(tx: Transaction, scope: Scope) -> str:
        there = await load_group(tx, scope, name)
        if there is not None:
            return "" if made.token and there.token == made.token else "there"
        if len(await GROUPS.scan(tx, scope, limit=GROUPS_MAX)) >= GROUPS_MAX:
            return "full"
        await GROUPS.save(tx, scope, made)
        return ""

    outcome = await ctx.transact(insert)
    if outcome == "full":
        raise ServiceQuotaExceededException(f"The account has {GROUPS_MAX} groups already.")
    if outcome:
        raise ConflictException(f"Schedule group {name} already exists.")
    return {"ScheduleGroupArn": group_arn(ctx.scope, name)}


def _shown(scope: Scope, group: Group) -> dict[str, Any]:
    return {
        "Arn": group_arn(scope, group.name),
        "Name": group.name,
        "State": "ACTIVE",
        "CreationDate": group.created_at,
        "LastModificationDate": group.modified_at,
    }


@operation("GetScheduleGroup", resource=group_resource)
async def get_schedule_group(ctx: Context, request: Request) -> dict[str, Any]:
    """What there is to say of a group."""
    found = await ctx.transact(load_group, request["Name"])
    if found is None:
        raise no_group(request["Name"])
    return _shown(ctx.scope, found)


@operation("DeleteScheduleGroup", resource=group_resource)
async def delete_schedule_group(ctx: Context, request: Request) -> dict[str, Any]:
    """Delete a group with its schedules."""
    name = request["Name"]
    if name == DEFAULT:
        raise ValidationException("The default schedule group cannot be deleted.")

    async def empty(tx: Transaction, scope: Scope) -> bool | None:
        """Remove some schedules, and then the group; tells whether there are more."""
        if await GROUPS.load(tx, scope, name) is None:
            return None
        found = await SCHEDULES.scan(tx, scope, name, limit=OCCASIONS_PAGE)
        for one in found:
            await SCHEDULES.drop(tx, scope, one.group, one.name)
            await save_due(tx, SCHEDULE_OCCASIONS, scope, one.group, one.name, None)
        if len(found) < OCCASIONS_PAGE:
            await GROUPS.drop(tx, scope, name)
            return False
        return True

    outcome = await ctx.transact(empty)
    if outcome is None:
        raise no_group(name)
    while outcome:
        outcome = await ctx.transact(empty)
    return {}


def _groups_resource(ctx: Context, request: Request) -> str:
    return group_arn(ctx.scope, "*")


@operation("ListScheduleGroups", resource=_groups_resource)
async def list_schedule_groups(ctx: Context, request: Request) -> dict[str, Any]:
    """The account's groups in this region, by name."""
    most, after = page_of(request)
    prefix = request.get("NamePrefix") or ""

    async def read(tx: Transaction, scope: Scope) -> list[Group]:
        found = await GROUPS.scan(tx, scope, limit=GROUPS_MAX)
        if not any(group.name == DEFAULT for group in found):
            found = [*found, Group(DEFAULT, 0.0, 0.0)]
        return sorted(found, key=lambda group: group.name)

    listed = [
        group
        for group in await ctx.transact(read)
        if group.name.startswith(prefix) and (not after or group.name > after[-1])
    ]
    answer: dict[str, Any] = {"ScheduleGroups": [_shown(ctx.scope, one) for one in listed[:most]]}
    if len(listed) > most:
        answer["NextToken"] = make_token([listed[most - 1].name])
    return answer


def _tagged_resource(ctx: Context, request: Request) -> str:
    return str(request["ResourceArn"])


async def _change_tags(ctx: Context, request: Request, change: Any) -> dict[str, str]:
    arn = parse_arn(request["ResourceArn"])
    kind, _, name = ("", "", "") if arn is None else arn.resource.partition("/")
    if kind != "schedule-group" or arn is None or arn.account != ctx.scope.account:
        raise ValidationException(f"{request['ResourceArn']} is not a schedule group.")

    async def write(tx: Transaction, scope: Scope) -> dict[str, str] | None:
        group = await load_group(tx, scope, name)
        if group is None:
            return None
        changed: dict[str, str] = change(group.tags)
        if changed != group.tags:
            await GROUPS.save(tx, scope, msgspec.structs.replace(group, tags=changed))
        return changed

    tags = await ctx.transact(write)
    if tags is None:
        raise no_group(name)
    return tags


@operation("TagResource", resource=_tagged_resource)
async def tag_resource(ctx: Context, request: Request) -> dict[str, Any]:
    """Add tags to a group, or give those that are there other values."""
    given = tags_of(request)

    def add(tags: dict[str, str]) -> dict[str, str]:
        if len(changed := {**tags, **given}) > TAGS_MAX:
            raise ValidationException(f"A resource can have {TAGS_MAX} tags.")
        return changed

    await _change_tags(ctx, request, add)
    return {}


@operation("UntagResource", resource=_tagged_resource)
async def untag_resource(ctx: Context, request: Request) -> dict[str, Any]:
    """Remove tags of a group by their keys."""
    keys = set(request["TagKeys"])
    await _change_tags(
        ctx, request, lambda tags: {key: one for key, one in tags.items() if key not in keys}
    )
    return {}


@operation("ListTagsForResource", resource=_tagged_resource)
async def list_tags_for_resource(ctx: Context, request: Request) -> dict[str, Any]:
    """The tags of a group."""
    tags = await _change_tags(ctx, request, lambda tags: tags)
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
