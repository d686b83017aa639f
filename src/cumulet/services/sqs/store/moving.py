"""Moving dead letters: a part of a task in one transaction with what the task says of itself."""

from __future__ import annotations

import msgspec

from cumulet.core.identity import Scope, parse_arn
from cumulet.kv.contract import Transaction
from cumulet.services.sqs.model import Message, MoveTask, Queue
from cumulet.services.sqs.store.receiving import settle
from cumulet.services.sqs.store.sending import count_more, put, remove, whole
from cumulet.services.sqs.store.tables import GROUPS, MESSAGES, MOVE_TASKS, QUEUES

_STEP = 1 << 10


async def move(
    tx: Transaction, scope: Scope, task: MoveTask, most: int, sequence: int, now_ms: int
) -> None:
    """Move up to `most` messages that nobody holds; the task ends when none is left."""
    current = await MOVE_TASKS.load(tx, scope, task.source, task.started_ms, task.id)
    if current is None or current.status != "RUNNING":
        return
    source = await QUEUES.load(tx, scope, task.source)
    if source is None:
        await _end(tx, scope, current, "FAILED", "AWS.SimpleQueueService.NonExistentQueue")
        return
    found = await MESSAGES.scan(tx, scope, source.uid, limit=most * 2)
    free = [one for one in found if one.visible_ms <= now_ms or not one.receives][:most]
    moved = 0
    for message in free:
        target = await _target(tx, scope, current, message)
        if target is None:
            failure = "AWS.SimpleQueueService.NonExistentQueue"
            await _end(tx, scope, _counted(current, moved), "FAILED", failure)
            return
        await _move(tx, scope, message, source, target, sequence + moved * _STEP, now_ms)
        moved += 1
    if free:
        await MOVE_TASKS.save(tx, scope, _counted(current, moved))
    elif not found:
        await _end(tx, scope, current, "COMPLETED", "")


def _counted(task: MoveTask, moved: int) -> MoveTask:
    return msgspec.structs.replace(task, moved=task.moved + moved)


async def _end(tx: Transaction, scope: Scope, task: MoveTask, status: str, failure: str) -> None:
    ended = msgspec.structs.replace(task, status=status, failure=failure)
    await MOVE_TASKS.save(tx, scope, ended)


async def _target(tx: Transaction, scope: Scope, task: MoveTask, message: Message) -> Queue | None:
    if task.destination:
        return await QUEUES.load(tx, scope, task.destination)
    arn = parse_arn(message.dead_letter_source)
    return None if arn is None else await QUEUES.load(tx, scope, arn.resource)


async def _move(
    tx: Transaction,
    scope: Scope,
    message: Message,
    source: Queue,
    target: Queue,
    sequence: int,
    now_ms: int,
) -> None:
    """A moved message counts as new: its receives and its age begin again, as on AWS."""
    moved = msgspec.structs.replace(
        await whole(tx, scope, message),
        queue=target.uid,
        sequence=sequence,
        sent_ms=now_ms,
        visible_ms=now_ms,
        receives=0,
        first_received_ms=0,
        receipt=b"",
        dead_letter_source="",
    )
    remove(tx, scope, message)
    count_more(tx, scope, source.uid, -1)
    if source.is_fifo:
        group = await GROUPS.load(tx, scope, source.uid, message.group)
        if group is not None:
            await settle(tx, scope, group, now_ms)
    await put(tx, scope, moved, target.is_fifo)
    count_more(tx, scope, target.uid, 1)
