"""Alarms: put, deleted, set to a state, and their actions turned on and off."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.cloudwatch.alarms import store
from cumulet.services.cloudwatch.alarms.acting import AlarmDeliveries, Moment, moment_of
from cumulet.services.cloudwatch.alarms.changing import apply_verdict, new_alarm, note
from cumulet.services.cloudwatch.alarms.limits import ALARMS_MAX, RULE_DEPTH_MAX
from cumulet.services.cloudwatch.alarms.model import Alarm, Kind, Verdict, alarm_arn
from cumulet.services.cloudwatch.alarms.settings import (
    check_composite_alarm,
    check_metric_alarm,
    settings_of,
    tags_of,
)
from cumulet.services.cloudwatch.metrics.errors import (
    InvalidFormatFault,
    LimitExceededFault,
    ResourceNotFound,
    ValidationException,
)

Request = dict[str, Any]


def alarm_resource(ctx: Context, request: Request) -> str:
    """The alarm that a request names, as IAM's resource."""
    return alarm_arn(ctx.scope, request.get("AlarmName") or "*")


def alarm_resources(ctx: Context, request: Request) -> list[str]:
    """The alarms that a request names, as IAM's resources."""
    names = request.get("AlarmNames") or ["*"]
    return [alarm_arn(ctx.scope, name) for name in names]


def now_of(ctx: Context) -> Moment:
    """The moment of a request."""
    clock, deliveries = ctx.clock, ctx.need(AlarmDeliveries)
    return moment_of(clock, deliveries)


@operation("PutMetricAlarm", resource=alarm_resource)
async def put_metric_alarm(ctx: Context, request: Request) -> None:
    """Make an alarm on a metric or on math over metrics, or change it whole."""
    check_metric_alarm(request)
    await _put(ctx, request, "MetricAlarm", ())


@operation("PutCompositeAlarm", resource=alarm_resource)
async def put_composite_alarm(ctx: Context, request: Request) -> None:
    """Make an alarm of other alarms by a rule, or change it whole."""
    _, children = check_composite_alarm(request)

    async def check(tx: Transaction, scope: Scope) -> None:
        await _check_children(tx, scope, request["AlarmName"], children)

    await _put(ctx, request, "CompositeAlarm", children, check)


async def _check_children(
    tx: Transaction, scope: Scope, name: str, children: Sequence[str]
) -> None:
    """All exist, and none is made of the alarm itself. Raises ValidationError."""
    level = list(children)
    for _ in range(RULE_DEPTH_MAX):
        found = [await store.ALARMS.load(tx, scope, child) for child in level]
        missing = [child for child, one in zip(level, found, strict=True) if one is None]
        if missing and level == list(children):
            raise ValidationException(
                f"Could not save the composite alarm as alarms [{', '.join(missing)}] in the "
                "alarm rule do not exist."
            )
        level = list(dict.fromkeys(c for one in found if one for c in one.children))
        if name in level:
            raise ValidationException(
                "The alarm rule leads back to the alarm itself, which is not supported by Cumulet."
            )
        if not level:
            return
    raise ValidationException("The alarms of the alarm rule are made of too many others.")


async def _put(
    ctx: Context,
    request: Request,
    kind: Kind,
    children: tuple[str, ...],
    check: Callable[[Transaction, Scope], Awaitable[None]] | None = None,
) -> None:
    name, settings, tags = request["AlarmName"], settings_of(request), tags_of(request)
    moment = now_of(ctx)

    async def write(tx: Transaction, scope: Scope) -> None:
        if check is not None:
            await check(tx, scope)
        old = await store.ALARMS.load(tx, scope, name)
        if old is not None and old.kind != kind:
            raise ValidationException(
                f"An alarm with the name {name} exists already, and is of another type."
            )
        if old is None:
            if await store.count_alarms(tx, scope) >= ALARMS_MAX:
                raise LimitExceededFault("The maximum limit of alarms has been reached.")
            new = new_alarm(name, kind, settings, moment.now, tags=tags, children=children)
        else:
            new = msgspec.structs.replace(
                old, settings=settings, configured_at=moment.now, children=children,
                suppressed_by="", until=0.0,
            )  # fmt: skip
        await store.ALARMS.save(tx, scope, new)
        await store.watch(tx, scope, name, moment.now)
        _note_put(tx, scope, old, new, moment)

    await ctx.transact(write)


def _note_put(tx: Transaction, scope: Scope, old: Alarm | None, new: Alarm, moment: Moment) -> None:
    if old is None:
        told = {"version": "1.0", "type": "Create", "createdAlarm": new.settings}
        summary = f'Alarm "{new.name}" created'
    else:
        told = {"version": "1.0", "type": "Update", "updatedAlarm": new.settings}
        summary = f'Alarm "{new.name}" updated'
    note(tx, scope, new, moment, "ConfigurationUpdate", summary, told)


@operation("DeleteAlarms", resource=alarm_resources)
async def delete_alarms(ctx: Context, request: Request) -> None:
    """Delete alarms, all of them or none; one of them at most may be composite."""
    names = list(dict.fromkeys(request["AlarmNames"]))
    moments = {name: now_of(ctx) for name in names}

    async def write(tx: Transaction, scope: Scope) -> None:
        found = await _load_all(tx, scope, names)
        if sum(one.is_composite for one in found) > 1:
            raise ValidationException(
                "The request can have no more than one composite alarm in it."
            )
        for alarm in found:
            parents = await store.parents_of(tx, scope, alarm.name)
            if any(parent.name not in names for parent in parents):
                raise ValidationException(
                    f"Cannot delete {alarm.name} as there are composite alarm(s) depending on it."
                )
        for alarm in found:
            await store.ALARMS.drop(tx, scope, alarm.name)
            await store.unwatch(tx, scope, alarm.name)
            told = {"version": "1.0", "type": "Delete", "deletedAlarm": alarm.settings}
            summary = f'Alarm "{alarm.name}" deleted'
            note(tx, scope, alarm, moments[alarm.name], "ConfigurationUpdate", summary, told)

    await ctx.transact(write)


async def _load_all(tx: Transaction, scope: Scope, names: Sequence[str]) -> list[Alarm]:
    """Raises ResourceNotFound when one of them is not there."""
    found = []
    for name in names:
        alarm = await store.ALARMS.load(tx, scope, name)
        if alarm is None:
            raise ResourceNotFound(f"Alarm {name} does not exist.")
        found.append(alarm)
    return found


@operation("EnableAlarmActions", resource=alarm_resources)
async def enable_alarm_actions(ctx: Context, request: Request) -> None:
    """Let the actions of alarms be done."""
    await _switch(ctx, request["AlarmNames"], True)


@operation("DisableAlarmActions", resource=alarm_resources)
async def disable_alarm_actions(ctx: Context, request: Request) -> None:
    """Leave the actions of alarms undone; their states go on."""
    await _switch(ctx, request["AlarmNames"], False)


async def _switch(ctx: Context, names: Sequence[str], enabled: bool) -> None:
    moments = {name: now_of(ctx) for name in names}

    async def write(tx: Transaction, scope: Scope) -> None:
        for alarm in await _load_all(tx, scope, list(moments)):
            if alarm.actions_enabled == enabled:
                continue
            moment = moments[alarm.name]
            settings = {**alarm.settings, "ActionsEnabled": enabled}
            new = msgspec.structs.replace(alarm, settings=settings, configured_at=moment.now)
            await store.ALARMS.save(tx, scope, new)
            _note_put(tx, scope, alarm, new, moment)

    await ctx.transact(write)


@operation("SetAlarmState", resource=alarm_resource)
async def set_alarm_state(ctx: Context, request: Request) -> None:
    """Give an alarm a state for a while: until its next evaluation."""
    data = request.get("StateReasonData") or ""
    if data:
        try:
            json.loads(data)
        except (ValueError, RecursionError):
            raise InvalidFormatFault("StateReasonData must be valid JSON.") from None
    verdict = Verdict(request["StateValue"], request["StateReason"], data)
    moment = now_of(ctx)

    async def write(tx: Transaction, scope: Scope) -> bool:
        alarm = await store.ALARMS.load(tx, scope, request["AlarmName"])
        if alarm is None:
            return False
        await apply_verdict(tx, scope, moment, alarm, verdict)
        return True

    if not await ctx.transact(write):
        raise ResourceNotFound(f"Alarm {request['AlarmName']} does not exist.")
