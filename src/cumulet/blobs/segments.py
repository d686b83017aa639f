"""Several blobs read as one, for objects that were uploaded in parts and never joined."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import NamedTuple

from cumulet.blobs.contract import Blobs


class Segment(NamedTuple):
    """One blob and its size."""

    id: str
    size_bytes: int


async def open_segments(
    blobs: Blobs, segments: Sequence[Segment], start: int = 0, end: int | None = None
) -> AsyncGenerator[bytes, None]:
    """The bytes with start <= offset < end of all segments in a row; one file is open at a time.

    Raises NoSuchBlob when it comes to a segment that is gone.
    """
    first = 0
    for segment in segments:
        last = first + segment.size_bytes
        stop = last if end is None else min(last, end)
        if max(first, start) < stop:
            reading = blobs.open(segment.id, max(0, start - first), stop - first)
            try:
                async for chunk in reading:
                    yield chunk
            finally:
                await reading.aclose()
        first = last
