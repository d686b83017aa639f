"""The log sink: lines of functions and gateways, gathered and written in batches."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import NamedTuple

from cumulet.core.clock import new_label
from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.core.trace import log_cause
from cumulet.kit.workers import Tasks
from cumulet.kv.contract import Store, Transaction
from cumulet.services.cloudwatch import store
from cumulet.services.cloudwatch.limits import (
    EVENT_BYTES_MAX,
    SINK_LINES_MAX,
    SINK_WAIT_SECONDS,
    SINK_WRITE_LINES,
)
from cumulet.services.cloudwatch.model import Group, Stream


class _Waiting(NamedTuple):
    scope: Scope
    group: str
    stream: str
    line: store.Line


class StoreSink:
    """The `LogSink` port on the store. Lines of one stream keep the order of `write`."""

    def __init__(self, platform: Platform) -> None:
        self._store = platform.need(Store)  # type: ignore[type-abstract]
        self._clock = platform.clock
        self._waiting: deque[_Waiting] = deque()
        self._left_out: dict[tuple[Scope, str, str], int] = {}
        self._sequence = int(self._clock.now() * 1e6)
        self._wake = asyncio.Event()
        self._tasks = Tasks()
        self._writing = asyncio.Lock()

    async def start(self) -> None:
        """Begin to write in the background."""
        self._tasks.start(self._run(), "log sink")

    async def stop(self) -> None:
        """Write what waits, and end."""
        await self.flush()
        await self._tasks.stop()

    def write(self, scope: Scope, group: str, stream: str, timestamp_ms: int, message: str) -> None:
        """Add one event; past the bound it is left out and counted."""
        if len(self._waiting) >= SINK_LINES_MAX:
            place = (scope, group, stream)
            self._left_out[place] = self._left_out.get(place, 0) + 1
            return
        self._add(scope, group, stream, timestamp_ms, message)
        if not self._wake.is_set():
            self._wake.set()

    def next_sequence(self, count: int) -> int:
        """The first of `count` numbers that grow with time, also over restarts."""
        self._sequence = max(self._sequence + 1, int(self._clock.now() * 1e6))
        first = self._sequence
        self._sequence += count
        return first

    async def flush(self) -> None:
        """Wait until all that was written so far is in the store."""
        while self._waiting or self._left_out:
            await self._write_some()

    def _add(self, scope: Scope, group: str, stream: str, timestamp_ms: int, message: str) -> None:
        line = store.Line(timestamp_ms, self.next_sequence(1), message[:EVENT_BYTES_MAX])
        self._waiting.append(_Waiting(scope, group, stream, line))

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            # A short wait gathers the lines of many invocations into one commit.
            if len(self._waiting) < SINK_WRITE_LINES:
                await self._clock.sleep(SINK_WAIT_SECONDS)
            self._wake.clear()
            try:
                await self.flush()
            except Exception as cause:
                log_cause("", "log lines could not be written", cause)
                await self._clock.sleep(1.0)
                self._wake.set()

    async def _write_some(self) -> None:
        async with self._writing:
            for (scope, group, stream), count in list(self._left_out.items()):
                now_ms = int(self._clock.now() * 1000)
                text = f"[{count} lines were left out here: they came faster than they are kept]"
                self._add(scope, group, stream, now_ms, text)
            self._left_out.clear()
            batch = [
                self._waiting.popleft() for _ in range(min(SINK_WRITE_LINES, len(self._waiting)))
            ]
            groups: dict[tuple[Scope, str, str], list[store.Line]] = {}
            for scope, group, stream, line in batch:
                groups.setdefault((scope, group, stream), []).append(line)
            if not groups:
                return
            uids = {place: (self._uid(), self._uid()) for place in groups}
            now_ms = int(self._clock.now() * 1000)

            async def write(tx: Transaction) -> None:
                for (scope, group, stream), lines in groups.items():
                    fresh = uids[scope, group, stream]
                    await _append(tx, scope, group, stream, lines, now_ms, fresh)

            try:
                await self._store.transact(write)
            except Exception:
                self._waiting.extendleft(reversed(batch))
                raise

    def _uid(self) -> str:
        return new_label(self._clock, 16)


async def _append(
    tx: Transaction,
    scope: Scope,
    group: str,
    stream: str,
    lines: list[store.Line],
    now_ms: int,
    fresh: tuple[str, str],
) -> None:
    """Write the lines, making group and stream when they are not there yet."""
    found = await store.GROUPS.load(tx, scope, group)
    if found is None:
        found = Group(group, fresh[0], now_ms)
        await store.GROUPS.save(tx, scope, found)
    into = await store.STREAMS.load(tx, scope, found.uid, stream)
    if into is None:
        into = Stream(found.uid, stream, fresh[1], now_ms)
    await store.append(tx, scope, found, into, lines, now_ms)
