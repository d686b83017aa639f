"""Schedules whose time has come: their invocations are queued, and carried out with patience.

Follows https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.clock import iso_time, new_uuid
from cumulet.core.context import Platform
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope, parse_arn
from cumulet.core.usage import SCHEDULED
from cumulet.kit.ports import Usage
from cumulet.kit.workers import Worker
from cumulet.kit.workers.deliveries import Deliveries, Draft, Job, Later, Load
from cumulet.kv.contract import Transaction
from cumulet.services.events.delivery import keep_or_log, retry_wait
from cumulet.services.events.errors import ValidationException
from cumulet.services.events.limits import (
    LATE_SECONDS_MAX,
    LOOK_AGAIN_SECONDS,
    OCCASIONS_PAGE,
)
from cumulet.services.events.model import Invocation, Occasion, schedule_arn
from cumulet.services.events.scheduler.timing import following
from cumulet.services.events.store import (
    NOWHERE,
    SCHEDULE_OCCASIONS,
    SCHEDULE_QUEUE,
    SCHEDULES,
    save_due,
)
from cumulet.services.events.targets.sending import Parcel, bring, sender

SERVICE = "scheduler.amazonaws.com"
UNIVERSAL = "aws-sdk:"
CALLS = {
    "events:putEvents": "PutEvents",
    "lambda:invoke": "Invoke",
    "sns:publish": "Publish",
    "sqs:sendMessage": "SendMessage",
    "ssm:putParameter": "PutParameter",
}
"""The operations that universal targets may name."""
_encode = msgspec.msgpack.encode
_decode = msgspec.msgpack.Decoder(Invocation).decode


class ScheduleDeliveries(Deliveries):
    """The invocations of all schedules."""

    def __init__(self, platform: Platform) -> None:
        async def carry(job: Job, data: bytes) -> Later | None:
            return await carry_out(platform, job, data)

        super().__init__(platform, SCHEDULE_QUEUE, carry)


async def run_schedules(platform: Platform) -> float:
    """Queue the invocations that are due; gives the seconds until the next one is."""
    due = await platform.transact(_next_schedules, NOWHERE)
    for occasion in due:
        wait = occasion.due - platform.clock.now()
        if wait > 0:
            return min(wait, LOOK_AGAIN_SECONDS)
        await _fire(platform, occasion)
    return LOOK_AGAIN_SECONDS if len(due) < OCCASIONS_PAGE else 0.0


async def _next_schedules(tx: Transaction, scope: Scope) -> list[Occasion]:
    return await SCHEDULE_OCCASIONS.lookup(tx, scope, "due", limit=OCCASIONS_PAGE)


async def _fire(platform: Platform, occasion: Occasion) -> None:
    """Queue an invocation with the schedule's next time in one transaction."""
    scope, now = occasion.scope, platform.clock.now()
    arn = schedule_arn(scope, occasion.kind, occasion.name)
    execution = new_uuid(platform.clock)
    sequence = platform.need(ScheduleDeliveries).next_sequence()
    chance = int.from_bytes(platform.clock.random_bytes(4), "big") / 2.0**32

    async def write(tx: Transaction, _: Scope) -> None:
        key = (occasion.kind, occasion.name)
        if await SCHEDULE_OCCASIONS.load(tx, NOWHERE, *scope, *key) != occasion:
            return
        schedule = await SCHEDULES.load(tx, scope, *key)
        if schedule is None:
            await save_due(tx, SCHEDULE_OCCASIONS, scope, *key, None)
            return
        if now - occasion.due <= LATE_SECONDS_MAX:
            data = _encode(Invocation(arn, schedule.target, occasion.planned, execution))
            load = Load(execution, data, [Draft(arn, {})], now, sequence)
            await SCHEDULE_QUEUE.add(tx, scope, load)
        due = following(schedule, max(now, occasion.planned))
        if due is None and schedule.after_completion == "DELETE":
            await SCHEDULES.drop(tx, scope, *key)
        put_off = schedule.window_minutes * 60 * chance
        await save_due(tx, SCHEDULE_OCCASIONS, scope, *key, due, put_off)

    await platform.transact(write, scope)


async def carry_out(platform: Platform, job: Job, data: bytes) -> Later | None:
    """One attempt of an invocation; says when to try again."""
    invocation = _decode(data)
    target = invocation.target
    parcel = Parcel(
        target["Arn"],
        _payload(job, invocation),
        SERVICE,
        invocation.schedule,
        job.scope,
        role=target["RoleArn"],
        group=(target.get("SqsParameters") or {}).get("MessageGroupId") or "",
    )
    try:
        await _invoke(platform, parcel, target)
        platform.need(Usage).used(job.scope, invocation.schedule, SCHEDULED, 1.0)
    except AwsError as error:
        wait = retry_wait(platform, job, target.get("RetryPolicy") or {}, error)
        if isinstance(wait, float):
            return Later(wait)
        told = {
            "SCHEDULE_ARN": invocation.schedule,
            "TARGET_ARN": parcel.target,
            "EXECUTION_ID": invocation.execution,
            "SCHEDULED_TIME": _time(invocation.planned),
            "ERROR_CODE": error.code,
            "ERROR_MESSAGE": error.message,
            "EXHAUSTED_RETRY_CONDITION": wait,
        }
        queue = (target.get("DeadLetterConfig") or {}).get("Arn")
        await keep_or_log(platform, parcel, queue, told)
    return None


def _time(seconds: float) -> str:
    return f"{iso_time(seconds)[:19]}Z"


def _payload(job: Job, invocation: Invocation) -> str:
    """The input, with what it may say of the invocation.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
    """
    given = invocation.target.get("Input")
    if given is None:
        return json.dumps(
            {
                "version": "0",
                "id": invocation.execution,
                "detail-type": "Scheduled Event",
                "source": "aws.scheduler",
                "account": job.account,
                "time": _time(invocation.planned),
                "region": job.region,
                "resources": [invocation.schedule],
                "detail": "{}",
            }
        )
    values = {
        "schedule-arn": invocation.schedule,
        "scheduled-time": _time(invocation.planned),
        "execution-id": invocation.execution,
        "attempt-number": str(job.attempts + 1),
    }
    text = str(given)
    for name, value in values.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


async def _invoke(platform: Platform, parcel: Parcel, target: Mapping[str, Any]) -> None:
    arn = parse_arn(parcel.target)
    if arn is None:
        raise ValidationException(f"{parcel.target} is no target.")
    if arn.service == "scheduler":
        await _call(platform, parcel, arn.resource.removeprefix(UNIVERSAL))
    elif arn.service == "events":
        ctx = await sender(platform, parcel)
        given = target["EventBridgeParameters"]
        entry = {
            "EventBusName": parcel.target,
            "Source": given["Source"],
            "DetailType": given["DetailType"],
            "Detail": parcel.payload,
        }
        there = ctx.acting_as(ctx.caller, region=arn.region)
        answer = await there.call("events", "PutEvents", Entries=[entry])
        for one in answer["Entries"]:
            if "ErrorCode" in one:
                raise AwsError(one["ErrorMessage"], code=one["ErrorCode"])
    else:
        await bring(platform, parcel)


async def _call(platform: Platform, parcel: Parcel, action: str) -> None:
    """An operation that a universal target names, with the input as its request."""
    ctx = await sender(platform, parcel)
    try:
        request = json.loads(parcel.payload)
    except (ValueError, RecursionError) as cause:
        raise ValidationException("The input is not valid JSON.") from cause
    if not isinstance(request, dict):
        raise ValidationException("The input is no object.")
    if action == "lambda:invoke" and isinstance(request.get("Payload"), str):
        request["Payload"] = request["Payload"].encode()
    await ctx.call(action.partition(":")[0], CALLS[action], **request)


async def _deliver(platform: Platform) -> float:
    return await platform.need(ScheduleDeliveries).step()


WORKERS = (
    Worker("scheduler deliveries", _deliver, wakes_on=SCHEDULE_QUEUE.wakes_on),
    Worker("scheduler schedules", run_schedules, wakes_on=SCHEDULE_OCCASIONS.prefix(NOWHERE)),
)
