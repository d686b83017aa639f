"""Key layout and transactions of CloudWatch Logs.

Events lie in blocks, in the order of their first events within a group, so that a filter reads one
range; the indexes have those of one stream in order, and the order of their last events.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TypeAlias

import msgspec

from cumulet.core.identity import Scope
from cumulet.kit.workers.deliveries import DeliveryTables
from cumulet.kv.contract import Transaction, read_count
from cumulet.kv.space import Space
from cumulet.kv.table import Table
from cumulet.services.cloudwatch.limits import METRIC_FILTERS_MAX, SUBSCRIPTION_FILTERS_MAX
from cumulet.services.cloudwatch.logs.blocks import Block, Line, Position, make_blocks
from cumulet.services.cloudwatch.model import (
    Event,
    Group,
    MetricFilter,
    QueryDefinition,
    Stream,
    SubscriptionFilter,
)

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

"""Events that earlier releases stored one by one: read and removed, no longer written."""
BLOCKS: Table[Block] = Table(
    "logs",
    "block",
    Block,
    lambda block: (block.group_uid, *block.first, block.stream_uid),
    indexes={
        "end": lambda block: [(block.group_uid, *block.last)],
        "stream": lambda block: [(block.group_uid, block.stream_uid, *block.first)],
        "stream_end": lambda block: [(block.group_uid, block.stream_uid, *block.last)],
    },
)

METRIC_FILTERS: Table[MetricFilter] = Table(
    "logs", "metric filter", MetricFilter, lambda one: (one.group_uid, one.name)
)
SUBSCRIPTIONS: Table[SubscriptionFilter] = Table(
    "logs", "subscription", SubscriptionFilter, lambda one: (one.group_uid, one.name)
)
SUBSCRIPTION_QUEUE = DeliveryTables("logs")
QUERY_DEFINITIONS: Table[QueryDefinition] = Table(
    "logs",
    "query definition",
    QueryDefinition,
    lambda one: (one.id,),
    indexes={"name": lambda one: [(one.name,)]},
)
FILTER_TABLES = (METRIC_FILTERS, SUBSCRIPTIONS, QUERY_DEFINITIONS, *SUBSCRIPTION_QUEUE.all)

Place: TypeAlias = tuple[str] | tuple[str, str]
"""What is read: a group by its uid, or one of its streams by both uids."""


class Dropped(msgspec.Struct, frozen=True):
    """A group that was deleted and whose events are still to be removed."""

    group_uid: str


DROPPED: Table[Dropped] = Table("logs", "dropped", Dropped, lambda dropped: (dropped.group_uid,))
TABLES = (GROUPS, STREAMS, EVENTS, BLOCKS, DROPPED, *FILTER_TABLES)


def _bytes_key(scope: Scope, group_uid: str) -> bytes:
    return Space((scope.account, scope.region, "logs", "bytes")).pack((group_uid,))


async def load_group(tx: Transaction, scope: Scope, name: str) -> Group | None:
    """The group of that name."""
    return await GROUPS.load(tx, scope, name)


async def load_stored_bytes(tx: Transaction, scope: Scope, group: Group) -> int:
    """The size of a group's events, as CloudWatch counts it."""
    return max(0, read_count(await tx.get(_bytes_key(scope, group.uid))))


async def load_metric_filters(tx: Transaction, scope: Scope, group_uid: str) -> list[MetricFilter]:
    """The metric filters of a group, by name."""
    return await METRIC_FILTERS.scan(tx, scope, group_uid, limit=METRIC_FILTERS_MAX)


async def load_subscriptions(
    tx: Transaction, scope: Scope, group_uid: str
) -> list[SubscriptionFilter]:
    """The subscription filters of a group, by name."""
    return await SUBSCRIPTIONS.scan(tx, scope, group_uid, limit=SUBSCRIPTION_FILTERS_MAX)


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
    for filtered in await load_metric_filters(tx, scope, group.uid):
        await METRIC_FILTERS.drop(tx, scope, group.uid, filtered.name)
    for subscribed in await load_subscriptions(tx, scope, group.uid):
        await SUBSCRIPTIONS.drop(tx, scope, group.uid, subscribed.name)
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
    """Write events of one stream, and what the stream and its group say of them.

    The same lines may be written again: they take the same places.
    """
    size = 0
    first_ms, last_ms = stream.first_ms, stream.last_ms
    for block in make_blocks(group, stream, lines, now_ms):
        BLOCKS.add(tx, scope, block)
        size += block.size_bytes
        first_ms = min(first_ms or block.first_ms, block.first_ms)
        last_ms = max(last_ms, block.last_ms)
    await STREAMS.save(
        tx,
        scope,
        msgspec.structs.replace(stream, first_ms=first_ms, last_ms=last_ms, ingested_ms=now_ms),
    )
    tx.count(_bytes_key(scope, group.uid), size)


async def read_blocks(
    tx: Transaction, scope: Scope, place: Place, low: Position, high: Position, count: int,
    *, forward: bool,
) -> list[Block]:  # fmt: skip
    """Blocks with low <= place < high in the order of their places.

    A block's place is that of its first event when going forward, else that of its last.
    """
    begin, end = (*place, *low), (*place, *high)
    if forward and len(place) == 1:
        return await BLOCKS.scan_between(tx, scope, begin, end, limit=count)
    index = ("stream" if forward else "stream_end") if len(place) > 1 else "end"
    return await BLOCKS.lookup_between(
        tx, scope, index, begin, end, limit=count, reverse=not forward
    )


async def read_single(
    tx: Transaction, scope: Scope, place: Place, low: Position, high: Position, count: int,
    *, forward: bool,
) -> list[Event]:  # fmt: skip
    """The events that earlier releases stored one by one, as `read_blocks` reads blocks."""
    begin, end = (*place, *low), (*place, *high)
    if len(place) > 1:
        return await EVENTS.lookup_between(
            tx, scope, "stream", begin, end, limit=count, reverse=not forward
        )
    return await EVENTS.scan_between(tx, scope, begin, end, limit=count, reverse=not forward)


async def _remove(
    tx: Transaction,
    scope: Scope,
    group_uid: str,
    blocks: Sequence[Block],
    single: Sequence[Event],
) -> int:
    """Remove records of events; returns how many."""
    for block in blocks:
        await BLOCKS.drop(tx, scope, *BLOCKS.key_of(block))
    for event in single:
        await EVENTS.drop(tx, scope, *EVENTS.key_of(event))
    size = sum(block.size_bytes for block in blocks) + sum(event.size_bytes for event in single)
    if size:
        tx.count(_bytes_key(scope, group_uid), -size)
    return len(blocks) + len(single)


async def drop_events(
    tx: Transaction, scope: Scope, group_uid: str, before_ms: int, limit: int
) -> bool:
    """Remove the oldest events before a time, at most `limit` records; False when none is left.

    A block goes with its last event.
    """
    prefix, before = (group_uid,), (group_uid, before_ms)
    blocks = await BLOCKS.lookup_between(tx, scope, "end", prefix, before, limit=limit)
    left = limit - len(blocks)
    single = await EVENTS.scan_between(tx, scope, prefix, before, limit=left) if left else []
    return await _remove(tx, scope, group_uid, blocks, single) == limit


async def drop_stream(tx: Transaction, scope: Scope, group: str, name: str, limit: int) -> Deletion:
    """Remove a stream and its events, at most `limit` records at a time.

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
    of_it = (found.uid, stream.uid)
    blocks = await BLOCKS.lookup(tx, scope, "stream", *of_it, limit=limit)
    left = limit - len(blocks)
    single = await EVENTS.lookup(tx, scope, "stream", *of_it, limit=left) if left else []
    if await _remove(tx, scope, found.uid, blocks, single) == limit:
        return Deletion.more
    await STREAMS.drop(tx, scope, found.uid, name)
    return Deletion.done


async def drop_remains(tx: Transaction, scope: Scope, group_uid: str, limit: int) -> bool:
    """Remove a part of a deleted group; True when nothing of it is left."""
    blocks = await BLOCKS.scan(tx, scope, group_uid, limit=limit)
    left = limit - len(blocks)
    single = await EVENTS.scan(tx, scope, group_uid, limit=left) if left else []
    if await _remove(tx, scope, group_uid, blocks, single) == limit:
        return False
    streams = await STREAMS.scan(tx, scope, group_uid, limit=limit)
    for stream in streams:
        await STREAMS.drop(tx, scope, group_uid, stream.name)
    if len(streams) == limit:
        return False
    tx.clear(_bytes_key(scope, group_uid))
    await DROPPED.drop(tx, scope, group_uid)
    return True
