"""The log sink: lines of functions and gateways, gathered and written in batches."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from cumulet.core.clock import new_hex
from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.core.trace import log_cause
from cumulet.core.usage import GIB, LOGS_IN
from cumulet.kit.ports import Usage
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
from cumulet.services.cloudwatch.logs.arriving import NUMBERS_MAX, Arrival, arrive
from cumulet.services.cloudwatch.logs.blocks import Line
from cumulet.services.cloudwatch.logs.subscribing import SubscriptionDeliveries
from cumulet.services.cloudwatch.logs.tailing import Tails
from cumulet.services.cloudwatch.model import Group, Stream, group_arn

Place: TypeAlias = tuple[Scope, str, str]
"""Where a line goes: scope, group and stream."""

_TEXT_MAX = EVENT_BYTES_MAX - EVENT_OVERHEAD_BYTES


@dataclass(slots=True)
class _Part:
    """Lines of one place, never more than one transaction writes.

    A part is written again as it was when its transaction failed, so that what the failed one may
    have left is replaced and not doubled.
    """

    place: Place
    lines: list[Line]
    size_bytes: int


class StoreSink:
    """The `LogSink` port on the store. Lines of one stream keep the order of `write`."""

    def __init__(
        self, platform: Platform, deliveries: SubscriptionDeliveries, tails: Tails
    ) -> None:
        self._deliveries = deliveries
        self._tails = tails
        self._platform = platform
        self._store = platform.need(Store)
        self._clock = platform.clock
        self._now = platform.clock.now
        self._filling: dict[Place, _Part] = {}
        self._full: deque[_Part] = deque()
        self._waiting_lines = self._waiting_bytes = 0
        self._left_out: dict[Place, int] = {}
        self._sequence = int(self._now() * 1e6)
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
        self.write_all(scope, group, stream, ((timestamp_ms, message),))

    def write_all(
        self, scope: Scope, group: str, stream: str, lines: Sequence[tuple[int, str]]
    ) -> None:
        """Add events of one stream; past the bound they are left out and counted."""
        place = (scope, group, stream)
        if self._waiting_lines >= SINK_LINES_MAX or self._waiting_bytes >= SINK_BYTES_MAX:
            self._leave_out(place, len(lines))
        else:
            self._add(place, lines)

    def next_sequence(self, count: int) -> int:
        """The first of `count` numbers that grow with time, also over restarts."""
        first = max(self._sequence + 1, int(self._now() * 1e6))
        self._sequence = first + count - 1
        return first

    def arrival(self) -> Arrival:
        """Now, with the numbers of what may follow. Made before the transaction it is for."""
        sequence = self._deliveries.next_sequence(NUMBERS_MAX)
        return Arrival(int(self._clock.now() * 1000), new_hex(self._clock, 32), sequence)

    async def flush(self) -> None:
        """Wait until all that was written so far is in the store. Raises Unavailable."""
        self._note_what_is_left_out()
        self._full.extend(self._filling.values())
        self._filling.clear()
        async with self._writing:
            while self._full:
                await self._write_some()

    def _leave_out(self, place: Place, count: int) -> None:
        if place in self._left_out or len(self._left_out) < SINK_PLACES_MAX:
            self._left_out[place] = self._left_out.get(place, 0) + count

    def _add(self, place: Place, lines: Sequence[tuple[int, str]]) -> None:
        part = self._filling.get(place)
        if part is None:
            part = self._begin(place)
        before = part.size_bytes
        # Between two looks at the clock there are fewer lines than microseconds.
        sequence = self._sequence
        for timestamp_ms, message in lines:
            if message.isascii() and len(message) <= _TEXT_MAX:
                size = len(message)
            else:
                message, size = _cut(message)
            sequence += 1
            part.lines.append((timestamp_ms, sequence, message))
            part.size_bytes += size + EVENT_OVERHEAD_BYTES
        self._sequence = sequence
        self._waiting_lines += len(lines)
        self._waiting_bytes += part.size_bytes - before
        scope, group, _ = place
        arn = group_arn(scope, group)
        self._platform.need(Usage).used(scope, arn, LOGS_IN, (part.size_bytes - before) / GIB)
        if len(part.lines) >= SINK_WRITE_LINES or part.size_bytes >= SINK_WRITE_BYTES:
            self._full.append(self._filling.pop(place))

    def _begin(self, place: Place) -> _Part:
        if not self._filling:
            self._wake.set()
        part = self._filling[place] = _Part(place, [], 0)
        self._sequence = max(self._sequence, int(self._now() * 1e6))
        return part

    def _note_what_is_left_out(self) -> None:
        if not self._left_out:
            return
        now_ms = int(self._clock.now() * 1000)
        for place, count in self._left_out.items():
            text = f"[{count} lines were left out here: they came faster than they are kept]"
            self._add(place, ((now_ms, text),))
        self._left_out.clear()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            # A short wait gathers the lines of many invocations into one commit.
            if self._waiting_lines < SINK_WRITE_LINES:
                await self._clock.sleep(SINK_WAIT_SECONDS)
            self._wake.clear()
            try:
                await self.flush()
            except Unavailable as cause:
                log_cause("", "log lines wait for the store", cause)
                await self._clock.sleep(SINK_RETRY_SECONDS)
                self._wake.set()

    async def _write_some(self) -> None:
        parts = self._take_parts()
        ids = new_hex(self._clock, 32 * len(parts))
        fresh = {
            part.place: (ids[at : at + 16], ids[at + 16 : at + 32])
            for at, part in zip(range(0, len(ids), 32), parts, strict=True)
        }
        arrivals = [self.arrival() for _ in parts]

        async def write(tx: Transaction) -> None:
            for part, arrival in zip(parts, arrivals, strict=True):
                await _append(tx, *part.place, part.lines, arrival, fresh[part.place])

        try:
            await self._store.transact(write)
            for part, arrival in zip(parts, arrivals, strict=True):
                self._tails.tell(*part.place, part.lines, arrival.now_ms)
        except Unavailable:
            self._full.extendleft(reversed(parts))
            raise
        except Exception as cause:
            # Lines that cannot be written must not hold up those behind them for ever.
            lines = sum(len(part.lines) for part in parts)
            log_cause("", "log lines could not be written", cause, lines=lines)
            for part in parts:
                self._leave_out(part.place, len(part.lines))
        for part in parts:
            self._waiting_lines -= len(part.lines)
            self._waiting_bytes -= part.size_bytes

    def _take_parts(self) -> list[_Part]:
        """The next parts, as many as one transaction writes, and one at least."""
        parts: list[_Part] = []
        lines = size = 0
        while self._full:
            lines += len(self._full[0].lines)
            size += self._full[0].size_bytes
            if parts and (lines > SINK_WRITE_LINES or size > SINK_WRITE_BYTES):
                break
            parts.append(self._full.popleft())
        return parts


def _cut(message: str) -> tuple[str, int]:
    """The message, or as much of its beginning as an event holds, and its size in bytes."""
    # Halves of surrogate pairs have no bytes, and would hold up every line beside them.
    content = message.encode(errors="replace")[:_TEXT_MAX]
    return content.decode(errors="ignore"), len(content)


async def _append(
    tx: Transaction,
    scope: Scope,
    group: str,
    stream: str,
    lines: list[Line],
    arrival: Arrival,
    fresh: tuple[str, str],
) -> None:
    """Write the lines, making group and stream when they are not there yet."""
    found = await store.GROUPS.load(tx, scope, group)
    if found is None:
        found = Group(group, fresh[0], arrival.now_ms)
        await store.GROUPS.save(tx, scope, found)
    into = await store.STREAMS.load(tx, scope, found.uid, stream)
    if into is None:
        into = Stream(found.uid, stream, fresh[1], arrival.now_ms)
    await arrive(tx, scope, found, into, lines, arrival)
