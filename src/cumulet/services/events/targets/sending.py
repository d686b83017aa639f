"""Bringing a payload to a target, and dead letters to their queue."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context, Platform
from cumulet.core.errors import AwsError
from cumulet.core.identity import Principal, Scope, parse_arn, root_principal, service_principal
from cumulet.kit.ports import LogSink
from cumulet.services.events.errors import ResourceNotFoundException, ValidationException
from cumulet.services.events.targets.roles import Roles

LOGS_PREFIX = "log-group:"
_STREAM_HOUR_SECONDS = 3_600


class Parcel(NamedTuple):
    """What goes to a target: its payload, and who sends it on whose behalf.

    `source` is the ARN of the rule or schedule; without a role, `service` itself comes. `passed`
    is what a bus gets of an event that is passed on, `group` the message group of a FIFO queue.
    `trace_header` is X-Ray's.
    """

    target: str
    payload: str
    service: str
    source: str
    scope: Scope
    role: str = ""
    group: str = ""
    passed: dict[str, Any] | None = None
    trace_header: str = ""


async def sender(platform: Platform, parcel: Parcel) -> Context:
    """A context of who brings the parcel. Raises AccessDenied."""
    principal = await _principal(platform, parcel)
    scope = Scope(principal.account or parcel.scope.account, parcel.scope.region)
    ctx = platform.context(scope, principal, request_id=new_uuid(platform.clock))
    return ctx.carrying(parcel.trace_header)


async def _principal(platform: Platform, parcel: Parcel) -> Principal:
    if parcel.role:
        return await platform.need(Roles).take(parcel.role, parcel.service, parcel.source)
    arn = parse_arn(parcel.target)
    if arn is not None and arn.service == "events":
        # Without a role a bus asks the account, as its policy names accounts.
        return root_principal(parcel.scope.account)
    said = {"aws:SourceArn": parcel.source, "aws:SourceAccount": parcel.scope.account}
    return service_principal(parcel.service, parcel.scope.account, said)


async def bring(platform: Platform, parcel: Parcel) -> None:
    """Bring a parcel to its target. Raises the target's errors."""
    arn = parse_arn(parcel.target)
    if arn is None:
        raise ValidationException(f"{parcel.target} is no target.")
    ctx = await sender(platform, parcel)
    match arn.service:
        case "lambda":
            await ctx.call(
                "lambda",
                "Invoke",
                FunctionName=parcel.target,
                InvocationType="Event",
                Payload=parcel.payload.encode(),
            )
        case "sqs":
            more = {"MessageGroupId": parcel.group} if parcel.group else {}
            await put(ctx, parcel.target, parcel.payload, more)
        case "sns":
            there = ctx.acting_as(ctx.caller, region=arn.region)
            await there.call("sns", "Publish", TopicArn=parcel.target, Message=parcel.payload)
        case "events":
            await _pass_on(ctx, arn.region, parcel)
        case "logs":
            await _log(platform, parcel, arn.resource)
        case _:
            raise ValidationException(f"{parcel.target} is not supported by Cumulet.")


async def put(ctx: Context, queue: str, body: str, more: dict[str, Any]) -> None:
    """Send to a queue by its ARN."""
    arn = parse_arn(queue)
    if arn is None:
        raise ValidationException(f"{queue} is no queue.")
    url = f"{ctx.endpoint}/{arn.account}/{arn.resource}"
    there = ctx.acting_as(ctx.caller, region=arn.region)
    await there.call("sqs", "SendMessage", QueueUrl=url, MessageBody=body, **more)


async def _pass_on(ctx: Context, region: str, parcel: Parcel) -> None:
    there = ctx.acting_as(ctx.caller, region=region)
    entry = {**(parcel.passed or {}), "EventBusName": parcel.target}
    answer = await there.call("events", "PutEvents", Entries=[entry])
    for one in answer["Entries"]:
        if "ErrorCode" in one:
            raise AwsError(one.get("ErrorMessage", ""), code=one["ErrorCode"])


async def _log(platform: Platform, parcel: Parcel, resource: str) -> None:
    """Write to a log group of the rule's own account, which must be there."""
    group = resource.removeprefix(LOGS_PREFIX).removesuffix(":*")
    own = platform.context(parcel.scope, root_principal(parcel.scope.account))
    found = await own.call("logs", "DescribeLogGroups", logGroupNamePrefix=group)
    if not any(one["logGroupName"] == group for one in found["logGroups"]):
        raise ResourceNotFoundException(f"The log group {group} does not exist.")
    sink = platform.need(LogSink)
    now = platform.clock.now()
    hour = int(now) // _STREAM_HOUR_SECONDS * _STREAM_HOUR_SECONDS
    sink.write(parcel.scope, group, str(hour), int(now * 1_000), parcel.payload)
    await sink.flush()


async def put_dead_letter(
    platform: Platform, parcel: Parcel, queue: str, told: dict[str, str]
) -> None:
    """Keep what could not be brought, with why, in its attributes. Raises the queue's errors."""
    ctx = await sender(platform, parcel._replace(target=queue))
    attributes = {
        name: {"DataType": "String", "StringValue": value} for name, value in told.items() if value
    }
    body = parcel.payload or json.dumps({})
    await put(ctx, queue, body, {"MessageAttributes": attributes})
