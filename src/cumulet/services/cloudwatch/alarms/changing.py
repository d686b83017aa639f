"""How an alarm's state changes, at once with its history, actions and the alarms made of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.services.cloudwatch.alarms import store
from cumulet.services.cloudwatch.alarms.acting import (
    Moment,
    loads_of,
    queue_loads,
    same_state,
)
from cumulet.services.cloudwatch.alarms.evaluating import stamp
from cumulet.services.cloudwatch.alarms.model import (
    ALARM,
    OK,
    UNKNOWN,
    Alarm,
    Change,
    Item,
    Verdict,
    alarm_arn,
)
from cumulet.services.cloudwatch.alarms.rules import alarms_in, holds, parse_rule
from cumulet.services.cloudwatch.alarms.settings import suppressor_name

_WAIT, _EXTENSION, _SUPPRESSED = "WaitPeriod", "ExtensionPeriod", "Alarm"
_CREATED = "Unchecked: Initial alarm creation"


def new_alarm(name: str, kind: Any, settings: dict[str, Any], now: float, **more: Any) -> Alarm:
    """An alarm that was never evaluated."""
    return Alarm(name, kind, settings, now, UNKNOWN, _CREATED, "", now, now, **more)


def note(
    tx: Transaction, scope: Scope, alarm: Alarm, moment: Moment, type: str, summary: str,
    data: Mapping[str, Any],
) -> None:  # fmt: skip
    """Add an item to an alarm's history."""
    text = json.dumps(data)
    item = Item(alarm.name, moment.now, moment.nth(0), alarm.kind, type, summary, text)
    store.HISTORY.add(tx, scope, item)


async def apply_verdict(
    tx: Transaction, scope: Scope, moment: Moment, alarm: Alarm, verdict: Verdict
) -> Alarm:  # fmt: skip
    """Give an alarm a state; what follows from a change is queued in the same transaction."""
    changed = alarm.state != verdict.state
    if not changed and alarm.reason == verdict.reason:
        return alarm
    after = msgspec.structs.replace(
        alarm,
        state=verdict.state,
        reason=verdict.reason,
        reason_data=verdict.reason_data,
        updated_at=moment.now,
        transitioned_at=moment.now if changed else alarm.transitioned_at,
    )
    act = True
    if changed and after.settings.get("ActionsSuppressor"):
        after, act = await _suppressed(tx, scope, after, moment.now)
    await store.ALARMS.save(tx, scope, after)
    if changed:
        change = Change(alarm, after)
        note(
            tx, scope, after, moment, "StateUpdate",
            f"Alarm updated from {alarm.state} to {after.state}", _history(change),
        )  # fmt: skip
        loads = loads_of(moment, change, scope, event=True, act=act)
        await queue_loads(tx, scope, loads)
        for parent in await store.parents_of(tx, scope, alarm.name):
            await store.watch(tx, scope, parent.name, moment.now)
    return after


def _history(change: Change) -> dict[str, Any]:
    told: dict[str, Any] = {"version": "1.0"}
    for name, alarm in (("oldState", change.before), ("newState", change.after)):
        state: dict[str, Any] = {"stateValue": alarm.state, "stateReason": alarm.reason}
        if alarm.reason_data:
            state["stateReasonData"] = json.loads(alarm.reason_data)
        told[name] = state
    return told


async def _suppressed(
    tx: Transaction, scope: Scope, alarm: Alarm, now: float
) -> tuple[Alarm, bool]:
    """The alarm with why its actions wait, and whether they need not."""
    if await _suppressor_is_on(tx, scope, alarm):
        return msgspec.structs.replace(alarm, suppressed_by=_SUPPRESSED, until=0.0), False
    wait = alarm.settings["ActionsSuppressorWaitPeriod"]
    if not wait:
        return msgspec.structs.replace(alarm, suppressed_by="", until=0.0), True
    return msgspec.structs.replace(alarm, suppressed_by=_WAIT, until=now + wait), False


async def _suppressor_is_on(tx: Transaction, scope: Scope, alarm: Alarm) -> bool:
    name = suppressor_name(alarm.settings["ActionsSuppressor"])
    found = await store.ALARMS.load(tx, scope, name)
    return found is not None and found.state == ALARM


async def step_composite(
    tx: Transaction, scope: Scope, moment: Moment, alarm: Alarm
) -> float | None:
    """Evaluate a composite alarm; says when it must be looked at even if nothing changes.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Alarm-Suppression.html
    """
    rule = parse_rule(alarm.settings["AlarmRule"])
    children = await store.load_children(tx, scope, alarm)
    state = ALARM if holds(rule, {name: one.state for name, one in children.items()}) else OK
    if state != alarm.state:
        seen = [children[name] for name in alarms_in(rule) if name in children]
        verdict = _composite_verdict(scope, alarm, state, seen)
        alarm = await apply_verdict(tx, scope, moment, alarm, verdict)
    elif alarm.suppressed_by:
        alarm = await _step_suppression(tx, scope, moment, alarm)
    return alarm.until if alarm.suppressed_by in (_WAIT, _EXTENSION) else None


async def _step_suppression(tx: Transaction, scope: Scope, moment: Moment, alarm: Alarm) -> Alarm:
    if await _suppressor_is_on(tx, scope, alarm):
        after = msgspec.structs.replace(alarm, suppressed_by=_SUPPRESSED, until=0.0)
    elif alarm.suppressed_by == _SUPPRESSED and (
        more := alarm.settings["ActionsSuppressorExtensionPeriod"]
    ):
        after = msgspec.structs.replace(alarm, suppressed_by=_EXTENSION, until=moment.now + more)
    elif alarm.suppressed_by == _SUPPRESSED or moment.now >= alarm.until:
        after = msgspec.structs.replace(alarm, suppressed_by="", until=0.0)
        loads = loads_of(moment, same_state(after), scope, event=False, act=True)
        await queue_loads(tx, scope, loads)
    else:
        return alarm
    await store.ALARMS.save(tx, scope, after)
    return after


def _composite_verdict(scope: Scope, alarm: Alarm, state: str, children: list[Alarm]) -> Verdict:
    """AWS's words: the child that changed last, or the alarm's own beginning."""
    last = max(children, key=lambda one: one.transitioned_at, default=None)
    if alarm.state == UNKNOWN or last is None:
        reason = (
            f"{alarm_arn(scope, alarm.name)} was created and its alarm rule evaluates to {state}"
        )
        return Verdict(state, reason, "")
    at = datetime.fromtimestamp(last.transitioned_at, UTC)
    arn = alarm_arn(scope, last.name)
    reason = f"{arn} transitioned to {last.state} at {at:%A %d %B, %Y %H:%M:%S} UTC"
    told = {
        "triggeringAlarms": [
            {"arn": arn, "state": {"value": last.state, "timestamp": stamp(last.transitioned_at)}}
        ]
    }
    return Verdict(state, reason, json.dumps(told, separators=(",", ":")))
