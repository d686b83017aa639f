"""Blocks: the lines of one stream that were written together, kept as one record. Pure.

A record for each line would cost several times what the line itself does. What reads them, in the
order of time and from either end, is `walk.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

import msgspec

from cumulet.services.cloudwatch.limits import (
    BLOCK_BYTES_MAX,
    BLOCK_EVENTS_MAX,
    BLOCK_SPAN_MS,
    EVENT_OVERHEAD_BYTES,
)
from cumulet.services.cloudwatch.model import Event, Group, Stream

Line: TypeAlias = tuple[int, int, str]
"""An event to be written: its time, its place among others of that time, its text."""


class Position(NamedTuple):
    """An event's place among those of a group or stream."""

    timestamp_ms: int
    sequence: int


class Block(msgspec.Struct, frozen=True):
    """Events of one stream in their order, no two of them further apart than BLOCK_SPAN_MS.

    A line has its time and its sequence counted from those of the first. `size_bytes` is what
    CloudWatch counts for all of them.
    """

    group_uid: str
    stream_uid: str
    stream: str
    ingested_ms: int
    first_ms: int
    first_sequence: int
    last_ms: int
    last_sequence: int
    size_bytes: int
    lines: list[Line]

    @property
    def first(self) -> Position:
        """The place of the first event."""
        return Position(self.first_ms, self.first_sequence)

    @property
    def last(self) -> Position:
        """The place of the last event."""
        return Position(self.last_ms, self.last_sequence)

    def events(self) -> list[Event]:
        """The events, in their order."""
        return [
            Event(
                self.group_uid,
                self.first_ms + after_ms,
                self.first_sequence + further,
                self.stream_uid,
                self.stream,
                message,
                self.ingested_ms,
            )
            for after_ms, further, message in self.lines
        ]


def make_blocks(
    group: Group, stream: Stream, lines: Sequence[Line], now_ms: int
) -> Iterator[Block]:
    """The lines as blocks, each of bounded span, count and size; the same lines, the same blocks.

    A line longer than a block has one of its own.
    """
    ordered = sorted(lines)
    begin = size = 0
    for index, (timestamp_ms, _, message) in enumerate(ordered):
        own = EVENT_OVERHEAD_BYTES + (len(message) if message.isascii() else len(message.encode()))
        if index > begin and (
            size + own > BLOCK_BYTES_MAX
            or index - begin >= BLOCK_EVENTS_MAX
            or timestamp_ms - ordered[begin][0] >= BLOCK_SPAN_MS
        ):
            yield _block(group, stream, ordered[begin:index], size, now_ms)
            begin, size = index, 0
        size += own
    if ordered:
        yield _block(group, stream, ordered[begin:], size, now_ms)


def _block(group: Group, stream: Stream, lines: list[Line], size: int, now_ms: int) -> Block:
    first_ms, first_sequence, _ = lines[0]
    last_ms, last_sequence, _ = lines[-1]
    return Block(
        group.uid,
        stream.uid,
        stream.name,
        now_ms,
        first_ms,
        first_sequence,
        last_ms,
        last_sequence,
        size,
        [(ms - first_ms, sequence - first_sequence, text) for ms, sequence, text in lines],
    )
