"""Sending: one message, or up to ten."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope
from cumulet.kit.ports import Metrics
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.sqs.errors import (
    BatchEntryIdsNotDistinct,
    BatchRequestTooLong,
    EmptyBatchRequest,
    InvalidBatchEntryId,
    InvalidParameterValueException,
    MissingRequiredParameterException,
    TooManyEntriesInBatchRequest,
    invalid_value,
    no_queue,
)
from cumulet.services.sqs.hall import QueueHall, find_queue, queue_policy, queue_resource
from cumulet.services.sqs.limits import (
    BATCH_ID_MAX,
    BATCH_MAX,
    DELAY_SECONDS_MAX,
    MESSAGE_BYTES_MAX,
)
from cumulet.services.sqs.model import Message, Queue
from cumulet.services.sqs.rules.contents import (
    check_body,
    check_token,
    content_deduplication,
    md5_of_attributes,
    md5_of_body,
    read_attributes,
    read_trace_header,
    size_of,
)
from cumulet.services.sqs.store.sending import Sent, send

Request = dict[str, Any]

NAMESPACE = "AWS/SQS"
_ENTRY_ID = re.compile(r"[A-Za-z0-9_-]+\Z")


@operation("SendMessage", resource=queue_resource, resource_policy=queue_policy)
async def send_message(ctx: Context, request: Request) -> dict[str, Any]:
    """Add a message to a queue; it is on disk when this is answered."""
    scope, queue = await find_queue(ctx, request["QueueUrl"])
    sequence = ctx.need(QueueHall).next_sequence()
    message, size = _draft(ctx, queue, request, sequence)
    [sent] = await _send(ctx, scope, queue, [message])
    _measure(ctx, scope, queue, [size], int(sent.sequence != message.sequence))
    return _answer(queue, message, sent, request)


@operation(
    "SendMessageBatch",
    action="SendMessage",
    resource=queue_resource,
    resource_policy=queue_policy,
)
async def send_message_batch(ctx: Context, request: Request) -> dict[str, Any]:
    """Add up to ten messages; each succeeds or fails on its own."""
    scope, queue = await find_queue(ctx, request["QueueUrl"])
    entries = check_batch(request.get("Entries") or [])
    hall = ctx.need(QueueHall)
    first = hall.next_sequence(len(entries))
    drafts: list[tuple[Request, Message, int]] = []
    failed = []
    total = 0
    for number, entry in enumerate(entries):
        try:
            sequence = hall.step(first, number)
            message, size = _draft(ctx, queue, entry, sequence, in_batch=True)
        except AwsError as error:
            total += len(str(entry.get("MessageBody", "")).encode())
            failed.append(failure(entry["Id"], error))
            continue
        total += size
        drafts.append((entry, message, size))
    if total > MESSAGE_BYTES_MAX:
        raise BatchRequestTooLong(
            f"Batch requests cannot be longer than {MESSAGE_BYTES_MAX} bytes. "
            f"You have sent {total} bytes."
        )
    sent = await _send(ctx, scope, queue, [message for _, message, _ in drafts])
    repeated = sum(
        one.sequence != message.sequence for (_, message, _), one in zip(drafts, sent, strict=True)
    )
    _measure(ctx, scope, queue, [size for _, _, size in drafts], repeated)
    done = [
        {"Id": entry["Id"], **_answer(queue, message, one, entry)}
        for (entry, message, _), one in zip(drafts, sent, strict=True)
    ]
    return batch_answer(done, failed)


def batch_answer(done: list[dict[str, Any]], failed: list[dict[str, Any]]) -> dict[str, Any]:
    """What a batch answers: AWS leaves out the list that has nothing in it."""
    return {**({"Successful": done} if done else {}), **({"Failed": failed} if failed else {})}


def check_batch(entries: Sequence[Request]) -> Sequence[Request]:
    """The entries. Raises the errors that concern a batch as a whole."""
    if not entries:
        raise EmptyBatchRequest(
            "There should be at least one SendMessageBatchRequestEntry in the request."
        )
    if len(entries) > BATCH_MAX:
        raise TooManyEntriesInBatchRequest(
            f"Maximum number of entries per request are {BATCH_MAX}. You have sent {len(entries)}."
        )
    seen = set()
    for entry in entries:
        name = entry["Id"]
        if not _ENTRY_ID.match(name) or len(name) > BATCH_ID_MAX:
            raise InvalidBatchEntryId(
                "A batch entry id can only contain alphanumeric characters, hyphens and "
                f"underscores. It can be at most {BATCH_ID_MAX} letters long."
            )
        if name in seen:
            raise BatchEntryIdsNotDistinct(f"Id {name} repeated.")
        seen.add(name)
    return entries


_ENTRY_CODES = {
    "InvalidParameterValueException": "InvalidParameterValue",
    "MissingRequiredParameterException": "MissingParameter",
}
"""A batch tells of its entries in the codes of the older protocol."""


def failure(name: str, error: AwsError) -> dict[str, Any]:
    """An entry's failure in a batch's answer."""
    code = _ENTRY_CODES.get(error.code, error.code)
    return {"Id": name, "SenderFault": True, "Code": code, "Message": error.message}


def _draft(
    ctx: Context, queue: Queue, request: Request, sequence: int, *, in_batch: bool = False
) -> tuple[Message, int]:
    """The message that a request describes, checked, and its size."""
    body = request["MessageBody"]
    if not body:
        raise MissingRequiredParameterException(
            "The request must contain the parameter MessageBody."
        )
    check_body(body)
    attributes = read_attributes(request.get("MessageAttributes") or {})
    size = size_of(body, attributes)
    most = queue.number("MaximumMessageSize", MESSAGE_BYTES_MAX)
    if size > most:
        raise InvalidParameterValueException(
            "One or more parameters are invalid. Reason: Message must be shorter than "
            f"{most} bytes."
        )
    delay = _delay(queue, request)
    group, deduplication = _identify(queue, request, body, in_batch)
    now_ms = int(ctx.clock.now() * 1000)
    message = Message(
        queue.uid,
        sequence,
        new_uuid(ctx.clock),
        md5_of_body(body),
        now_ms,
        ctx.caller.user_id or ctx.caller.account,
        now_ms + delay * 1000,
        body,
        attributes=attributes,
        attributes_md5=md5_of_attributes(attributes),
        trace_header=_trace_header(ctx, request),
        group=group,
        deduplication=deduplication,
    )
    return message, size


def _trace_header(ctx: Context, request: Request) -> str:
    """The X-Ray header that the sender gives as an attribute, or that came with the request.

    By the lineage in it Lambda finds loops of functions through queues.
    https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html
    """
    given = read_trace_header(request.get("MessageSystemAttributes") or {})
    return given or ctx.kept_trace_header


def _delay(queue: Queue, request: Request) -> int:
    given = request.get("DelaySeconds")
    if given is None or (queue.is_fifo and given == 0):
        return queue.number("DelaySeconds", 0)
    if queue.is_fifo:
        raise invalid_value(
            given,
            "DelaySeconds",
            "The request include parameter that is not valid for this queue type.",
        )
    if not 0 <= given <= DELAY_SECONDS_MAX:
        raise invalid_value(
            given, "DelaySeconds", f"DelaySeconds must be >= 0 and <= {DELAY_SECONDS_MAX}."
        )
    return int(given)


def _identify(queue: Queue, request: Request, body: str, in_batch: bool) -> tuple[str, str]:
    """The message's group and deduplication id, "" for none."""
    group, given = request.get("MessageGroupId"), request.get("MessageDeduplicationId")
    if group is not None:
        check_token(group, "MessageGroupId")
    if not queue.is_fifo:
        if given is not None:
            raise invalid_value(
                given,
                "MessageDeduplicationId",
                "The request includes a parameter that is not valid for this queue type.",
            )
        return group or "", ""
    if group is None:
        # Recorded answers of AWS: a batch's entry says the same with another code.
        kind = InvalidParameterValueException if in_batch else MissingRequiredParameterException
        raise kind("The request must contain the parameter MessageGroupId.")
    if given is not None:
        check_token(given, "MessageDeduplicationId")
        return group, given
    if queue.attributes.get("ContentBasedDeduplication") != "true":
        raise InvalidParameterValueException(
            "The queue should either have ContentBasedDeduplication enabled or "
            "MessageDeduplicationId provided explicitly"
        )
    return group, content_deduplication(body)


async def _send(
    ctx: Context, scope: Scope, queue: Queue, messages: Sequence[Message]
) -> list[Sent]:
    if not messages:
        return []
    now_ms = int(ctx.clock.now() * 1000)

    async def add(tx: Transaction, _: Scope) -> list[Sent] | None:
        return await send(tx, scope, queue, messages, now_ms)

    sent = await ctx.transact(add)
    if sent is None:
        raise no_queue()
    return sent


def _answer(queue: Queue, message: Message, sent: Sent, request: Request) -> dict[str, Any]:
    answer: dict[str, Any] = {"MessageId": sent.id, "MD5OfMessageBody": message.md5}
    if message.attributes_md5:
        answer["MD5OfMessageAttributes"] = message.attributes_md5
    if request.get("MessageSystemAttributes"):
        answer["MD5OfMessageSystemAttributes"] = md5_of_attributes(
            request["MessageSystemAttributes"]
        )
    if queue.is_fifo:
        answer["SequenceNumber"] = shown_sequence(sent.sequence)
    return answer


def shown_sequence(sequence: int) -> str:
    """The sequence number as clients see it: twenty digits."""
    return f"{sequence:020d}"


def _measure(ctx: Context, scope: Scope, queue: Queue, sizes: Sequence[int], repeated: int) -> None:
    metrics = ctx.need(Metrics)
    named = (("QueueName", queue.name),)
    if sizes:
        metrics.record(scope, NAMESPACE, "NumberOfMessagesSent", named, len(sizes))
    if repeated:
        metrics.record(scope, NAMESPACE, "NumberOfDeduplicatedSentMessages", named, repeated)
    for size in sizes:
        metrics.record(scope, NAMESPACE, "SentMessageSize", named, size, "Bytes")
