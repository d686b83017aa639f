"""Who is reading which blobs, so that none is removed under a reader's hands."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from weakref import WeakSet


class Reading:
    """The bytes of an object on their way to a reader; its blobs are in use while it lives."""

    __slots__ = ("__weakref__", "_source", "blobs")

    def __init__(self, source: AsyncGenerator[bytes, None], blobs: Iterable[str]) -> None:
        self._source = source
        self.blobs = frozenset(blobs)

    def __aiter__(self) -> Reading:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._source)
        except StopAsyncIteration:
            self.blobs = frozenset()
            raise

    async def aclose(self) -> None:
        """Let go of the blobs; harmless when done before."""
        self.blobs = frozenset()
        await self._source.aclose()


class Readers:
    """The readers of this process."""

    def __init__(self) -> None:
        self._readings: WeakSet[Reading] = WeakSet()

    def add(self, reading: Reading) -> Reading:
        """Remember a reading until it has ended, or nobody holds it."""
        self._readings.add(reading)
        return reading

    def is_read(self, blob: str) -> bool:
        """Whether somebody still reads the blob."""
        return any(blob in reading.blobs for reading in self._readings)
