"""Background work of SQS: retention, what expires, move tasks, and the queues' own metrics."""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.kit.ports import Metrics
from cumulet.kit.workers import Worker
from cumulet.kv.contract import Store, Transaction
from cumulet.kv.transact import transact
from cumulet.services.sqs.hall import QueueHall
from cumulet.services.sqs.limits import (
    DELETED_SECONDS,
    DUE_PAGE,
    EXPIRE_MESSAGES,
    MOVE_MESSAGES,
    OLDEST_LOOKED_AT,
    POISON_RECEIVES,
)
from cumulet.services.sqs.model import Queue
from cumulet.services.sqs.operations.message import NAMESPACE
from cumulet.services.sqs.store.moving import move
from cumulet.services.sqs.store.receiving import settle
from cumulet.services.sqs.store.sending import count_more, remove
from cumulet.services.sqs.store.tables import (
    ATTEMPTS,
    DEDUPLICATIONS,
    DELETED,
    GROUPS,
    MESSAGES,
    MOVE_TASKS,
    QUEUES,
    count_messages,
)

_MINUTE = 60.0


async def expire(platform: Platform) -> float:
    """Remove messages past their retention, old deduplications, attempts and names that rest."""
    kv = platform.need(Store)
    now = platform.clock.now()
    for scope in await kv.transact(QUEUES.scopes):
        async for queue in _queues(kv, scope):
            while await transact(kv, _expire, scope, queue, now):
                pass
    for table in (DEDUPLICATIONS, ATTEMPTS):
        for scope in await kv.transact(table.scopes):
            while await transact(kv, _forget, scope, table, now):
                pass
    for scope in await kv.transact(DELETED.scopes):
        await transact(kv, _free_names, scope, now)
    return _MINUTE


async def _queues(kv: Store, scope: Scope) -> Any:
    after: tuple[str, ...] | None = None
    while True:
        page = await transact(kv, QUEUES.scan, scope, limit=DUE_PAGE, after=after)
        for queue in page:
            yield queue
        if len(page) < DUE_PAGE:
            return
        after = (page[-1].name,)


async def _expire(tx: Transaction, scope: Scope, queue: Queue, now: float) -> bool:
    """Remove some of the oldest messages; tells whether there may be more.

    Looks at the oldest first. A dead letter keeps the time of its sending and may be older than its
    place says: those are removed when they would be received.
    """
    before_ms = int((now - queue.number("MessageRetentionPeriod", 345_600)) * 1000)
    found = await MESSAGES.scan(tx, scope, queue.uid, limit=EXPIRE_MESSAGES)
    old = [message for message in found if message.sent_ms <= before_ms]
    for message in old:
        remove(tx, scope, message)
        if queue.is_fifo:
            group = await GROUPS.load(tx, scope, queue.uid, message.group)
            if group is not None:
                await settle(tx, scope, group, int(now * 1000))
    count_more(tx, scope, queue.uid, -len(old))
    return len(old) == EXPIRE_MESSAGES


async def _forget(tx: Transaction, scope: Scope, table: Any, now: float) -> bool:
    end = (int(now * 1000),)
    found = await table.lookup_between(tx, scope, "expires", (), end, limit=EXPIRE_MESSAGES)
    for one in found:
        await table.drop(tx, scope, *table.key_of(one))
    return len(found) == EXPIRE_MESSAGES


async def _free_names(tx: Transaction, scope: Scope, now: float) -> None:
    for gone in await DELETED.scan(tx, scope, limit=DUE_PAGE):
        if now - gone.deleted_at >= DELETED_SECONDS:
            await DELETED.drop(tx, scope, gone.uid)


async def move_messages(platform: Platform) -> float:
    """Carry on with the move tasks that run: those with a pace do a second's worth at a time."""
    kv = platform.need(Store)
    hall = platform.need(QueueHall)
    hurries = False
    for scope in await kv.transact(MOVE_TASKS.scopes):
        tasks = await transact(kv, MOVE_TASKS.lookup, scope, "status", "RUNNING", limit=DUE_PAGE)
        for task in tasks:
            hurries = hurries or not task.per_second
            most = min(task.per_second or MOVE_MESSAGES, MOVE_MESSAGES)
            sequence = hall.next_sequence(most)
            now_ms = int(platform.clock.now() * 1000)
            await transact(kv, move, scope, task, most, sequence, now_ms)
    return 0.0 if hurries else 1.0


async def measure(platform: Platform) -> float:
    """Publish how many messages each queue holds, and how old its oldest is.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    """
    kv = platform.need(Store)
    metrics = platform.need(Metrics)
    now = platform.clock.now()
    now_ms = int(now * 1000)
    for scope in await kv.transact(QUEUES.scopes):
        async for queue in _queues(kv, scope):
            counts = await transact(kv, count_messages, scope, queue.uid, now_ms)
            named = (("QueueName", queue.name),)
            for kind, count in zip(("Visible", "NotVisible", "Delayed"), counts, strict=True):
                name = f"ApproximateNumberOfMessages{kind}"
                metrics.record(scope, NAMESPACE, name, named, count)
            oldest = await transact(kv, _oldest, scope, queue)
            age = 0.0 if oldest is None else max(0.0, float(round(now - oldest)))
            name = "ApproximateAgeOfOldestMessage"
            metrics.record(scope, NAMESPACE, name, named, age, "Seconds")
    return _MINUTE


async def _oldest(tx: Transaction, scope: Scope, queue: Queue) -> float | None:
    """When the oldest message came into its queue; None when it is empty.

    A message of a standard queue that was received three times, and not deleted, no longer counts:
    AWS has moved it to the back by then. A dead letter is as old as its time in this queue.
    """
    found = await MESSAGES.scan(tx, scope, queue.uid, limit=OLDEST_LOOKED_AT)
    if not queue.is_fifo:
        fresh = [message for message in found if message.receives < POISON_RECEIVES]
        found = fresh or found
    return QueueHall.time_of(found[0].sequence) if found else None


WORKERS = (
    Worker("sqs expiry", expire),
    Worker("sqs move tasks", move_messages),
    Worker("sqs metrics", measure),
)
