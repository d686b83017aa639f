"""What receivers do with messages that they hold: delete them, and hold them longer or shorter."""

from __future__ import annotations

from enum import Enum, auto

import msgspec

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.services.sqs.model import Handle, Message, Queue
from cumulet.services.sqs.store.receiving import settle
from cumulet.services.sqs.store.sending import count_more, remove
from cumulet.services.sqs.store.tables import GROUPS, MESSAGES, QUEUES


class Outcome(Enum):
    """What came of a request about a held message."""

    DONE = auto()
    NO_QUEUE = auto()
    GONE = auto()
    EXPIRED = auto()
    NOT_IN_FLIGHT = auto()


async def delete(
    tx: Transaction, scope: Scope, queue: Queue, handles: list[Handle], now_ms: int
) -> list[Outcome]:
    """Delete the messages of some handles, each on its own.

    An old handle of a standard queue deletes nothing and is no error; a FIFO queue says that the
    time of the handle is over.
    """
    current = await QUEUES.load(tx, scope, queue.name)
    if current is None or current.uid != queue.uid:
        return [Outcome.NO_QUEUE] * len(handles)
    outcomes = []
    for handle in handles:
        message = await MESSAGES.load(tx, scope, current.uid, handle.sequence)
        if message is None or message.receipt != handle.receipt:
            outcomes.append(Outcome.GONE)
        elif current.is_fifo and message.visible_ms <= now_ms:
            outcomes.append(Outcome.EXPIRED)
        else:
            remove(tx, scope, message)
            await _settle(tx, scope, current, message, now_ms)
            outcomes.append(Outcome.DONE)
    count_more(tx, scope, current.uid, -outcomes.count(Outcome.DONE))
    return outcomes


async def change_visibility(
    tx: Transaction, scope: Scope, queue: Queue, changes: list[tuple[Handle, int]], now_ms: int
) -> list[Outcome]:
    """Make each held message visible again after so many seconds from now.

    The last receiver of a standard queue may hold a message again whose time is over already.
    """
    current = await QUEUES.load(tx, scope, queue.name)
    if current is None or current.uid != queue.uid:
        return [Outcome.NO_QUEUE] * len(changes)
    outcomes = []
    for handle, seconds in changes:
        message = await MESSAGES.load(tx, scope, current.uid, handle.sequence)
        if message is None:
            outcomes.append(Outcome.GONE)
        elif message.receipt != handle.receipt:
            outcomes.append(Outcome.NOT_IN_FLIGHT)
        elif current.is_fifo and message.visible_ms <= now_ms:
            outcomes.append(Outcome.EXPIRED)
        else:
            changed = msgspec.structs.replace(message, visible_ms=now_ms + seconds * 1000)
            MESSAGES.replace(tx, scope, message, changed)
            await _settle(tx, scope, current, changed, now_ms)
            outcomes.append(Outcome.DONE)
    return outcomes


async def _settle(
    tx: Transaction, scope: Scope, queue: Queue, message: Message, now_ms: int
) -> None:
    if queue.is_fifo:
        group = await GROUPS.load(tx, scope, queue.uid, message.group)
        if group is not None:
            await settle(tx, scope, group, now_ms)
