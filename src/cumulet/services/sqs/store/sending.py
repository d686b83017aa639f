"""Taking messages in: to the end of the line, or of their group, and each only once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.kv.tuples import AFTER
from cumulet.services.sqs.limits import (
    CONTENT_BYTES,
    CONTENT_PARTS_MAX,
    DEDUPLICATION_SECONDS,
    INLINE_BYTES,
)
from cumulet.services.sqs.model import Content, Deduplication, Group, Message, Queue
from cumulet.services.sqs.store.tables import (
    CONTENTS,
    DEDUPLICATIONS,
    GROUPS,
    MESSAGES,
    QUEUES,
    total_key,
)

_read_content = msgspec.msgpack.Decoder(tuple[str, dict[str, dict[str, Any]]]).decode


class Sent(NamedTuple):
    """What a sender is told: the id and sequence of the message, or of the one it repeats."""

    id: str
    sequence: int


async def send(
    tx: Transaction, scope: Scope, queue: Queue, messages: Sequence[Message], now_ms: int
) -> list[Sent] | None:
    """Add messages to a queue; None when it is not there any more."""
    current = await QUEUES.load(tx, scope, queue.name)
    if current is None or current.uid != queue.uid:
        return None
    sent = []
    added = 0
    for message in messages:
        repeated = await _deduplicate(tx, scope, current, message, now_ms)
        if repeated is None:
            await put(tx, scope, message, current.is_fifo)
            added += 1
            repeated = Sent(message.id, message.sequence)
        sent.append(repeated)
    count_more(tx, scope, queue.uid, added)
    return sent


async def _deduplicate(
    tx: Transaction, scope: Scope, queue: Queue, message: Message, now_ms: int
) -> Sent | None:
    if not message.deduplication or not queue.is_fifo:
        return None
    by_group = queue.attributes.get("DeduplicationScope") == "messageGroup"
    # A group's name cannot be empty, so the queue's own place is no group's.
    place = message.group if by_group else ""
    known = await DEDUPLICATIONS.load(tx, scope, queue.uid, place, message.deduplication)
    if known is not None and known.expires_ms > now_ms:
        return Sent(known.message_id, known.sequence)
    fresh = Deduplication(
        queue.uid,
        place,
        message.deduplication,
        now_ms + DEDUPLICATION_SECONDS * 1000,
        message.id,
        message.sequence,
    )
    await DEDUPLICATIONS.save(tx, scope, fresh)
    return None


async def put(tx: Transaction, scope: Scope, message: Message, is_fifo: bool) -> None:
    """Write a new message at its place, its contents apart when they are long.

    The caller tells `count_more` of it, of several at once.
    """
    body = message.body or ""
    if len(body) > INLINE_BYTES or message.attributes:
        packed = msgspec.msgpack.encode((body, message.attributes))
        if len(packed) > INLINE_BYTES:
            for part, start in enumerate(range(0, len(packed), CONTENT_BYTES)):
                data = packed[start : start + CONTENT_BYTES]
                CONTENTS.add(tx, scope, Content(message.queue, message.sequence, part, data))
            message = msgspec.structs.replace(message, body=None, attributes={})
    MESSAGES.add(tx, scope, message)
    if is_fifo:
        await _join(tx, scope, message)


async def _join(tx: Transaction, scope: Scope, message: Message) -> None:
    """Let the group know of a message that comes last in it."""
    group = await GROUPS.load(tx, scope, message.queue, message.group)
    if group is None:
        group = Group(message.queue, message.group, message.visible_ms, message.sequence)
        await GROUPS.save(tx, scope, group)
    elif message.sequence < group.first:
        await GROUPS.save(tx, scope, msgspec.structs.replace(group, first=message.sequence))


def remove(tx: Transaction, scope: Scope, message: Message) -> None:
    """Remove a message, as this transaction has read it, with its contents.

    The caller tells `count_more` of it, of several at once.
    """
    MESSAGES.replace(tx, scope, message, None)
    if message.body is None:
        begin = CONTENTS.prefix(scope, message.queue, message.sequence)
        tx.clear(begin, begin + AFTER)


def count_more(tx: Transaction, scope: Scope, uid: str, change: int) -> None:
    """A queue has so many messages more, or fewer, than before."""
    if change:
        tx.count(total_key(scope, uid), change)


async def whole(tx: Transaction, scope: Scope, message: Message) -> Message:
    """The message with its contents."""
    if message.body is not None:
        return message
    parts = await CONTENTS.scan(tx, scope, message.queue, message.sequence, limit=CONTENT_PARTS_MAX)
    body, attributes = _read_content(b"".join(one.data for one in parts))
    return msgspec.structs.replace(message, body=body, attributes=attributes)
