"""Reading events in the order of time, from either end, out of blocks that may overlap.

Blocks are read in the order of their first events when going forward, of their last events when
going backward: so an event is next in order as soon as every block that could hold an earlier one
has been read. Events that an earlier release stored one by one are a second source beside them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Awaitable, Callable
from typing import Generic, TypeAlias, TypeVar

from cumulet.services.cloudwatch.limits import (
    BLOCK_SPAN_MS,
    SCAN_BLOCKS_MAX,
    SCAN_BLOCKS_MIN,
    SCAN_BYTES,
    SCAN_EVENTS_MAX,
    SCAN_EVENTS_MIN,
    WALK_BYTES_MAX,
)
from cumulet.services.cloudwatch.logs.blocks import Block, Position
from cumulet.services.cloudwatch.model import Event

R = TypeVar("R", bound="Block | Event")
Read: TypeAlias = Callable[[Position, Position, int], Awaitable[list[R]]]
"""Reads records whose places are between two positions, at most so many, in the walk's order."""
_Placed: TypeAlias = tuple[Position, Event]


class _Source(Generic[R]):
    """One kind of record, read a page at a time.

    Every event that is not read yet lies behind `reached` in the walk's direction.
    """

    def __init__(
        self, read: Read[R], low: Position, high: Position, counts: tuple[int, int], forward: bool
    ) -> None:
        self._read: Read[R] = read
        self._low = low
        self._high = high
        self._count, self._count_max = self._count_min, _ = counts
        self._forward = forward
        self.reached: Position | None = None
        self.is_done = False

    def narrow(self, low: Position, high: Position) -> None:
        """Read no further than this in the walk's direction."""
        if self._forward:
            self._high = min(self._high, high)
        else:
            self._low = max(self._low, low)

    async def more(self) -> list[R]:
        """The next page; bounded in bytes by what the records of the last one had."""
        page = await self._read(self._low, self._high, self._count)
        self.is_done = len(page) < self._count
        if page:
            last = self.reached = _edge(page[-1], self._forward)
            if self._forward:
                self._low = Position(last.timestamp_ms, last.sequence + 1)
            else:
                self._high = last
            average = max(1, sum(record.size_bytes for record in page) // len(page))
            fitting = min(SCAN_BYTES // average, self._count * 4, self._count_max)
            self._count = max(self._count_min, fitting)
        return page


class Walk:
    """Reads a range of events, low <= place < high, a part at a time, with bounded memory."""

    def __init__(
        self,
        blocks: Read[Block],
        single: Read[Event],
        low: Position,
        high: Position,
        *,
        forward: bool,
    ) -> None:
        self._blocks = blocks
        self._single = single
        self._rest: tuple[Position, Position] | None = (low, high)
        self._forward = forward
        self._pending: list[_Placed] = []
        self._pending_bytes = 0
        self._begin()

    @property
    def is_done(self) -> bool:
        """Whether the last event has been taken."""
        return not (self._pending or self._rest or self._unread())

    async def take(self, limit: int) -> list[Event]:
        """The next events, at most `limit`; none when there are no more."""
        while not (ready := min(self._count_ready(), limit)):
            if unread := self._unread():
                await self._read_on(unread)
            elif not self._begin():
                return []
        taken = [event for _, event in self._pending[:ready]]
        del self._pending[:ready]
        self._pending_bytes -= sum(event.size_bytes for event in taken)
        return taken

    def _begin(self) -> bool:
        """Read what is left of the range, from its beginning; False when nothing is."""
        if self._rest is None:
            return False
        (low, high), self._rest = self._rest, None
        self._low, self._high = low, high
        if self._forward:
            reach = Position(max(0, low.timestamp_ms - BLOCK_SPAN_MS), 0), high
        else:
            reach = low, Position(high.timestamp_ms + BLOCK_SPAN_MS, 0)
        self._sources: tuple[_Source[Block], _Source[Event]] = (
            _Source(self._blocks, *reach, (SCAN_BLOCKS_MIN, SCAN_BLOCKS_MAX), self._forward),
            _Source(self._single, low, high, (SCAN_EVENTS_MIN, SCAN_EVENTS_MAX), self._forward),
        )
        return True

    def _unread(self) -> list[_Source[Block] | _Source[Event]]:
        return [source for source in self._sources if not source.is_done]

    def _count_ready(self) -> int:
        """How many of the pending events no unread record can come before."""
        reached = [source.reached for source in self._unread()]
        if None in reached:
            return 0
        if not reached:
            return len(self._pending)
        # Of two sources the one that is behind decides.
        bound = self._rank(min(reached, key=self._rank))
        return bisect_right(self._pending, bound, key=lambda one: self._rank(one[0]))

    def _rank(self, place: Position | None) -> tuple[int, int]:
        """Grows in the walk's direction."""
        assert place is not None
        return place if self._forward else (-place.timestamp_ms, -place.sequence)

    async def _read_on(self, unread: list[_Source[Block] | _Source[Event]]) -> None:
        """Read a page of the source that is furthest behind."""
        fresh = [source for source in unread if source.reached is None]
        source = fresh[0] if fresh else min(unread, key=lambda one: self._rank(one.reached))
        for record in await source.more():
            for event in record.events() if isinstance(record, Block) else (record,):
                place = Position(event.timestamp_ms, event.sequence)
                if self._low <= place < self._high:
                    self._pending.append((place, event))
                    self._pending_bytes += event.size_bytes
        self._pending.sort(key=lambda one: self._rank(one[0]))
        if self._pending_bytes > WALK_BYTES_MAX:
            self._leave_out()

    def _leave_out(self) -> None:
        """Give up the later half of what is pending: it is read again when its turn comes."""
        end = self._rest or (self._low, self._high)
        while self._pending_bytes > WALK_BYTES_MAX // 2 and len(self._pending) > 1:
            place, event = self._pending.pop()
            self._pending_bytes -= event.size_bytes
        if self._forward:
            self._high, self._rest = place, (place, end[1])
        else:
            self._low = Position(place.timestamp_ms, place.sequence + 1)
            self._rest = (end[0], self._low)
        for source in self._sources:
            source.narrow(self._low, self._high)


def _edge(record: Block | Event, forward: bool) -> Position:
    """By which of its places a record is read."""
    if isinstance(record, Block):
        return record.first if forward else record.last
    return Position(record.timestamp_ms, record.sequence)
