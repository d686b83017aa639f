"""Deliveries of log events to the functions that are subscribed to them."""

from __future__ import annotations

import base64
import gzip
import json
import logging

from cumulet.core.context import Context, Platform
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope, parse_arn, service_principal
from cumulet.core.trace import log_line
from cumulet.kit.workers import Worker
from cumulet.kit.workers.deliveries import Deliveries, Job, Later, may_pass
from cumulet.services.cloudwatch import store
from cumulet.services.cloudwatch.limits import (
    SUBSCRIPTION_RETRY_SECONDS_MAX,
    SUBSCRIPTION_SECONDS_MAX,
)

_SERVICE = "logs.amazonaws.com"


class SubscriptionDeliveries(Deliveries):
    """The deliveries of all subscription filters."""

    def __init__(self, platform: Platform) -> None:
        async def carry(job: Job, data: bytes) -> Later | None:
            return await _carry_out(platform, job, data)

        super().__init__(platform, store.SUBSCRIPTION_QUEUE, carry)

    def sender(self, scope: Scope, group: str, function: str) -> Context:
        """Who invokes the functions."""
        return sender(self._platform, scope, group, function)


def sender(platform: Platform, scope: Scope, group: str, function: str) -> Context:
    """CloudWatch Logs itself, as the policy of a function sees it."""
    said = {"aws:SourceArn": group, "aws:SourceAccount": scope.account}
    ctx = platform.context(scope, service_principal(_SERVICE, scope.account, said))
    arn = parse_arn(function)
    return ctx.acting_as(ctx.caller, region=arn.region if arn is not None else scope.region)


async def _carry_out(platform: Platform, job: Job, data: bytes) -> Later | None:
    """One attempt; says when to try again."""
    task = job.task
    packed = base64.b64encode(gzip.compress(data, mtime=0)).decode()
    payload = json.dumps({"awslogs": {"data": packed}}).encode()
    ctx = sender(platform, job.scope, task["group"], task["function"])
    try:
        await ctx.call(
            "lambda",
            "Invoke",
            FunctionName=task["function"],
            InvocationType="Event",
            Payload=payload,
        )
    except AwsError as error:
        if may_pass(error) and platform.clock.now() - job.made < SUBSCRIPTION_SECONDS_MAX:
            return Later(min(SUBSCRIPTION_RETRY_SECONDS_MAX, 2.0 ** min(job.attempts, 10)))
        log_line(
            logging.WARNING, "log events were not delivered", lane=job.lane, because=error.message
        )
    return None


async def _deliver(platform: Platform) -> float:
    return await platform.need(SubscriptionDeliveries).step()


WORKERS = (Worker("log subscriptions", _deliver, wakes_on=store.SUBSCRIPTION_QUEUE.wakes_on),)
