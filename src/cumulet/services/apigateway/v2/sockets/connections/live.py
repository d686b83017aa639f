"""The connections that this process holds, and the records of all: nobody's end is forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from cumulet.core.clock import new_hex
from cumulet.core.context import Platform
from cumulet.kit.surface import Socket
from cumulet.kit.workers import Tasks
from cumulet.services.apigateway.v2.sockets.connections import store
from cumulet.services.apigateway.v2.sockets.connections.model import Connection
from cumulet.services.apigateway.v2.sockets.limits import (
    ENDS_AT_ONCE_MAX,
    STALE_PAGE,
    STOP_SECONDS_MAX,
)

Farewell = Callable[[Platform, Connection, int, str], Awaitable[None]]
"""Runs the `$disconnect` route of a connection that ended with a code and a reason."""

ABNORMAL = 1006


class Live:
    """One accepted connection. `key` is the value of its client's API key, or empty."""

    __slots__ = ("key", "last_active_ms", "record", "socket")

    def __init__(self, record: Connection, socket: Socket, key: str) -> None:
        self.record = record
        self.socket = socket
        self.key = key
        self.last_active_ms = record.connected_at_ms


class Connections:
    """Open connections by their ids.

    A record is written before a connection's `$connect` runs and removed after its `$disconnect`
    has. Those of a process that is gone are found at the next start, and get their `$disconnect`
    then: so every connection that an application heard of ends for it, at least once.
    """

    def __init__(self, platform: Platform, farewell: Farewell) -> None:
        self._platform = platform
        self._farewell = farewell
        self._live: dict[str, Live] = {}
        self.tasks = Tasks()
        self._ends: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Semaphore(ENDS_AT_ONCE_MAX)
        self.node = new_hex(platform.clock, 16)

    async def start(self) -> None:
        """Begin with the connections that an earlier process left behind."""
        self.tasks.start(self._sweep(), "stale connections")

    async def stop(self) -> None:
        """Wait a while for the ends under way; what is cut off is done at the next start."""
        if self._ends:
            await asyncio.wait(set(self._ends), timeout=STOP_SECONDS_MAX)
        await self.tasks.stop()

    def __len__(self) -> int:
        return len(self._live)

    def find(self, connection_id: str) -> Live | None:
        """The connection, while it is open and held here."""
        return self._live.get(connection_id)

    async def expect(self, record: Connection) -> None:
        """Write down a connection that is about to be made."""
        await self._platform.transact(store.save_connection, store.NOWHERE, record)

    async def forget(self, record: Connection) -> None:
        """Remove the record of a connection that was refused, or has ended."""
        await self._platform.transact(store.drop_connection, store.NOWHERE, record.id)

    def hold(self, live: Live) -> None:
        """The connection is open."""
        self._live[live.record.id] = live

    def release(self, record: Connection, code: int, reason: str) -> None:
        """The connection has ended: its `$disconnect` runs by itself, and its record goes."""
        self._live.pop(record.id, None)
        task = self.tasks.start(self._end(record, code, reason), "disconnect")
        self._ends.add(task)
        task.add_done_callback(self._ends.discard)

    async def _end(self, record: Connection, code: int, reason: str) -> None:
        async with self._gate:
            await self._farewell(self._platform, record, code, reason)
            await self.forget(record)

    async def _sweep(self) -> None:
        after: str | None = None
        while True:
            page = await self._platform.transact(
                store.scan_connections, store.NOWHERE, after, STALE_PAGE
            )
            if not page:
                return
            after = page[-1].id
            stale = [record for record in page if record.node != self.node]
            ends = [self._end(record, ABNORMAL, "") for record in stale]
            await asyncio.gather(*ends)
