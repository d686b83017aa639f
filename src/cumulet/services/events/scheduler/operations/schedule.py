"""Schedules: made, described, changed, listed, deleted."""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.events.errors import (
    ConflictException,
    ResourceNotFoundException,
    ServiceQuotaExceededException,
)
from cumulet.services.events.limits import SCHEDULES_MAX
from cumulet.services.events.model import DEFAULT, Schedule, schedule_arn
from cumulet.services.events.operations.bus import page_of
from cumulet.services.events.scheduler.checks import check_target, check_times, seconds_of
from cumulet.services.events.scheduler.operations.group import load_group, no_group
from cumulet.services.events.scheduler.timing import first
from cumulet.services.events.store import SCHEDULE_OCCASIONS, SCHEDULES, save_due

Request = dict[str, Any]


def schedule_resource(ctx: Context, request: Request) -> str:
    """The schedule of a request, as IAM's resource."""
    return schedule_arn(ctx.scope, _group(request), request["Name"])


def _group(request: Request) -> str:
    return request.get("GroupName") or DEFAULT


def _no_schedule(name: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Schedule {name} does not exist.")


def _date(request: Request, name: str) -> float | None:
    return None if request.get(name) is None else seconds_of(request[name])


async def _draft(ctx: Context, request: Request) -> Schedule:
    """The schedule that a request describes, checked."""
    check_times(request)
    arn = schedule_resource(ctx, request)
    await check_target(ctx, request["Target"], arn)
    now = ctx.clock.now()
    return Schedule(
        _group(request),
        request["Name"],
        now,
        now,
        request["ScheduleExpression"],
        request["Target"],
        zone=request.get("ScheduleExpressionTimezone") or "UTC",
        state=request.get("State") or "ENABLED",
        description=request.get("Description") or "",
        start=_date(request, "StartDate"),
        end=_date(request, "EndDate"),
        window_minutes=request["FlexibleTimeWindow"].get("MaximumWindowInMinutes") or 0,
        after_completion=request.get("ActionAfterCompletion") or "NONE",
        token=request.get("ClientToken") or "",
    )


async def _save(tx: Transaction, scope: Scope, schedule: Schedule, chance: float) -> None:
    await SCHEDULES.save(tx, scope, schedule)
    put_off = schedule.window_minutes * 60 * chance
    key = (schedule.group, schedule.name)
    await save_due(tx, SCHEDULE_OCCASIONS, scope, *key, first(schedule), put_off)


def _chance(ctx: Context) -> float:
    return int.from_bytes(ctx.clock.random_bytes(4), "big") / 2.0**32


@operation("CreateSchedule", resource=schedule_resource)
async def create_schedule(ctx: Context, request: Request) -> dict[str, Any]:
    """Make a schedule."""
    made = await _draft(ctx, request)
    chance = _chance(ctx)

    async def insert(tx: Transaction, scope: Scope) -> str:
        if await load_group(tx, scope, made.group) is None:
            return "group"
        there = await SCHEDULES.load(tx, scope, made.group, made.name)
        if there is not None:
            return "" if made.token and there.token == made.token else "there"
        await _save(tx, scope, made, chance)
        return ""

    async def is_full(tx: Transaction, scope: Scope) -> bool:
        return len(await SCHEDULES.scan(tx, scope, limit=SCHEDULES_MAX)) >= SCHEDULES_MAX

    if await ctx.transact(is_full):
        raise ServiceQuotaExceededException(f"The account has {SCHEDULES_MAX} schedules already.")
    outcome = await ctx.transact(insert)
    if outcome == "group":
        raise no_group(made.group)
    if outcome:
        raise ConflictException(f"Schedule {made.name} already exists.")
    return {"ScheduleArn": schedule_arn(ctx.scope, made.group, made.name)}


@operation("UpdateSchedule", resource=schedule_resource)
async def update_schedule(ctx: Context, request: Request) -> dict[str, Any]:
    """Change a schedule: what is not given goes back to what it was at first."""
    given = await _draft(ctx, request)
    chance = _chance(ctx)

    async def write(tx: Transaction, scope: Scope) -> bool:
        old = await SCHEDULES.load(tx, scope, given.group, given.name)
        if old is None:
            return False
        # A rate that stays as it was goes on counting from where it began.
        changed = msgspec.structs.replace(given, created_at=old.created_at, token=old.token)
        await _save(tx, scope, changed, chance)
        return True

    if not await ctx.transact(write):
        raise _no_schedule(given.name)
    return {"ScheduleArn": schedule_arn(ctx.scope, given.group, given.name)}


@operation("GetSchedule", resource=schedule_resource)
async def get_schedule(ctx: Context, request: Request) -> dict[str, Any]:
    """What was set of a schedule."""

    async def read(tx: Transaction, scope: Scope) -> Schedule | None:
        return await SCHEDULES.load(tx, scope, _group(request), request["Name"])

    found = await ctx.transact(read)
    if found is None:
        raise _no_schedule(request["Name"])
    return _shown(ctx.scope, found)


def _shown(scope: Scope, one: Schedule) -> dict[str, Any]:
    window: dict[str, Any] = {"Mode": "FLEXIBLE" if one.window_minutes else "OFF"}
    if one.window_minutes:
        window["MaximumWindowInMinutes"] = one.window_minutes
    retries = {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
    shown: dict[str, Any] = {
        "Arn": schedule_arn(scope, one.group, one.name),
        "GroupName": one.group,
        "Name": one.name,
        "ScheduleExpression": one.expression,
        "ScheduleExpressionTimezone": one.zone,
        "State": one.state,
        "CreationDate": one.created_at,
        "LastModificationDate": one.modified_at,
        "Target": {"RetryPolicy": retries, **one.target},
        "FlexibleTimeWindow": window,
        "ActionAfterCompletion": one.after_completion,
    }
    if one.description:
        shown["Description"] = one.description
    for key, value in (("StartDate", one.start), ("EndDate", one.end)):
        if value is not None:
            shown[key] = value
    return shown


@operation("DeleteSchedule", resource=schedule_resource)
async def delete_schedule(ctx: Context, request: Request) -> dict[str, Any]:
    """Delete a schedule; invocations that wait are still carried out."""
    key = (_group(request), request["Name"])

    async def drop(tx: Transaction, scope: Scope) -> bool:
        await save_due(tx, SCHEDULE_OCCASIONS, scope, *key, None)
        return await SCHEDULES.drop(tx, scope, *key) is not None

    if not await ctx.transact(drop):
        raise _no_schedule(request["Name"])
    return {}


def _schedules_resource(ctx: Context, request: Request) -> str:
    return schedule_arn(ctx.scope, request.get("GroupName") or "*", "*")


@operation("ListSchedules", resource=_schedules_resource)
async def list_schedules(ctx: Context, request: Request) -> dict[str, Any]:
    """Schedules by group and name, or those of one group."""
    most, after = page_of(request)
    group, prefix, state = (request.get(key) for key in ("GroupName", "NamePrefix", "State"))

    async def read(tx: Transaction, scope: Scope) -> list[Schedule] | None:
        if group and await load_group(tx, scope, group) is None:
            return None
        found: list[Schedule] = []
        last = after
        while len(found) <= most:
            page = await SCHEDULES.scan(
                tx, scope, *((group,) if group else ()), limit=most + 1, after=last
            )
            found += [
                one
                for one in page
                if one.name.startswith(prefix or "") and state in (None, one.state)
            ]
            if len(page) <= most:
                break
            last = (page[-1].group, page[-1].name)
        return found

    listed = await ctx.transact(read)
    if listed is None:
        raise no_group(str(group))
    answer: dict[str, Any] = {"Schedules": [_summed(ctx.scope, one) for one in listed[:most]]}
    if len(listed) > most:
        answer["NextToken"] = make_token([listed[most - 1].group, listed[most - 1].name])
    return answer


def _summed(scope: Scope, one: Schedule) -> dict[str, Any]:
    shown = _shown(scope, one)
    names = ("Arn", "Name", "GroupName", "State", "CreationDate", "LastModificationDate")
    return {key: shown[key] for key in names} | {"Target": {"Arn": one.target["Arn"]}}
