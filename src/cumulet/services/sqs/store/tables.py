"""The tables of SQS, and how many messages a queue has."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction, read_count
from cumulet.kv.space import Space
from cumulet.kv.table import Table
from cumulet.kv.tuples import AFTER, unpack
from cumulet.services.sqs.limits import COUNT_ENTRIES, TOTALS_REMEMBERED_MAX
from cumulet.services.sqs.model import (
    Attempt,
    Content,
    Deduplication,
    DeletedQueue,
    Group,
    Message,
    MoveTask,
    Queue,
)

SERVICE = "sqs"

QUEUES: Table[Queue] = Table(SERVICE, "queue", Queue, lambda queue: (queue.name,))
DELETED: Table[DeletedQueue] = Table(
    SERVICE,
    "deleted",
    DeletedQueue,
    lambda gone: (gone.uid,),
    indexes={"name": lambda gone: [(gone.name,)]},
)
MESSAGES: Table[Message] = Table(
    SERVICE,
    "message",
    Message,
    lambda message: (message.queue, message.sequence),
    indexes={
        # The last element tells messages in flight from delayed ones.
        "visible": lambda one: [(one.queue, one.visible_ms, 1 if one.receives else 0)],
        "group": lambda one: [(one.queue, one.group, one.sequence)] if one.group else [],
    },
)
CONTENTS: Table[Content] = Table(
    SERVICE, "content", Content, lambda one: (one.queue, one.sequence, one.part)
)
GROUPS: Table[Group] = Table(
    SERVICE,
    "group",
    Group,
    lambda group: (group.queue, group.name),
    indexes={"ready": lambda group: [(group.queue, group.ready_ms)]},
)
DEDUPLICATIONS: Table[Deduplication] = Table(
    SERVICE,
    "deduplication",
    Deduplication,
    lambda one: (one.queue, one.place, one.id),
    indexes={"expires": lambda one: [(one.expires_ms,)]},
)
ATTEMPTS: Table[Attempt] = Table(
    SERVICE,
    "attempt",
    Attempt,
    lambda one: (one.queue, one.id),
    indexes={"expires": lambda one: [(one.expires_ms,)]},
)
MOVE_TASKS: Table[MoveTask] = Table(
    SERVICE,
    "move task",
    MoveTask,
    lambda task: (task.source, task.started_ms, task.id),
    indexes={"id": lambda task: [(task.id,)], "status": lambda task: [(task.status,)]},
)

TABLES: tuple[Table[Any], ...] = (
    QUEUES,
    DELETED,
    MESSAGES,
    CONTENTS,
    GROUPS,
    DEDUPLICATIONS,
    ATTEMPTS,
    MOVE_TASKS,
)
_OF_A_QUEUE: tuple[Table[Any], ...] = (MESSAGES, CONTENTS, GROUPS)
"""What goes with the messages; deduplications and attempts end by themselves in five minutes."""


@lru_cache(TOTALS_REMEMBERED_MAX)
def total_key(scope: Scope, uid: str) -> bytes:
    """Where the number of a queue's messages is kept."""
    return Space((scope.account, scope.region, SERVICE, "total")).pack((uid,))


async def count_messages(
    tx: Transaction, scope: Scope, uid: str, now_ms: int
) -> tuple[int, int, int]:
    """How many messages of a queue can be received, are in flight, and are delayed."""
    total = read_count(await tx.get(total_key(scope, uid)))
    base = MESSAGES.index_prefix(scope, "visible")
    later = MESSAGES.index_prefix(scope, "visible", uid, now_ms + 1)
    end = MESSAGES.index_prefix(scope, "visible", uid) + AFTER
    entries = await tx.scan(later, end, limit=COUNT_ENTRIES)
    flying = sum(1 for key, _ in entries if unpack(key, len(base), count=3)[2])
    return max(0, total - len(entries)), flying, len(entries) - flying


def clear_queue(tx: Transaction, scope: Scope, uid: str) -> None:
    """Remove all messages of a queue and what belongs to them, in a few range deletions."""
    for table in _OF_A_QUEUE:
        begin = table.prefix(scope, uid)
        tx.clear(begin, begin + AFTER)
    for table, index in ((MESSAGES, "visible"), (MESSAGES, "group"), (GROUPS, "ready")):
        begin = table.index_prefix(scope, index, uid)
        tx.clear(begin, begin + AFTER)
    tx.clear(total_key(scope, uid))
