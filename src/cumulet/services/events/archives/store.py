"""The tables of archives and replays, and what is written of them in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction, read_count
from cumulet.kv.space import Space
from cumulet.kv.table import Table
from cumulet.kv.tuples import AFTER
from cumulet.services.events.archives.model import Active, Archive, KeptPart, Replay
from cumulet.services.events.limits import EXPIRE_PARTS, PART_BYTES

SERVICE = "events"
NOWHERE = Scope("", "")

ARCHIVES: Table[Archive] = Table(SERVICE, "archive", Archive, lambda one: (one.name,))
KEPT: Table[KeptPart] = Table(
    SERVICE,
    "archived event",
    KeptPart,
    lambda one: (one.archive, one.time_ms, one.sequence, one.number),
    indexes={"arrived": lambda one: [(one.archive, one.arrived_ms)]},
)
REPLAYS: Table[Replay] = Table(SERVICE, "replay", Replay, lambda one: (one.name,))
ACTIVE: Table[Active] = Table(
    SERVICE,
    "active replay",
    Active,
    lambda one: (one.account, one.region, one.name),
    extent="global",
)
ARCHIVE_TABLES: tuple[Table[Any], ...] = (ARCHIVES, KEPT, REPLAYS, ACTIVE)


class Keeping(NamedTuple):
    """An event that an archive is to keep."""

    scope: Scope
    archive: Archive
    time_ms: int
    sequence: int
    arrived_ms: int
    data: bytes


class Kept(NamedTuple):
    """An archived event and its place."""

    time_ms: int
    sequence: int
    data: bytes


def _total(scope: Scope, uid: str, what: str) -> bytes:
    return Space((scope.account, scope.region, SERVICE, "archive total")).pack((uid, what))


async def keep(tx: Transaction, one: Keeping) -> None:
    """Put an event into an archive, unless that is gone meanwhile."""
    current = await ARCHIVES.load(tx, one.scope, one.archive.name)
    if current is None or current.uid != one.archive.uid:
        return
    starts = range(0, len(one.data), PART_BYTES)
    for number, start in enumerate(starts):
        part = KeptPart(
            current.uid,
            one.time_ms,
            one.sequence,
            number,
            one.arrived_ms,
            number == len(starts) - 1,
            one.data[start : start + PART_BYTES],
        )
        KEPT.add(tx, one.scope, part)
    tx.count(_total(one.scope, current.uid, "events"), 1)
    tx.count(_total(one.scope, current.uid, "bytes"), len(one.data))


async def read_totals(tx: Transaction, scope: Scope, uid: str) -> tuple[int, int]:
    """How many events an archive has, and their bytes."""
    events = read_count(await tx.get(_total(scope, uid, "events")))
    return events, read_count(await tx.get(_total(scope, uid, "bytes")))


async def kept_between(
    tx: Transaction, scope: Scope, replay: Replay, parts: int
) -> tuple[list[Kept], bool]:
    """The next events of a replay, and whether there may be more."""
    begin = (replay.uid, replay.next_ms, replay.next_sequence)
    end = (replay.uid, int(replay.end * 1000) + 1)
    found = await KEPT.scan_between(tx, scope, begin, end, limit=parts)
    events: list[Kept] = []
    data = b""
    for part in found:
        data += part.data
        if part.is_last:
            events.append(Kept(part.time_ms, part.sequence, data))
            data = b""
    return events, len(found) == parts


async def drop_archive(tx: Transaction, scope: Scope, archive: Archive) -> None:
    """Remove an archive with all that is in it."""
    await ARCHIVES.drop(tx, scope, archive.name)
    for begin in (
        KEPT.prefix(scope, archive.uid),
        KEPT.index_prefix(scope, "arrived", archive.uid),
    ):
        tx.clear(begin, begin + AFTER)
    for what in ("events", "bytes"):
        tx.clear(_total(scope, archive.uid, what))


async def expire(tx: Transaction, scope: Scope, archive: Archive, before_ms: int) -> bool:
    """Remove some events that have been kept for their time; tells whether there may be more."""
    begin, end = (archive.uid,), (archive.uid, before_ms)
    found = await KEPT.lookup_between(tx, scope, "arrived", begin, end, limit=EXPIRE_PARTS)
    for part in found:
        KEPT.replace(tx, scope, part, None)
        tx.count(_total(scope, archive.uid, "events"), -int(part.is_last))
        tx.count(_total(scope, archive.uid, "bytes"), -len(part.data))
    return len(found) == EXPIRE_PARTS


async def save_replay(tx: Transaction, scope: Scope, replay: Replay) -> None:
    """Write a replay, and whether the worker has more to do for it."""
    await REPLAYS.save(tx, scope, replay)
    if replay.is_active:
        await ACTIVE.save(tx, NOWHERE, Active(*scope, replay.name))
    else:
        await ACTIVE.drop(tx, NOWHERE, *scope, replay.name)


def advanced(replay: Replay, seen: Sequence[Kept], now: float, *, is_last: bool) -> Replay:
    """A replay after some more events were sent."""
    changed = msgspec.structs.replace(replay, state="COMPLETED" if is_last else "RUNNING")
    if seen:
        last = seen[-1]
        changed = msgspec.structs.replace(
            changed,
            next_ms=last.time_ms,
            next_sequence=last.sequence + 1,
            last_time=last.time_ms / 1000,
        )
    return msgspec.structs.replace(changed, ended_at=now) if is_last else changed
