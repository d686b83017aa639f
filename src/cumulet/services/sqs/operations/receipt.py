"""Receiving, and what is done with what was received: deletion, and a longer or shorter hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope
from cumulet.kit.ports import Metrics
from cumulet.kit.service import operation
from cumulet.kv.contract import Store, Transaction
from cumulet.services.sqs.errors import (
    InvalidParameterValueException,
    MessageNotInflight,
    OverLimit,
    invalid_value,
    no_queue,
)
from cumulet.services.sqs.hall import QueueHall, find_queue, queue_policy, queue_resource
from cumulet.services.sqs.limits import (
    IN_FLIGHT_MAX,
    RECEIVE_MAX,
    VISIBILITY_SECONDS_MAX,
    WAIT_SECONDS_MAX,
)
from cumulet.services.sqs.model import Handle, Message, Queue, queue_arn
from cumulet.services.sqs.operations.message import (
    NAMESPACE,
    batch_answer,
    check_batch,
    failure,
    shown_sequence,
)
from cumulet.services.sqs.rules.contents import (
    check_token,
    chosen_attributes,
    md5_of_attributes,
)
from cumulet.services.sqs.rules.handles import RECEIPT_BYTES, read_handle, write_handle
from cumulet.services.sqs.store.handling import Outcome, change_visibility, delete
from cumulet.services.sqs.store.receiving import Taken, Want, take
from cumulet.services.sqs.store.tables import GROUPS, MESSAGES, count_messages

Request = dict[str, Any]


@operation("ReceiveMessage", resource=queue_resource, resource_policy=queue_policy)
async def receive_message(ctx: Context, request: Request) -> dict[str, Any]:
    """Take up to ten messages, waiting for the first up to twenty seconds when asked to."""
    scope, queue = await find_queue(ctx, request["QueueUrl"])
    most = _within(request, "MaxNumberOfMessages", 1, 1, RECEIVE_MAX)
    hold = _within(
        request,
        "VisibilityTimeout",
        queue.number("VisibilityTimeout", 30),
        0,
        VISIBILITY_SECONDS_MAX,
    )
    wait = _within(
        request,
        "WaitTimeSeconds",
        queue.number("ReceiveMessageWaitTimeSeconds", 0),
        0,
        WAIT_SECONDS_MAX,
    )
    attempt = request.get("ReceiveRequestAttemptId") or ""
    if attempt:
        check_token(attempt, "ReceiveRequestAttemptId")
        if not queue.is_fifo:
            raise invalid_value(
                attempt,
                "ReceiveRequestAttemptId",
                "The request includes a parameter that is not valid for this queue type.",
            )
    await _check_flight(ctx, scope, queue)
    messages = await _wait_for(ctx, scope, queue, (most, hold * 1000, attempt), wait)
    metrics = ctx.need(Metrics)
    named = (("QueueName", queue.name),)
    if not messages:
        metrics.record(scope, NAMESPACE, "NumberOfEmptyReceives", named, 1)
        return {}
    metrics.record(scope, NAMESPACE, "NumberOfMessagesReceived", named, len(messages))
    return {"Messages": [_shown(message, request) for message in messages]}


def _within(request: Request, name: str, default: int, least: int, most: int) -> int:
    given = request.get(name)
    if given is None:
        return default
    if not least <= given <= most:
        reasons = {
            "MaxNumberOfMessages": f"Must be between {least} and {most}, if provided.",
            "WaitTimeSeconds": f"Must be >= {least} and <= {most}, if provided.",
            "VisibilityTimeout": f"VisibilityTimeout must be an integer between {least} and {most}",
        }
        raise invalid_value(given, name, reasons[name])
    return int(given)


async def _check_flight(ctx: Context, scope: Scope, queue: Queue) -> None:
    """Count what is in flight now and then, as many receives may have passed since."""
    hall = ctx.need(QueueHall)
    if not hall.is_time_to_count(queue.uid):
        return
    now_ms = int(ctx.clock.now() * 1000)

    async def count(tx: Transaction, _: Scope) -> tuple[int, int, int]:
        return await count_messages(tx, scope, queue.uid, now_ms)

    _, flying, _ = await ctx.transact(count)
    hall.counted(queue.uid, flying)
    if flying >= IN_FLIGHT_MAX:
        raise OverLimit(f"The maximum number of in flight messages is reached: {IN_FLIGHT_MAX}.")


async def _wait_for(
    ctx: Context, scope: Scope, queue: Queue, asked: tuple[int, int, str], seconds: int
) -> list[Message]:
    """The next messages; an empty list when none came in time. Raises QueueDoesNotExist."""
    if not seconds:
        return (await _take(ctx, scope, queue, asked)).messages
    table, index = (GROUPS, "ready") if queue.is_fifo else (MESSAGES, "visible")
    prefix = table.index_prefix(scope, index, queue.uid)
    watch = ctx.need(Store).watch(prefix)
    until = ctx.clock.now() + seconds
    try:
        while True:
            taken = await _take(ctx, scope, queue, asked)
            left = until - ctx.clock.now()
            if taken.messages or left <= 0:
                return taken.messages
            if taken.due_ms:
                left = min(left, max(0.001, taken.due_ms / 1000 - ctx.clock.now()))
            await watch.wait(left)
    finally:
        watch.cancel()


async def _take(ctx: Context, scope: Scope, queue: Queue, asked: tuple[int, int, str]) -> Taken:
    hall = ctx.need(QueueHall)
    most, hold_ms, attempt = asked
    want = Want(
        most,
        hold_ms,
        int(ctx.clock.now() * 1000),
        ctx.clock.random_bytes(RECEIPT_BYTES),
        hall.next_sequence(1),
        attempt,
        queue_arn(scope, queue.name),
    )

    async def run(tx: Transaction, _: Scope) -> Taken | None:
        return await take(tx, scope, queue, want, hall.lines)

    taken = await ctx.transact(run)
    if taken is None:
        raise no_queue()
    return taken


def _shown(message: Message, request: Request) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "MessageId": message.id,
        "ReceiptHandle": write_handle(message.queue, message.sequence, message.receipt),
        "MD5OfBody": message.md5,
        "Body": message.body,
    }
    wanted = [
        *(request.get("AttributeNames") or ()),
        *(request.get("MessageSystemAttributeNames") or ()),
    ]
    if wanted and (facts := _facts(message, wanted)):
        shown["Attributes"] = facts
    names = request.get("MessageAttributeNames")
    if names and message.attributes:
        chosen = chosen_attributes(message.attributes, names)
        if chosen:
            shown["MessageAttributes"] = chosen
            whole = len(chosen) == len(message.attributes)
            shown["MD5OfMessageAttributes"] = (
                message.attributes_md5 if whole else md5_of_attributes(chosen)
            )
    return shown


def _facts(message: Message, wanted: Sequence[str]) -> dict[str, str]:
    facts = {
        "SenderId": message.sender,
        "SentTimestamp": str(message.sent_ms),
        "ApproximateReceiveCount": str(message.receives),
        "ApproximateFirstReceiveTimestamp": str(message.first_received_ms),
        "MessageGroupId": message.group,
        "MessageDeduplicationId": message.deduplication,
        "SequenceNumber": shown_sequence(message.sequence) if message.deduplication else "",
        "AWSTraceHeader": message.trace_header,
        "DeadLetterQueueSourceArn": message.dead_letter_source,
    }
    wants_all = "All" in wanted
    return {key: value for key, value in facts.items() if value and (wants_all or key in wanted)}


@operation("DeleteMessage", resource=queue_resource, resource_policy=queue_policy)
async def delete_message(ctx: Context, request: Request) -> None:
    """Delete a received message."""
    scope, queue = await find_queue(ctx, request["QueueUrl"])
    text = request["ReceiptHandle"]
    [outcome] = await _delete(ctx, scope, queue, [read_handle(text, queue.uid)])
    if (error := _error_of(outcome, text)) is not None:
        raise error


@operation(
    "DeleteMessageBatch",
    action="DeleteMessage",
    resource=queue_resource,
    resource_policy=queue_policy,
)
async def delete_message_batch(ctx: Context, request: Request) -> dict[str, Any]:
    """Delete up to ten received messages; each succeeds or fails on its own."""
    scope, queue = await find_queue(ctx, request["QueueUrl"])
    entries = check_batch(request.get("Entries") or [])
    held, failed = _read_handles(queue, entries)
    outcomes = await _delete(ctx, scope, queue, [handle for _, handle in held])
    return _batch_answer(held, outcomes, failed)


def _read_handles(
    queue: Queue, entries: Sequence[Request]
) -> tuple[list[tuple[Request, Handle]], list[dict[str, Any]]]:
    held, failed = [], []
    for entry in entries:
        try:
            held.append((entry, read_handle(entry["ReceiptHandle"], queue.uid)))
        except AwsError as error:
            failed.append(failure(entry["Id"], error))
    return held, failed


def _batch_answer(
    held: Sequence[tuple[Request, Handle]],
    outcomes: Sequence[Outcome],
    failed: list[dict[str, Any]],
) -> dict[str, Any]:
    done = []
    for (entry, _), outcome in zip(held, outcomes, strict=True):
        error = _error_of(outcome, entry["ReceiptHandle"], entry.get("VisibilityTimeout"))
        if error is None:
            done.append({"Id": entry["Id"]})
        elif outcome is Outcome.NO_QUEUE:
            raise error
        else:
            failed.append(failure(entry["Id"], error))
    return batch_answer(done, failed)


async def _delete(ctx: Context, scope: Scope, queue: Queue, handles: list[Handle]) -> list[Outcome]:
    now_ms = int(ctx.clock.now() * 1000)

    async def run(tx: Transaction, _: Scope) -> list[Outcome]:
        return await delete(tx, scope, queue, handles, now_ms)

    outcomes = await ctx.transact(run)
    deleted = outcomes.count(Outcome.DONE)
    if deleted:
        metrics = ctx.need(Metrics)
        named = (("QueueName", queue.name),)
        metrics.record(scope, NAMESPACE, "NumberOfMessagesDeleted", named, deleted)
    return outcomes


def _error_of(outcome: Outcome, handle: str, visibility: int | None = None) -> AwsError | None:
    match outcome:
        case Outcome.NO_QUEUE:
            return no_queue()
        case Outcome.EXPIRED:
            return invalid_value(handle, "ReceiptHandle", "The receipt handle has expired.")
        case Outcome.NOT_IN_FLIGHT:
            return MessageNotInflight(
                f"Value {handle} for parameter ReceiptHandle is invalid. Reason: Message does "
                "not exist or is not available for visibility timeout change."
            )
        case Outcome.GONE if visibility is not None:
            return InvalidParameterValueException(
                f"Value {handle} for parameter ReceiptHandle is invalid. Reason: Message does "
                "not exist or is not available for visibility timeout change."
            )
        case _:
            return None


@operation("ChangeMessageVisibility", resource=queue_resource, resource_policy=queue_policy)
async def change_message_visibility(ctx: Context, request: Request) -> None:
    """Hold a received message for so many seconds from now on; 0 gives it back at once."""
    scope, queue = await find_queue(ctx, request["QueueUrl"])
    handle = read_handle(request["ReceiptHandle"], queue.uid)
    seconds = _hold_of(request)
    [outcome] = await _change(ctx, scope, queue, [(handle, seconds)])
    if (error := _error_of(outcome, request["ReceiptHandle"], seconds)) is not None:
        raise error


@operation(
    "ChangeMessageVisibilityBatch",
    action="ChangeMessageVisibility",
    resource=queue_resource,
    resource_policy=queue_policy,
)
async def change_message_visibility_batch(ctx: Context, request: Request) -> dict[str, Any]:
    """The same for up to ten messages; each succeeds or fails on its own."""
    scope, queue = await find_queue(ctx, request["QueueUrl"])
    entries = check_batch(request.get("Entries") or [])
    held, failed = _read_handles(queue, entries)
    changes = []
    for entry, handle in held[:]:
        try:
            changes.append((handle, _hold_of(entry)))
        except AwsError as error:
            held.remove((entry, handle))
            failed.append(failure(entry["Id"], error))
    outcomes = await _change(ctx, scope, queue, changes)
    return _batch_answer(
        [({"VisibilityTimeout": 0, **entry}, handle) for entry, handle in held], outcomes, failed
    )


def _hold_of(request: Request) -> int:
    seconds = request.get("VisibilityTimeout") or 0
    if not 0 <= seconds <= VISIBILITY_SECONDS_MAX:
        raise invalid_value(
            seconds,
            "VisibilityTimeout",
            f"VisibilityTimeout must be an integer between 0 and {VISIBILITY_SECONDS_MAX}",
        )
    return int(seconds)


async def _change(
    ctx: Context, scope: Scope, queue: Queue, changes: list[tuple[Handle, int]]
) -> list[Outcome]:
    now_ms = int(ctx.clock.now() * 1000)

    async def run(tx: Transaction, _: Scope) -> list[Outcome]:
        return await change_visibility(tx, scope, queue, changes, now_ms)

    return await ctx.transact(run)
