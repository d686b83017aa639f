"""Where asynchronous events go when they end: destinations and dead-letter queues.

Follows https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html. What is
sent is sent with the execution role's permissions.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from cumulet.core.clock import iso_time, new_uuid
from cumulet.core.context import Context
from cumulet.core.errors import AccessDenied, AwsError
from cumulet.core.http import BytesBody
from cumulet.core.identity import Arn, parse_arn, root_principal
from cumulet.sandbox import Failed, Outcome
from cumulet.services.lambda_.forms.names import LATEST, FunctionRef, qualified
from cumulet.services.lambda_.model import Event
from cumulet.services.lambda_.running.session import CANNOT_ASSUME, Session

_ERROR_MESSAGE_LENGTH_MAX = 1_000


class Ending(NamedTuple):
    """How an event ended. `condition` is AWS's word; `outcome` is None without a last attempt."""

    event: Event
    payload: bytes
    condition: str
    version: str
    outcome: Outcome | None


def record_of(ref: FunctionRef, ending: Ending, now: float) -> bytes:
    """The invocation record, as JSON."""
    event, outcome = ending.event, ending.outcome
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": iso_time(now),
        "requestContext": {
            "requestId": event.event_id,
            "functionArn": qualified(ref.unqualified_arn, ref.qualifier or LATEST),
            "condition": ending.condition,
            "approximateInvokeCount": event.attempts + (ending.condition == "Success"),
        },
        "requestPayload": msgspec.Raw(ending.payload),
    }
    if outcome is not None:
        context: dict[str, Any] = {"statusCode": 200, "executedVersion": ending.version}
        if isinstance(outcome, Failed):
            context["functionError"] = "Unhandled"
        record["responseContext"] = context
        record["responsePayload"] = _as_json(outcome.payload)
    return msgspec.json.encode(record)


def _as_json(payload: bytes) -> Any:
    try:
        msgspec.json.decode(payload, type=msgspec.Raw)
    except msgspec.DecodeError:
        return payload.decode(errors="replace")
    return msgspec.Raw(payload)


async def send(
    ctx: Context, session: Session, target: str, ref: FunctionRef, ending: Ending
) -> None:
    """Send the invocation record to a destination. Raises the target's errors."""
    arn = parse_arn(target)
    record = record_of(ref, ending, ctx.clock.now())
    role = _as_role(ctx, session)
    match arn:
        case Arn(service="sqs"):
            await _send_message(ctx, role, arn, record.decode())
        case Arn(service="lambda"):
            await role.call(
                "lambda", "Invoke", FunctionName=target, InvocationType="Event", Payload=record
            )
        case Arn(service="s3"):
            key = _object_key(ref.name, ctx.clock.now(), new_uuid(ctx.clock))
            await role.call("s3", "PutObject", Bucket=arn.resource, Key=key, Body=BytesBody(record))
        case Arn(service="sns"):
            there = role.acting_as(role.caller, region=arn.region)
            await there.call("sns", "Publish", TopicArn=target, Message=record.decode())
        case Arn(service="events"):
            await _put_event(role, arn, target, ref, ending, record.decode())
        case _:
            raise AccessDenied(f"Nothing can be sent to {target}.")


async def _put_event(
    role: Context, arn: Arn, target: str, ref: FunctionRef, ending: Ending, record: str
) -> None:
    """Tell a bus of the ending. Raises the bus's errors."""
    how = "Success" if ending.condition == "Success" else "Failure"
    entry = {
        "EventBusName": target,
        "Source": "lambda",
        "DetailType": f"Lambda Function Invocation Result - {how}",
        "Resources": [target, qualified(ref.unqualified_arn, ref.qualifier or LATEST)],
        "Detail": record,
    }
    there = role.acting_as(role.caller, region=arn.region)
    answer = await there.call("events", "PutEvents", Entries=[entry])
    for one in answer["Entries"]:
        if "ErrorCode" in one:
            raise AwsError(one["ErrorMessage"], code=one["ErrorCode"])


def _object_key(name: str, now: float, unique: str) -> str:
    day = datetime.fromtimestamp(now, UTC)
    return f"aws/lambda/async/{name}/{day:%Y/%m/%d/%Y-%m-%dT%H.%M.%S}-{unique}"


async def send_dead_letter(ctx: Context, session: Session, target: str, ending: Ending) -> None:
    """Send the event itself to a queue or topic of dead letters, with the error in attributes."""
    arn = parse_arn(target)
    if arn is None or arn.service not in ("sqs", "sns"):
        raise AccessDenied(f"Nothing can be sent to {target}.")
    outcome = ending.outcome
    message = outcome.error_message if isinstance(outcome, Failed) else ending.condition
    attributes = {
        "RequestID": {"DataType": "String", "StringValue": ending.event.event_id},
        "ErrorCode": {"DataType": "Number", "StringValue": "200" if outcome else "429"},
        "ErrorMessage": {
            "DataType": "String",
            "StringValue": message[:_ERROR_MESSAGE_LENGTH_MAX] or ending.condition,
        },
    }
    text = ending.payload.decode()
    role = _as_role(ctx, session)
    if arn.service == "sns":
        there = role.acting_as(role.caller, region=arn.region)
        await there.call(
            "sns", "Publish", TopicArn=target, Message=text, MessageAttributes=attributes
        )
        return
    await _send_message(ctx, role, arn, text, MessageAttributes=attributes)


def _as_role(ctx: Context, session: Session) -> Context:
    if session.principal is None:
        raise AccessDenied(CANNOT_ASSUME)
    return ctx.acting_as(session.principal)


async def _send_message(ctx: Context, role: Context, arn: Arn, body: str, **more: Any) -> None:
    account = ctx.acting_as(root_principal(arn.account), region=arn.region)
    found = await account.call("sqs", "GetQueueUrl", QueueName=arn.resource)
    await role.call("sqs", "SendMessage", QueueUrl=found["QueueUrl"], MessageBody=body, **more)
