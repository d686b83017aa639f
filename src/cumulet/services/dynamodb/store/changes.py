"""The changes in streams: read in the order of their commits, and trimmed after a day."""

from __future__ import annotations

from typing import Any, NamedTuple
from zlib import decompress

import msgspec
import orjson

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.kv.tuples import AFTER
from cumulet.services.dynamodb.limits import STREAM_BYTES_MAX
from cumulet.services.dynamodb.model import Stream
from cumulet.services.dynamodb.store.records import NOWHERE, STREAMS, change_prefix

PLACE_BYTES = 12
"""Of a record's place: ten of the commit's version, two of the order within it."""

_ROWS = 100


class ChangeRecord(NamedTuple):
    """One change: its place in the stream, its time in milliseconds, and what is told of it."""

    place: bytes
    time_ms: int
    told: dict[str, Any]


def prefix_of(stream: Stream) -> bytes:
    """With what the keys of a stream's records begin."""
    return change_prefix(Scope(stream.account, stream.region), stream.data)


async def load_stream(
    tx: Transaction, account: str, region: str, table: str, label: str
) -> Stream | None:
    """A stream, or None."""
    return await STREAMS.load(tx, NOWHERE, account, region, table, label)


async def scan_streams(
    tx: Transaction, scope: Scope, table: str | None, *, limit: int, after: Stream | None
) -> list[Stream]:
    """Streams of an account and region, or of one table, by table and age."""
    at = None
    if after is not None:
        at = (after.account, after.region, after.table, after.label)
    wanted = (scope.account, scope.region) if table is None else (*scope, table)
    return await STREAMS.scan(tx, NOWHERE, *wanted, limit=limit, after=at)


async def scan_all_streams(tx: Transaction, *, limit: int, after: Stream | None) -> list[Stream]:
    """Streams of all accounts."""
    at = None
    if after is not None:
        at = (after.account, after.region, after.table, after.label)
    return await STREAMS.scan(tx, NOWHERE, limit=limit, after=at)


async def read_changes(
    tx: Transaction, stream: Stream, begin: bytes, limit: int
) -> list[ChangeRecord]:
    """At most `limit` changes, and a megabyte of them, at or behind a place."""
    prefix = prefix_of(stream)
    at, end = prefix + begin, prefix + AFTER * (PLACE_BYTES + 1)
    found: list[ChangeRecord] = []
    size = 0
    while len(found) < limit and size < STREAM_BYTES_MAX:
        rows = min(limit - len(found), _ROWS)
        pairs = await tx.scan(at, end, limit=rows)
        for key, value in pairs:
            place = key[len(prefix) :]
            time_ms = int.from_bytes(value[:8], "big")
            content = value[8:] if value[8:9] == b"{" else decompress(value[8:])
            found.append(ChangeRecord(place, time_ms, orjson.loads(content)))
            size += len(value)
            if size >= STREAM_BYTES_MAX:
                break
        if len(pairs) < rows:
            break
        at = pairs[-1][0] + b"\0"
    return found


async def last_place(tx: Transaction, stream: Stream) -> bytes | None:
    """The place of the newest change, or None."""
    prefix = prefix_of(stream)
    end = prefix + AFTER * (PLACE_BYTES + 1)
    pairs = await tx.scan(prefix, end, limit=1, reverse=True)
    return pairs[0][0][len(prefix) :] if pairs else None


async def place_at(
    tx: Transaction, stream: Stream, begin: bytes, time_ms: int
) -> tuple[bytes, bool]:
    """The place of the first change at or after a time among the next ones, and whether it is
    found; when it is not, where to look on (or the end of all).
    """
    prefix = prefix_of(stream)
    end = prefix + AFTER * (PLACE_BYTES + 1)
    pairs = await tx.scan(prefix + begin, end, limit=_ROWS)
    for key, value in pairs:
        if int.from_bytes(value[:8], "big") >= time_ms:
            return key[len(prefix) :], True
    behind = pairs[-1][0][len(prefix) :] + b"\0" if pairs else begin
    return behind, len(pairs) < _ROWS


async def trim(tx: Transaction, stream: Stream, before_ms: int, limit: int) -> int:
    """Drop at most `limit` changes from before a time; returns how many went."""
    prefix = prefix_of(stream)
    pairs = await tx.scan(prefix, prefix + AFTER * (PLACE_BYTES + 1), limit=limit)
    old = [key for key, value in pairs if int.from_bytes(value[:8], "big") < before_ms]
    if old:
        tx.clear(old[0], old[-1] + b"\0")
        now = await load_stream(tx, stream.account, stream.region, stream.table, stream.label)
        if now is not None:
            trimmed = old[-1][len(prefix) :]
            await STREAMS.save(tx, NOWHERE, msgspec.structs.replace(now, trimmed=trimmed))
    return len(old)


async def drop_stream(tx: Transaction, stream: Stream) -> None:
    """Forget a stream whose records are gone."""
    await STREAMS.drop(tx, NOWHERE, stream.account, stream.region, stream.table, stream.label)
