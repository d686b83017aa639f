"""Key layout and transactions of CloudWatch Logs.

Events lie in the order of their times within a group, so that a filter reads one range; the index
`stream` has those of one stream in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import msgspec

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction, read_count
from cumulet.kv.space import Space
from cumulet.kv.table import Table
from cumulet.services.cloudwatch.model import Event, Group, Stream

GROUPS: Table[Group] = Table("logs", "group", Group, lambda group: (group.name,))
STREAMS: Table[Stream] = Table(
    "logs",
    "stream",
    Stream,
    lambda stream: (stream.group_uid, stream.name),
    indexes={"by_time": lambda stream: [(stream.group_uid, stream.last_ms)]},
)
EVENTS: Table[Event] = Table(
    "logs",
    "event",
    Event,
    lambda event: (event.group_uid, event.timestamp_ms, event.sequence, event.stream_uid),
    indexes={
        "stream": lambda event: [
            (event.group_uid, event.stream_uid, event.timestamp_ms, event.sequence)
        ]
    },
)


class Dropped(msgspec.Struct, frozen=True):
    """A group that was deleted and whose events are still to be removed."""

    group_uid: str


DROPPED: Table[Dropped] = Table("logs", "dropped", Dropped, lambda dropped: (dropped.group_uid,))


@dataclass(frozen=True, slots=True)
class Line:
    """An event to be written: its time, its place among others of that time, its text."""

    timestamp_ms: int
    sequence: int
    message: str


def _bytes_key(scope: Scope, group_uid: str) -> bytes:
    return Space((scope.account, scope.region, "logs", "bytes")).pack((group_uid,))


async def load_group(tx: Transaction, scope: Scope, name: str) -> Group | None:
    """The group of that name."""
    return await GROUPS.load(tx, scope, name)


async def load_stored_bytes(tx: Transaction, scope: Scope, group: Group) -> int:
    """The size of a group's events, as CloudWatch counts it."""
    return max(0, read_count(await tx.get(_bytes_key(scope, group.uid))))


class Deletion(Enum):
    """How a deletion went."""

    done = "done"
    more = "more"
    no_group = "no group"
    no_stream = "no stream"
    protected = "protected"


async def drop_group(tx: Transaction, scope: Scope, name: str) -> Deletion:
    """Remove a group; its streams and events go in the background."""
    group = await GROUPS.load(tx, scope, name)
    if group is None:
        return Deletion.no_group
    if group.is_protected:
        return Deletion.protected
    await GROUPS.drop(tx, scope, name)
    await DROPPED.save(tx, scope, Dropped(group.uid))
    tx.clear(_bytes_key(scope, group.uid))
    return Deletion.done


async def add_stream(tx: Transaction, scope: Scope, group: str, stream: Stream) -> bool | None:
    """Make a stream: None when there is no such group, False when the stream exists."""
    found = await GROUPS.load(tx, scope, group)
    if found is None:
        return None
    return await STREAMS.insert(tx, scope, msgspec.structs.replace(stream, group_uid=found.uid))


async def append(
    tx: Transaction, scope: Scope, group: Group, stream: Stream, lines: Sequence[Line], now_ms: int
) -> None:
    """Write events of one stream, and what the stream and its group say of them."""
    size = 0
    for line in lines:
        event = Event(
            group.uid,
            line.timestamp_ms,
            line.sequence,
            stream.uid,
            stream.name,
            line.message,
            now_ms,
        )
        EVENTS.add(tx, scope, event)
        size += event.size_bytes
    times = [line.timestamp_ms for line in lines]
    first = min(times) if not stream.first_ms else min(stream.first_ms, *times)
    await STREAMS.save(
        tx,
        scope,
        msgspec.structs.replace(
            stream, first_ms=first, last_ms=max(stream.last_ms, *times), ingested_ms=now_ms
        ),
    )
    tx.count(_bytes_key(scope, group.uid), size)


async def drop_events(
    tx: Transaction, scope: Scope, group_uid: str, before_ms: int, limit: int
) -> int:
    """Remove the oldest events before a time, at most `limit`; returns how many."""
    old = await EVENTS.scan_between(tx, scope, (group_uid,), (group_uid, before_ms), limit=limit)
    size = 0
    for event in old:
        await EVENTS.drop(tx, scope, *EVENTS.key_of(event))
        size += event.size_bytes
    if old:
        tx.count(_bytes_key(scope, group_uid), -size)
    return len(old)


async def drop_stream(tx: Transaction, scope: Scope, group: str, name: str, limit: int) -> Deletion:
    """Remove a stream and its events, at most `limit` at a time.

    The stream itself goes with the last of them.
    """
    found = await GROUPS.load(tx, scope, group)
    if found is None:
        return Deletion.no_group
    stream = await STREAMS.load(tx, scope, found.uid, name)
    if stream is None:
        return Deletion.no_stream
    if found.is_protected:
        return Deletion.protected
    events = await EVENTS.lookup(tx, scope, "stream", found.uid, stream.uid, limit=limit)
    for event in events:
        await EVENTS.drop(tx, scope, *EVENTS.key_of(event))
    tx.count(_bytes_key(scope, found.uid), -sum(event.size_bytes for event in events))
    if len(events) == limit:
        return Deletion.more
    await STREAMS.drop(tx, scope, found.uid, name)
    return Deletion.done


async def drop_remains(tx: Transaction, scope: Scope, group_uid: str, limit: int) -> bool:
    """Remove a part of a deleted group; True when nothing of it is left."""
    events = await EVENTS.scan(tx, scope, group_uid, limit=limit)
    for event in events:
        await EVENTS.drop(tx, scope, *EVENTS.key_of(event))
    if len(events) == limit:
        return False
    streams = await STREAMS.scan(tx, scope, group_uid, limit=limit)
    for stream in streams:
        await STREAMS.drop(tx, scope, group_uid, stream.name)
    if len(streams) == limit:
        return False
    tx.clear(_bytes_key(scope, group_uid))
    await DROPPED.drop(tx, scope, group_uid)
    return True
