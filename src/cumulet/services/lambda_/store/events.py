"""The queue of asynchronous events in the store."""

from __future__ import annotations

import itertools

from cumulet.core.identity import Scope
from cumulet.services.lambda_.limits import EVENT_PART_BYTES, EVENTS_QUEUED_MAX
from cumulet.services.lambda_.model import Event, EventPart
from cumulet.services.lambda_.store.tables import EVENT_PARTS, EVENTS, NOWHERE, Tx

_PARTS_MAX = 64


async def enqueue(tx: Tx, scope: Scope, event: Event, payload: bytes) -> None:
    """Add an event with its payload."""
    await EVENTS.save(tx, NOWHERE, event)
    for number, begin in zip(itertools.count(), range(0, len(payload), EVENT_PART_BYTES)):
        part = payload[begin : begin + EVENT_PART_BYTES]
        await EVENT_PARTS.save(tx, NOWHERE, EventPart(event.event_id, number, part))


async def load_payload(tx: Tx, scope: Scope, event_id: str) -> bytes:
    """The payload of an event."""
    parts = await EVENT_PARTS.scan(tx, NOWHERE, event_id, limit=_PARTS_MAX)
    return b"".join(part.content for part in parts)


async def scan_due(tx: Tx, scope: Scope, limit: int) -> list[Event]:
    """Events in the order of their times, the next one first."""
    return await EVENTS.lookup(tx, NOWHERE, "due", limit=limit)


async def postpone(tx: Tx, scope: Scope, event: Event) -> None:
    """Write an event again with its new time and counts, if it is still there."""
    if await EVENTS.load(tx, NOWHERE, event.event_id) is not None:
        await EVENTS.save(tx, NOWHERE, event)


async def finish(tx: Tx, scope: Scope, event_id: str) -> None:
    """Remove an event with its payload."""
    await EVENTS.drop(tx, NOWHERE, event_id)
    for part in await EVENT_PARTS.scan(tx, NOWHERE, event_id, limit=_PARTS_MAX):
        await EVENT_PARTS.drop(tx, NOWHERE, event_id, part.number)


async def count_events(tx: Tx, scope: Scope) -> int:
    """How many events wait, up to the bound of the queue."""
    return len(await EVENTS.scan(tx, NOWHERE, limit=EVENTS_QUEUED_MAX))
