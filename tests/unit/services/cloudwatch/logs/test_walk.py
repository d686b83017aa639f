"""Blocks and the walk through them: each event once, in order, in bounded memory."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.services.cloudwatch.limits import (
    BLOCK_BYTES_MAX,
    BLOCK_EVENTS_MAX,
    BLOCK_SPAN_MS,
    EVENT_OVERHEAD_BYTES,
)
from cumulet.services.cloudwatch.logs import walk as walk_module
from cumulet.services.cloudwatch.logs.blocks import Position, make_blocks
from cumulet.services.cloudwatch.logs.walk import Walk
from cumulet.services.cloudwatch.model import Event, Group, Stream

GROUP = Group("g", "group", 0)


def blocks_of(lines, stream="s"):
    return list(make_blocks(GROUP, Stream("group", stream, stream, 0), lines, 0))


def single(timestamp_ms, sequence, message):
    return Event("group", timestamp_ms, sequence, "s", "s", message, 0)


def reader(records, place, forward):
    """What a store answers about these records."""

    async def read(low, high, count):
        found = sorted((one for one in records if low <= place(one) < high), key=place)
        return (found if forward else found[::-1])[:count]

    return read


def walked(blocks, events, low, high, *, forward, limit=3):
    async def run():
        walk = Walk(
            reader(blocks, lambda one: one.first if forward else one.last, forward),
            reader(events, lambda one: Position(one.timestamp_ms, one.sequence), forward),
            low,
            high,
            forward=forward,
        )
        found = []
        while page := await walk.take(limit):
            assert len(page) <= limit
            found += page
        assert walk.is_done
        return found

    return asyncio.run(run())


LINES = st.lists(
    st.tuples(st.integers(0, 3 * BLOCK_SPAN_MS), st.sampled_from("ab"), st.booleans()), max_size=40
)


@given(LINES, st.tuples(st.integers(0, 800), st.integers(0, 800)), st.booleans(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_every_event_of_the_range_comes_once_and_in_order(lines, bounds, forward, tight):
    batches, events, everything = {}, [], []
    for sequence, (timestamp_ms, stream, is_single) in enumerate(lines):
        everything.append((timestamp_ms, sequence))
        if is_single:
            events.append(single(timestamp_ms, sequence, "x"))
        else:
            # Batches of four, so that the blocks of one stream overlap as well.
            batches.setdefault((stream, sequence // 4), []).append((timestamp_ms, sequence, "x"))
    blocks = [block for (stream, _), some in batches.items() for block in blocks_of(some, stream)]
    low, high = Position(min(bounds), 0), Position(max(bounds), 0)
    previous = walk_module.WALK_BYTES_MAX
    walk_module.WALK_BYTES_MAX = 4 * (EVENT_OVERHEAD_BYTES + 1) if tight else previous
    try:
        found = walked(blocks, events, low, high, forward=forward)
    finally:
        walk_module.WALK_BYTES_MAX = previous
    places = [(event.timestamp_ms, event.sequence) for event in found]
    expected = sorted(place for place in everything if low <= place < high)
    assert places == (expected if forward else expected[::-1])


@given(st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 9), st.text(max_size=5))))
def test_blocks_keep_every_line_within_their_bounds(lines):
    blocks = blocks_of(lines)
    kept = [(e.timestamp_ms, e.sequence, e.message) for b in blocks for e in b.events()]
    assert kept == sorted(lines)
    for block in blocks:
        assert block.last_ms - block.first_ms < BLOCK_SPAN_MS
        events = block.events()
        assert block.first == (events[0].timestamp_ms, events[0].sequence)
        assert block.last == (events[-1].timestamp_ms, events[-1].sequence)
        assert block.size_bytes == sum(event.size_bytes for event in events)


def test_blocks_are_bounded_in_count_and_bytes():
    many = blocks_of([(0, i, "x") for i in range(2 * BLOCK_EVENTS_MAX + 1)])
    assert [len(block.lines) for block in many] == [BLOCK_EVENTS_MAX, BLOCK_EVENTS_MAX, 1]
    large = blocks_of([(0, i, "x" * (BLOCK_BYTES_MAX // 2 + i)) for i in range(3)])
    assert [len(block.lines) for block in large] == [1, 1, 1]
    assert [len(block.lines) for block in blocks_of([(0, 0, "é" * BLOCK_BYTES_MAX)])] == [1]


def test_a_crowd_of_overlapping_blocks_is_walked_in_bounded_memory(monkeypatch):
    size = 1_000
    monkeypatch.setattr(walk_module, "WALK_BYTES_MAX", 20 * size)
    most = [0]
    append = Walk._read_on

    async def watched(self, unread):
        await append(self, unread)
        most[0] = max(most[0], self._pending_bytes)

    monkeypatch.setattr(Walk, "_read_on", watched)
    text = "x" * (size - EVENT_OVERHEAD_BYTES)
    blocks = []
    for index in range(300):
        # Each begins at its own time, and all of them end last of all.
        blocks += blocks_of([(index // 2, index, text), (160, 1_000 + index, text)])
    for forward in (True, False):
        found = walked(blocks, [], Position(0, 0), Position(999, 0), forward=forward, limit=7)
        places = [(event.timestamp_ms, event.sequence) for event in found]
        assert len(places) == 600
        assert places == sorted(places, reverse=not forward)
        assert most[0] <= 20 * size
