"""What items were before they were changed, and tables as they were at a moment.

Kept only for tables with point-in-time recovery, and while a copy of a table is being made: at
`key, time of the change, commit` lies the item that was there before, or nothing. A table at a
moment is its items now, but for those changed since: of these the first entry behind the moment.
So a table is read as it was while it is being written, in parts, each in a transaction of its own.
"""

from __future__ import annotations

from typing import NamedTuple

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.kv.tuples import pack
from cumulet.services.dynamodb.items.keys import PARTITION_BYTES, after_start
from cumulet.services.dynamodb.store.records import data_prefix

TIME_BYTES = 8
STAMP_BYTES = 12
"""Of an entry's key behind its time: the commit's version, and the order within it."""

PART_BYTES_MAX = 4 << 20
_MARK = b"\0\0"


class Source(NamedTuple):
    """A table's items at a moment, in microseconds; without history they never change."""

    scope: Scope
    data: bytes
    history: bytes = b""
    moment: int = 0


class Part(NamedTuple):
    """Keys and stored items in order, and where the next part begins; None at the end."""

    rows: list[tuple[bytes, bytes]]
    cursor: bytes | None


def moment_of(time: float) -> int:
    """A time in epoch seconds as entries have it."""
    return round(time * 1_000_000)


def history_prefix(scope: Scope, history: bytes) -> bytes:
    """With what the keys of a table's history begin."""
    return pack((scope.account, scope.region, "dynamodb", "history")) + history


def _place(primary: bytes) -> bytes:
    """A key that none other begins with, in the order of the keys themselves."""
    partition, rest = primary[:PARTITION_BYTES], primary[PARTITION_BYTES:]
    return partition + rest.replace(b"\0", b"\0\x01") + _MARK


def _bound(begin: bytes) -> bytes:
    """Where entries of keys at or behind `begin` begin."""
    if len(begin) < PARTITION_BYTES:
        return begin
    partition, rest = begin[:PARTITION_BYTES], begin[PARTITION_BYTES:]
    return partition + rest.replace(b"\0", b"\0\x01")


def _primary(place: bytes) -> bytes:
    inner = place[PARTITION_BYTES : -len(_MARK)]
    return place[:PARTITION_BYTES] + inner.replace(b"\0\x01", b"\0")


def note_before(
    tx: Transaction, prefix: bytes, primary: bytes, old: bytes | None, now: float, order: int
) -> None:
    """Keep what an item was before it is changed."""
    begin = prefix + _place(primary) + moment_of(now).to_bytes(TIME_BYTES, "big")
    tx.stamp(begin, order.to_bytes(2, "big"), old or b"")


async def read_part(tx: Transaction, source: Source, begin: bytes, limit: int) -> Part:
    """At most `limit` items, and some megabytes of them, from a key on."""
    base = data_prefix(source.scope, source.data, 0)
    end = after_start(base)
    assert end is not None
    pairs = await tx.scan(base + begin, end, limit=limit)
    rows: dict[bytes, bytes] = {}
    size = 0
    stop: bytes | None = None
    for key, packed in pairs:
        primary = key[len(base) :]
        rows[primary] = packed
        size += len(packed)
        if size > PART_BYTES_MAX:
            stop = primary + b"\0"
            break
    if stop is None and len(pairs) == limit:
        stop = pairs[-1][0][len(base) :] + b"\0"
    if source.history:
        stop = await _undo(tx, source, rows, begin, stop, limit)
    return Part(sorted(rows.items()), stop)


async def _undo(
    tx: Transaction,
    source: Source,
    rows: dict[bytes, bytes],
    begin: bytes,
    stop: bytes | None,
    limit: int,
) -> bytes | None:
    """Put what items were at the moment in the place of what they are, up to `stop`; where the
    part ends now.
    """
    prefix = history_prefix(source.scope, source.history)
    at = prefix + _bound(begin)
    end = after_start(prefix) if stop is None else prefix + _bound(stop)
    assert end is not None
    size = 0
    for _ in range(limit):
        found = await tx.scan(at, end, limit=1)
        if not found:
            return stop
        place = _place_in(found[0][0][len(prefix) :])
        primary = _primary(place)
        behind = after_start(prefix + place)
        assert behind is not None
        moment = prefix + place + source.moment.to_bytes(TIME_BYTES, "big")
        first = await tx.scan(moment, behind, limit=1)
        if first:
            rows.pop(primary, None)
            if first[0][1]:
                rows[primary] = first[0][1]
                size += len(first[0][1])
        at = behind
        if size > PART_BYTES_MAX:
            break
    else:
        if not await tx.scan(at, end, limit=1):
            return stop
    # What lies behind the last key that was looked at belongs to the next part.
    last = primary + b"\0"
    for key in [key for key in rows if key >= last]:
        del rows[key]
    return last


def _place_in(key: bytes) -> bytes:
    """The place of the item in an entry's key."""
    return key[: key.index(_MARK, PARTITION_BYTES) + len(_MARK)]


async def trim_part(
    tx: Transaction, scope: Scope, history: bytes, cursor: bytes, before: float, limit: int
) -> bytes | None:
    """Drop entries from before a time; where to go on, or None at the end."""
    prefix = history_prefix(scope, history)
    end = after_start(prefix)
    assert end is not None
    pairs = await tx.scan(prefix + cursor, end, limit=limit)
    moment = moment_of(before)
    for key, _ in pairs:
        time = key[-STAMP_BYTES - TIME_BYTES : -STAMP_BYTES]
        if int.from_bytes(time, "big") < moment:
            tx.clear(key)
    return pairs[-1][0][len(prefix) :] + b"\0" if len(pairs) == limit else None


def drop_history(tx: Transaction, scope: Scope, history: bytes) -> None:
    """Forget what a table's items were."""
    prefix = history_prefix(scope, history)
    end = after_start(prefix)
    assert end is not None
    tx.clear(prefix, end)
