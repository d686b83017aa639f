"""What a place for large bytes is: written once as a stream, read in ranges, never changed.

A blob is referred to from a record of the store; who writes one and does not come to commit the
record leaves it to `sweep`.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

PIECE_BYTES = 256 << 10
"""What is read at once, and gathered before a write: memory per stream is a few of these."""


class NoSuchBlob(Exception):
    """No blob has this id."""


class TooLarge(Exception):
    """A body went on beyond the size that was allowed for it."""


class BlobsUnavailable(Exception):
    """The disk refuses: full, or broken."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob as it was written: its id, its size, and the digests asked for, as raw bytes."""

    id: str
    size_bytes: int
    digests: Mapping[str, bytes] = field(default_factory=dict)


class Coding(Protocol):
    """Turns bytes into what lies on the disk, such as an encryption; used by one thread at a time.

    What is digested and counted is what comes in, not what comes out.
    """

    def take(self, data: bytes, /) -> bytes:
        """What can be written of all that came so far."""
        ...

    def end(self) -> bytes:
        """The rest."""
        ...


class Reading(Protocol):
    """The bytes of a range, in chunks. Close it when not read to the end."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def __anext__(self) -> bytes: ...

    async def aclose(self) -> None:
        """Let go of the file."""
        ...


class Blobs(Protocol):
    """Large bytes beside the store. Ids are random and say nothing."""

    async def put(
        self,
        body: AsyncIterable[bytes],
        *,
        digests: Sequence[str] = (),
        size_bytes_max: int | None = None,
        coding: Coding | None = None,
    ) -> Blob:
        """Write a body; it is durable when this returns, and nothing of it is kept otherwise.

        `digests` names any of `md5 sha1 sha256 crc32 crc32c crc64nvme`. With a `coding`, what it
        makes of the body lies on the disk; the size and the digests stay those of the body. Raises
        TooLarge, BlobsUnavailable, and whatever `body` raises.
        """
        ...

    async def put_bytes(self, data: bytes, *, digests: Sequence[str] = ()) -> Blob:
        """Write bytes that are in memory already. Raises BlobsUnavailable."""
        ...

    async def copy(self, id: str) -> str:
        """Another id for the same bytes, to be dropped on its own; copies nothing on the disk.

        Raises NoSuchBlob, BlobsUnavailable.
        """
        ...

    def open(
        self,
        id: str,
        start: int = 0,
        end: int | None = None,
        *,
        piece_bytes: int = PIECE_BYTES,
        through: Callable[[bytes], bytes] | None = None,
    ) -> Reading:
        """The bytes with start <= offset < end, to the blob's end when None.

        They come in pieces of that size, of which the last may be shorter, each after `through`
        has seen to it in the thread that reads: offsets and sizes are those of what lies on the
        disk. Raises NoSuchBlob at once. A range beyond the end is cut. Reading raises what
        `through` does.
        """
        ...

    async def read(self, id: str, *, size_bytes_max: int) -> bytes:
        """All the bytes. Raises NoSuchBlob, and TooLarge when there are more than allowed."""
        ...

    def path(self, id: str) -> Path:
        """Where the blob lies, to be read only. Raises NoSuchBlob."""
        ...

    async def drop(self, id: str) -> None:
        """Remove a blob; harmless when it is gone. Those who read it now still get its end."""
        ...

    async def sweep(
        self, is_referenced: Callable[[str], Awaitable[bool]], older_than_seconds: float
    ) -> int:
        """Remove unfinished writes that old, and what nobody has referred to for that long.

        Returns how many. A blob is seen without references first by one sweep, and removed by one
        at least `older_than_seconds` later, so that who reads a deleted object reads it to its end.
        The age must also be well above the time between a `put` and the commit that refers to it.
        """
        ...

    async def close(self) -> None:
        """Stop the threads that read and write."""
        ...
