"""Deliveries of events to the targets of rules: each tried again, by its own policy, or kept.

Follows https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.context import Platform
from cumulet.core.errors import AwsError
from cumulet.core.trace import log_line
from cumulet.kit.ports import Metrics
from cumulet.kit.workers.deliveries import Deliveries, Job, Later, may_pass
from cumulet.services.events.hall import Buses
from cumulet.services.events.limits import (
    AGE_SECONDS_DEFAULT,
    RETRIES_DEFAULT,
    RETRY_SECONDS_MAX,
)
from cumulet.services.events.model import BusName, Happening, Rule, rule_arn
from cumulet.services.events.store import EVENT_QUEUE
from cumulet.services.events.targets.inputs import Facts, payload_of
from cumulet.services.events.targets.sending import Parcel, bring, put_dead_letter

NAMESPACE = "AWS/Events"
_SERVICE = "events.amazonaws.com"
_decode = msgspec.msgpack.Decoder(Happening).decode


class EventDeliveries(Deliveries):
    """The deliveries of all rules."""

    def __init__(self, platform: Platform) -> None:
        async def carry(job: Job, data: bytes) -> Later | None:
            return await carry_out(platform, job, data)

        super().__init__(platform, EVENT_QUEUE, carry)


async def carry_out(platform: Platform, job: Job, data: bytes) -> Later | None:
    """One attempt of a delivery; says when to try again."""
    named = BusName(job.scope, job.task["bus"])
    ready = (await platform.need(Buses).rules(named)).get(job.task["rule"])
    targets = () if ready is None else ready.rule.targets
    target = next((one for one in targets if one["Id"] == job.task["target"]), None)
    if ready is None or target is None:
        return None
    parcel = _parcel(named, ready.rule, target, _decode(data))
    try:
        await bring(platform, parcel)
    except AwsError as error:
        wait = retry_wait(platform, job, target.get("RetryPolicy") or {}, error)
        if isinstance(wait, float):
            return Later(wait)
        _count(platform, named, ready.rule, "FailedInvocations")
        await give_up(platform, job, parcel, target, error, wait)
        return None
    _count(platform, named, ready.rule, "Invocations")
    return None


def _parcel(named: BusName, rule: Rule, target: Mapping[str, Any], happening: Happening) -> Parcel:
    arn = rule_arn(named.scope, named.name, rule.name)
    facts = Facts(arn, rule.name, happening.ingested_at)
    passed = {"event": json.loads(happening.event), "hops": happening.hops + 1}
    return Parcel(
        target["Arn"],
        payload_of(target, happening.event, facts),
        _SERVICE,
        arn,
        named.scope,
        role=target.get("RoleArn") or "",
        group=(target.get("SqsParameters") or {}).get("MessageGroupId") or "",
        passed={"Passed": passed, "Source": passed["event"]["source"]},
        trace_header=happening.trace_header,
    )


def retry_wait(
    platform: Platform, job: Job, policy: Mapping[str, Any], error: AwsError
) -> float | str:
    """Seconds until the next attempt; or why there is none, in AWS's words."""
    if not may_pass(error):
        return ""
    if job.attempts >= policy.get("MaximumRetryAttempts", RETRIES_DEFAULT):
        return "MaximumRetryAttempts"
    age = platform.clock.now() - job.made
    if age >= policy.get("MaximumEventAgeInSeconds", AGE_SECONDS_DEFAULT):
        return "MaximumEventAgeInSeconds"
    part = 0.5 + platform.clock.random_bytes(1)[0] / 512
    return float(min(RETRY_SECONDS_MAX, 2.0 ** min(job.attempts, 12)) * part)


async def give_up(
    platform: Platform,
    job: Job,
    parcel: Parcel,
    target: Mapping[str, Any],
    error: AwsError,
    exhausted: str,
) -> None:
    """The last attempt failed: to the queue of dead letters, if there is one.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    """
    queue = (target.get("DeadLetterConfig") or {}).get("Arn")
    told = {
        "RULE_ARN": parcel.source,
        "TARGET_ARN": parcel.target,
        "ERROR_CODE": error.code,
        "ERROR_MESSAGE": error.message,
        "EXHAUSTED_RETRY_CONDITION": exhausted,
        "RETRY_ATTEMPTS": str(job.attempts),
    }
    # Dead letters of rules are sent by EventBridge itself, whatever role the target has.
    await keep_or_log(platform, parcel._replace(role=""), queue, told)


async def keep_or_log(
    platform: Platform, parcel: Parcel, queue: str | None, told: dict[str, str]
) -> None:
    """Keep a dead letter in its queue; log it where there is none, or where it does not take it."""
    because = told["ERROR_MESSAGE"]
    if queue:
        try:
            await put_dead_letter(platform, parcel, queue, told)
            return
        except AwsError as refusal:
            because = f"{because}; {refusal.message}"
    log_line(
        logging.WARNING,
        "an event could not be delivered and is lost",
        source=parcel.source,
        target=parcel.target,
        because=because,
    )


def _count(platform: Platform, named: BusName, rule: Rule, name: str) -> None:
    metrics = platform.need(Metrics)
    metrics.record(named.scope, NAMESPACE, name, (("RuleName", rule.name),), 1)
