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
from cumulet.kv.contract import Store, Transaction, Unavailable
from cumulet.services.cloudwatch import store
from cumulet.services.cloudwatch.limits import (
    EVENT_BYTES_MAX,
    EVENT_OVERHEAD_BYTES,
    SINK_BYTES_MAX,
    SINK_LINES_MAX,
    SINK_PLACES_MAX,
    SINK_RETRY_SECONDS,
    SINK_WAIT_SECONDS,
    SINK_WRITE_BYTES,
    SINK_WRITE_LINES,
)
from cumulet.services.cloudwatch.model import Group, Stream

Place = tuple[Scope, str, str]
"""Where a line goes: scope, group and stream."""


class _Waiting(NamedTuple):
    place: Place
    line: store.Line
    size_bytes: int


class StoreSink:
    """The `LogSink` port on the store. Lines of one stream keep the order of `write`."""

    def __init__(self, platform: Platform) -> None:
        self._store = platform.need(Store)  # type: ignore[type-abstract]
        self._clock = platform.clock
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._accepted = self._settled = 0
        self._left_out: dict[Place, int] = {}
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
        if len(self._waiting) >= SINK_LINES_MAX or self._waiting_bytes >= SINK_BYTES_MAX:
            self._leave_out((scope, group, stream), 1)
            return
        self._add((scope, group, stream), timestamp_ms, message)
        if not self._wake.is_set():
            self._wake.set()

    def next_sequence(self, count: int) -> int:
        """The first of `count` numbers that grow with time, also over restarts."""
        self._sequence = max(self._sequence + 1, int(self._clock.now() * 1e6))
        first = self._sequence
        self._sequence += count
        return first

    async def flush(self) -> None:
        """Wait until all that was written so far is in the store. Raises Unavailable."""
        self._note_what_is_left_out()
        target = self._accepted
        while self._settled < target:
            await self._write_some()

    def _leave_out(self, place: Place, count: int) -> None:
        if place in self._left_out or len(self._left_out) < SINK_PLACES_MAX:
            self._left_out[place] = self._left_out.get(place, 0) + count

    def _add(self, place: Place, timestamp_ms: int, message: str) -> None:
        text, size = _cut(message)
        line = store.Line(timestamp_ms, self.next_sequence(1), text)
        self._waiting.append(_Waiting(place, line, size + EVENT_OVERHEAD_BYTES))
        self._waiting_bytes += size + EVENT_OVERHEAD_BYTES
        self._accepted += 1

    def _note_what_is_left_out(self) -> None:
        if not self._left_out:
            return
        now_ms = int(self._clock.now() * 1000)
        for place, count in self._left_out.items():
            text = f"[{count} lines were left out here: they came faster than they are kept]"
            self._add(place, now_ms, text)
        self._left_out.clear()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            # A short wait gathers the lines of many invocations into one commit.
            if len(self._waiting) < SINK_WRITE_LINES:
                await self._clock.sleep(SINK_WAIT_SECONDS)
            self._wake.clear()
            try:
                await self.flush()
            except Unavailable as cause:
                log_cause("", "log lines wait for the store", cause)
                await self._clock.sleep(SINK_RETRY_SECONDS)
                self._wake.set()

    async def _write_some(self) -> None:
        async with self._writing:
            batch = self._take_batch()
            if not batch:
                return
            lines: dict[Place, list[store.Line]] = {}
            for place, line, _ in batch:
                lines.setdefault(place, []).append(line)
            fresh = {
                place: (new_label(self._clock, 16), new_label(self._clock, 16)) for place in lines
            }
            now_ms = int(self._clock.now() * 1000)

            async def write(tx: Transaction) -> None:
                for place, some in lines.items():
                    await _append(tx, *place, some, now_ms, fresh[place])

            try:
                await self._store.transact(write)
            except Unavailable:
                self._waiting.extendleft(reversed(batch))
                self._waiting_bytes += sum(one.size_bytes for one in batch)
                raise
            except Exception as cause:
                # Lines that cannot be written must not hold up those behind them for ever.
                log_cause("", "log lines could not be written", cause, lines=len(batch))
                for place, some in lines.items():
                    self._leave_out(place, len(some))
            self._settled += len(batch)

    def _take_batch(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        size = 0
        while self._waiting and len(batch) < SINK_WRITE_LINES:
            size += self._waiting[0].size_bytes
            if batch and size > SINK_WRITE_BYTES:
                break
            batch.append(self._waiting.popleft())
        self._waiting_bytes -= sum(one.size_bytes for one in batch)
        return batch


def _cut(message: str) -> tuple[str, int]:
    """The message, or as much of its beginning as an event holds, and its size in bytes."""
    most = EVENT_BYTES_MAX - EVENT_OVERHEAD_BYTES
    if message.isascii():
        text = message[:most]
        return text, len(text)
    # Halves of surrogate pairs have no bytes, and would hold up every line beside them.
    content = message.encode(errors="replace")[:most]
    return content.decode(errors="ignore"), len(content)


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
