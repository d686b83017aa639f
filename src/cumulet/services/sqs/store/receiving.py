"""Handing messages out: who is next, what has come too often, what nobody wanted in time."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.services.sqs.limits import DEDUPLICATION_SECONDS, GROUPS_LOOKED_AT
from cumulet.services.sqs.model import Attempt, Group, Message, Queue
from cumulet.services.sqs.rules.attributes import RedrivePolicy, redrive_policy
from cumulet.services.sqs.store.line import Lines
from cumulet.services.sqs.store.sending import count_more, put, remove, whole
from cumulet.services.sqs.store.tables import ATTEMPTS, GROUPS, MESSAGES, QUEUES

_EXTRA = 10
"""Messages read beyond those wanted, once some went to the dead-letter queue or were too old."""

_NEVER_MS = 1 << 60


class Want(NamedTuple):
    """What a receive asks for. `sequence` and `receipt` are fresh: for dead letters and handles."""

    most: int
    visibility_ms: int
    now_ms: int
    receipt: bytes
    sequence: int
    attempt: str = ""
    source_arn: str = ""


class Taken(NamedTuple):
    """The messages of a receive, and when the next may become visible (0 for not known)."""

    messages: list[Message]
    due_ms: int


async def take(
    tx: Transaction, scope: Scope, queue: Queue, want: Want, lines: Lines
) -> Taken | None:
    """Take the next messages of a queue; None when it is not there any more."""
    current = await QUEUES.load(tx, scope, queue.name)
    if current is None or current.uid != queue.uid:
        return None
    sorter = _Sorter(tx, scope, current, want)
    await sorter.prepare()
    if current.is_fifo:
        return await _take_in_order(sorter, lines)
    end = MESSAGES.index_prefix(scope, "visible", current.uid, want.now_ms + 1)
    line = lines.of(MESSAGES.index_prefix(scope, "visible", current.uid))
    most = want.most
    while len(sorter.taken) < want.most:
        keys = await line.first(tx, end, most)
        found = await MESSAGES.load_packed(tx, scope, keys)
        for message in found:
            if len(sorter.taken) == want.most:
                break
            await sorter.offer(message)
        if len(keys) < most:
            break
        # Where some are too old or dead there are more: the next look is for more at once.
        most = want.most + _EXTRA
    due_ms = 0 if sorter.taken else await _next_message(tx, scope, current.uid, want.now_ms)
    return Taken(sorter.taken, due_ms)


async def _next_message(tx: Transaction, scope: Scope, uid: str, now_ms: int) -> int:
    begin, end = (uid, now_ms + 1), (uid, _NEVER_MS)
    found = await MESSAGES.lookup_between(tx, scope, "visible", begin, end, limit=1)
    return found[0].visible_ms if found else 0


async def _next_group(tx: Transaction, scope: Scope, uid: str, now_ms: int) -> int:
    begin, end = (uid, now_ms + 1), (uid, _NEVER_MS)
    found = await GROUPS.lookup_between(tx, scope, "ready", begin, end, limit=1)
    return found[0].ready_ms if found else 0


class _Sorter:
    """Decides of each message: too old, received too often, or taken."""

    def __init__(self, tx: Transaction, scope: Scope, queue: Queue, want: Want) -> None:
        self._tx, self._scope, self.queue, self.want = tx, scope, queue, want
        self.taken: list[Message] = []
        self.scope, self.tx = scope, tx
        retention = queue.number("MessageRetentionPeriod", 345_600)
        self._oldest_ms = want.now_ms - retention * 1000
        self._redrive: RedrivePolicy | None = None
        self._dead: Queue | None = None
        self._sequence = want.sequence

    async def prepare(self) -> None:
        """Find the dead-letter queue, if there is one."""
        self._redrive = redrive_policy(self.queue)
        if self._redrive is not None:
            self._dead = await QUEUES.load(self._tx, self._scope, self._redrive.target)

    async def offer(self, message: Message) -> bool:
        """Deal with a visible message; tells whether it was taken."""
        if message.sent_ms <= self._oldest_ms:
            remove(self._tx, self._scope, message)
            count_more(self._tx, self._scope, message.queue, -1)
            return False
        is_dead = self._redrive is not None and message.receives >= self._redrive.receives
        # A dead-letter queue that is gone keeps nothing: the message stays where it is.
        if is_dead and self._dead is not None:
            await self._bury(message, self._dead)
            return False
        want = self.want
        taken = msgspec.structs.replace(
            message,
            visible_ms=want.now_ms + want.visibility_ms,
            receives=message.receives + 1,
            first_received_ms=message.first_received_ms or want.now_ms,
            receipt=want.receipt,
        )
        MESSAGES.replace(self._tx, self._scope, message, taken)
        self.taken.append(await whole(self._tx, self._scope, taken))
        return True

    async def _bury(self, message: Message, dead: Queue) -> None:
        moved = msgspec.structs.replace(
            await whole(self._tx, self._scope, message),
            queue=dead.uid,
            sequence=self._sequence,
            visible_ms=self.want.now_ms,
            receives=message.receives,
            dead_letter_source=self.want.source_arn,
        )
        self._sequence += 1
        remove(self._tx, self._scope, message)
        count_more(self._tx, self._scope, message.queue, -1)
        await put(self._tx, self._scope, moved, dead.is_fifo)
        count_more(self._tx, self._scope, dead.uid, 1)


async def _take_in_order(sorter: _Sorter, lines: Lines) -> Taken:
    tx, scope, want = sorter.tx, sorter.scope, sorter.want
    uid = sorter.queue.uid
    if want.attempt:
        again = await _again(sorter)
        if again:
            return Taken(again, 0)
    end = GROUPS.index_prefix(scope, "ready", uid, want.now_ms + 1)
    line = lines.of(GROUPS.index_prefix(scope, "ready", uid))
    keys = await line.first(tx, end, GROUPS_LOOKED_AT)
    for group in await GROUPS.load_packed(tx, scope, keys):
        if len(sorter.taken) >= want.most:
            break
        await _take_of(sorter, group)
    if want.attempt and sorter.taken:
        sequences = tuple(message.sequence for message in sorter.taken)
        until = want.now_ms + DEDUPLICATION_SECONDS * 1000
        await ATTEMPTS.save(tx, scope, Attempt(uid, want.attempt, until, sequences))
    due_ms = 0 if sorter.taken else await _next_group(tx, scope, uid, want.now_ms)
    return Taken(sorter.taken, due_ms)


async def _take_of(sorter: _Sorter, group: Group) -> None:
    """Take the first messages of a group in their order, and hold the group back meanwhile."""
    want = sorter.want
    for message in await messages_of(sorter.tx, sorter.scope, group, want.most + _EXTRA):
        if len(sorter.taken) >= want.most or message.visible_ms > want.now_ms:
            break
        await sorter.offer(message)
    await settle(sorter.tx, sorter.scope, group, want.now_ms)


async def messages_of(tx: Transaction, scope: Scope, group: Group, limit: int) -> list[Message]:
    """The first messages of a group."""
    begin, end = (group.queue, group.name, group.first), (group.queue, group.name, 1 << 62)
    return await MESSAGES.lookup_between(tx, scope, "group", begin, end, limit=limit)


async def settle(tx: Transaction, scope: Scope, group: Group, now_ms: int) -> None:
    """Write when a group's next messages can be received; forget a group without any.

    At most ten of its messages are in flight, and they are its first: a group in flight is not
    handed out again.
    """
    first = await messages_of(tx, scope, group, _EXTRA + 1)
    if not first:
        await GROUPS.drop(tx, scope, group.queue, group.name)
        return
    flying = [one.visible_ms for one in first if one.receives and one.visible_ms > now_ms]
    # A group whose turn is over goes to the end of the line, so that none is passed over for ever.
    ready_ms = max(flying) if flying else max(first[0].visible_ms, now_ms)
    changed = msgspec.structs.replace(group, ready_ms=ready_ms, first=first[0].sequence)
    if changed != group:
        await GROUPS.save(tx, scope, changed)


async def _again(sorter: _Sorter) -> list[Message]:
    """The messages of an earlier attempt with the same id, while nothing has happened to them."""
    tx, scope, want, queue = sorter.tx, sorter.scope, sorter.want, sorter.queue
    attempt = await ATTEMPTS.load(tx, scope, queue.uid, want.attempt)
    if attempt is None or attempt.expires_ms <= want.now_ms:
        return []
    found = [await MESSAGES.load(tx, scope, queue.uid, one) for one in attempt.sequences]
    known = [one for one in found if one is not None and one.visible_ms > want.now_ms]
    if len(known) < len(found):
        return []
    visible_ms = want.now_ms + want.visibility_ms
    for message in known:
        held = msgspec.structs.replace(message, visible_ms=visible_ms, receipt=want.receipt)
        await MESSAGES.save(tx, scope, held)
        sorter.taken.append(await whole(tx, scope, held))
    group = await GROUPS.load(tx, scope, queue.uid, known[0].group)
    if group is not None:
        await settle(tx, scope, group, want.now_ms)
    return sorter.taken
