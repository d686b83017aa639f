"""Background work of archives: replays go on, and events that were kept for their time go."""

from __future__ import annotations

import json

import msgspec

from cumulet.core.context import Platform
from cumulet.core.identity import Scope, service_principal
from cumulet.kit.workers import Worker
from cumulet.kit.workers.deliveries import Load
from cumulet.kv.contract import Store, Transaction
from cumulet.services.events.archives.model import Active, Archive, Replay, bus_of
from cumulet.services.events.archives.ready import REPLAYED
from cumulet.services.events.archives.store import (
    ACTIVE,
    ARCHIVES,
    NOWHERE,
    REPLAYS,
    Kept,
    advanced,
    expire,
    kept_between,
    save_replay,
)
from cumulet.services.events.limits import (
    ARCHIVES_MAX,
    DAY_SECONDS,
    LOOK_AGAIN_SECONDS,
    REPLAY_KEPT_SECONDS,
    REPLAY_PARTS,
    REPLAYS_PAGE,
)
from cumulet.services.events.operations.event import load_of
from cumulet.services.events.operations.rule import SERVICE
from cumulet.services.events.store import EVENT_QUEUE

FULL_SECONDS = 5.0
"""Until a replay looks again whether the targets have room."""
_HOUR = 3_600.0


class _Full(Exception):
    """Too many events wait for a target: the replay waits, too."""


async def replay_events(platform: Platform) -> float:
    """Send the next events of each replay; gives the seconds until there is more to do."""

    async def read(tx: Transaction, _: Scope) -> list[Active]:
        return await ACTIVE.scan(tx, NOWHERE, limit=REPLAYS_PAGE)

    waits = [await _go_on(platform, one) for one in await platform.transact(read, NOWHERE)]
    return min(waits, default=LOOK_AGAIN_SECONDS)


async def _go_on(platform: Platform, active: Active) -> float:
    scope = active.scope

    async def read(tx: Transaction, _: Scope) -> tuple[Replay, str, list[Kept], bool] | None:
        replay = await REPLAYS.load(tx, scope, active.name)
        if replay is None:
            await ACTIVE.drop(tx, NOWHERE, *scope, active.name)
            return None
        archive = await ARCHIVES.load(tx, scope, replay.archive)
        problem = ""
        if archive is None or archive.uid != replay.uid:
            problem = f"Archive {replay.archive} does not exist."
        return (replay, problem, *await kept_between(tx, scope, replay, REPLAY_PARTS))

    found = await platform.transact(read, scope)
    if found is None:
        return LOOK_AGAIN_SECONDS
    replay, problem, events, has_more = found
    now = platform.clock.now()
    if replay.state == "CANCELLING" or problem:
        state = "FAILED" if problem else "CANCELLED"
        ended = msgspec.structs.replace(replay, state=state, reason=problem, ended_at=now)
        await _write(platform, scope, replay, ended, [])
        return LOOK_AGAIN_SECONDS
    loads = [await _load(platform, scope, replay, event) for event in events]
    changed = advanced(replay, events, now, is_last=not has_more)
    try:
        await _write(platform, scope, replay, changed, loads)
    except _Full:
        return FULL_SECONDS
    return 0.0 if changed.is_active else LOOK_AGAIN_SECONDS


async def _load(platform: Platform, scope: Scope, replay: Replay, kept: Kept) -> Load:
    """An event as its rules see it again."""
    ctx = platform.context(scope, service_principal(SERVICE, scope.account))
    event = {**json.loads(kept.data), REPLAYED: replay.name}
    return await load_of(ctx, bus_of(scope, replay), event, 0, only=replay.rules)


async def _write(
    platform: Platform, scope: Scope, before: Replay, after: Replay, loads: list[Load]
) -> None:
    """Queue events with how far the replay has come, so that each is sent once.

    Raises _Full, and writes nothing, when a target has no room.
    """

    async def write(tx: Transaction, _: Scope) -> None:
        if await REPLAYS.load(tx, scope, before.name) != before:
            return  # It was cancelled meanwhile; the next look sees that.
        for load in loads:
            if load.drafts and await EVENT_QUEUE.add(tx, scope, load):
                raise _Full
        await save_replay(tx, scope, after)

    await platform.transact(write, scope)


async def expire_events(platform: Platform) -> float:
    """Remove archived events whose days are over, and replays that ended long ago."""
    store = platform.need(Store)
    now = platform.clock.now()
    for scope in await store.transact(ARCHIVES.scopes):
        for archive in await platform.transact(_with_days, scope):
            before_ms = int((now - archive.days * DAY_SECONDS) * 1000)
            while await platform.transact(expire, scope, archive, before_ms):
                pass
    for scope in await store.transact(REPLAYS.scopes):
        await platform.transact(_forget, scope, now - REPLAY_KEPT_SECONDS)
    return _HOUR


async def _with_days(tx: Transaction, scope: Scope) -> list[Archive]:
    found = await ARCHIVES.scan(tx, scope, limit=ARCHIVES_MAX)
    return [archive for archive in found if archive.days]


async def _forget(tx: Transaction, scope: Scope, before: float) -> None:
    for replay in await REPLAYS.scan(tx, scope, limit=REPLAYS_PAGE):
        if replay.ended_at is not None and replay.ended_at < before:
            await REPLAYS.drop(tx, scope, replay.name)


ARCHIVE_WORKERS = (
    Worker("events replays", replay_events, wakes_on=ACTIVE.prefix(NOWHERE)),
    Worker("events archives", expire_events),
)
