"""Actions of alarms: brought to topics, functions and the default bus, at least once each."""

from __future__ import annotations

import json
import logging
from typing import Any, NamedTuple

from cumulet.core.clock import Clock, new_uuid
from cumulet.core.context import Platform
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope, parse_arn, root_principal, service_principal
from cumulet.core.trace import log_line
from cumulet.kit.workers.deliveries import Deliveries, Draft, Job, Later, Load, may_pass
from cumulet.kv.contract import Transaction
from cumulet.services.cloudwatch.alarms.limits import ACTION_SECONDS_MAX, RETRY_SECONDS_MAX
from cumulet.services.cloudwatch.alarms.model import Alarm, Change, Item, alarm_arn
from cumulet.services.cloudwatch.alarms.store import HISTORY, QUEUE
from cumulet.services.cloudwatch.alarms.telling import (
    invocation,
    notification,
    state_event,
    subject_of,
)

_TO_TOPICS = "cloudwatch.amazonaws.com"
_TO_FUNCTIONS = "lambda.alarms.cloudwatch.amazonaws.com"
_BUS = "default"
_NUMBERS = 16
"""Numbers that one change of an alarm may need: its history, its event, five actions."""


class AlarmDeliveries(Deliveries):
    """The actions of all alarms."""

    def __init__(self, platform: Platform) -> None:
        async def carry(job: Job, data: bytes) -> Later | None:
            return await _carry_out(platform, job, data)

        super().__init__(platform, QUEUE, carry)


class Moment(NamedTuple):
    """When something is done to alarms, and the ids for what follows from it."""

    now: float
    uid: str
    sequence: int

    def nth(self, number: int) -> int:
        """One of the numbers that belong to this moment."""
        return self.sequence + (number << 10)


def moment_of(clock: Clock, deliveries: AlarmDeliveries) -> Moment:
    """Now. Made before the transaction that it is for."""
    return Moment(clock.now(), new_uuid(clock), deliveries.next_sequence(_NUMBERS))


def loads_of(moment: Moment, change: Change, scope: Scope, *, event: bool, act: bool) -> list[Load]:
    """What is to be brought for a change: its event, and the actions of the new state."""
    arn = alarm_arn(scope, change.after.name)
    loads: list[Load] = []

    def add(target: str, kind: str, data: str) -> None:
        task = {
            "kind": kind,
            "target": target,
            "alarm": change.after.name,
            "type": change.after.kind,
            "subject": subject_of(change, scope),
        }
        number = len(loads) + 1
        draft = Draft(f"{arn} {target}", task, is_ordered=True)
        content = f"{moment.uid} {number}"
        loads.append(Load(content, data.encode(), [draft], moment.now, moment.nth(number)))

    if event:
        add(_BUS, "event", json.dumps(state_event(change, scope, moment.uid)))
    if act and change.after.actions_enabled:
        for action in change.after.actions():
            service = (parse_arn(action) or ("", "", ""))[1]
            if service == "sns":
                add(action, "sns", notification(change, scope))
            else:
                add(action, "lambda", invocation(change, scope))
    return loads


async def queue_loads(tx: Transaction, scope: Scope, loads: list[Load]) -> None:
    """Queue them in the transaction of the change."""
    for load in loads:
        for draft in await QUEUE.add(tx, scope, load):
            log_line(logging.WARNING, "too many actions wait; one is lost", lane=draft.lane)


async def _carry_out(platform: Platform, job: Job, data: bytes) -> Later | None:
    """One attempt; an alarm's history says how it went."""
    text = data.decode()
    try:
        await _bring(platform, job, text)
    except AwsError as error:
        if may_pass(error) and platform.clock.now() - job.made < ACTION_SECONDS_MAX:
            return Later(min(RETRY_SECONDS_MAX, 2.0 ** min(job.attempts, 10)))
        log_line(logging.WARNING, "an alarm's action failed", lane=job.lane, because=error.message)
        await _note(platform, job, text, error)
        return None
    await _note(platform, job, text, None)
    return None


async def _bring(platform: Platform, job: Job, text: str) -> None:
    scope, target = job.scope, job.task["target"]
    arn = alarm_arn(scope, job.task["alarm"])
    said = {"aws:SourceArn": arn, "aws:SourceAccount": scope.account}
    match job.task["kind"]:
        case "sns":
            # The topic's own default policy lets in whom its owner's account sends.
            said["aws:SourceOwner"] = scope.account
            ctx = platform.context(scope, service_principal(_TO_TOPICS, scope.account, said))
            there = ctx.acting_as(ctx.caller, region=_region(target, scope))
            subject = job.task["subject"]
            await there.call(
                "sns", "Publish", TopicArn=target, Message=text, Subject=subject,
                **_group(target, job.task["alarm"]),
            )  # fmt: skip
        case "lambda":
            ctx = platform.context(scope, service_principal(_TO_FUNCTIONS, scope.account, said))
            await ctx.acting_as(ctx.caller, region=_region(target, scope)).call(
                "lambda",
                "Invoke",
                FunctionName=target,
                InvocationType="Event",
                Payload=text.encode(),
            )
        case _:
            ctx = platform.context(scope, root_principal(scope.account))
            entry = {"EventBusName": target, "Passed": {"event": json.loads(text), "hops": 0}}
            await ctx.call("events", "PutEvents", Entries=[entry])


def _region(target: str, scope: Scope) -> str:
    arn = parse_arn(target)
    return arn.region if arn is not None and arn.region else scope.region


def _group(target: str, name: str) -> dict[str, Any]:
    """Topics that keep an order have a group for each alarm."""
    return {"MessageGroupId": name[:128]} if target.endswith(".fifo") else {}


async def _note(platform: Platform, job: Job, text: str, error: AwsError | None) -> None:
    """An item of the alarm's history; events on the bus have none, as on AWS."""
    if job.task["kind"] == "event":
        return
    target = job.task["target"]
    done = "Successfully executed" if error is None else "Failed to execute"
    told: dict[str, Any] = {
        "actionState": "Succeeded" if error is None else "Failed",
        "notificationResource": target,
        "stateUpdateTimestamp": int(job.made * 1000),
    }
    if error is None:
        told["publishedMessage"] = text
    else:
        told["error"] = f"{error.code}: {error.message}"
    item = Item(
        job.task["alarm"],
        platform.clock.now(),
        job.sequence,
        job.task["type"],
        "Action",
        f"{done} action {target}",
        json.dumps(told),
    )

    async def write(tx: Transaction, scope: Scope) -> None:
        HISTORY.add(tx, scope, item)

    await platform.transact(write, job.scope)


def same_state(alarm: Alarm) -> Change:
    """A change for actions that were put off: nothing but their time has come."""
    return Change(alarm, alarm)
