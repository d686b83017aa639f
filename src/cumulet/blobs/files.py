"""Blobs as files: written aside, synced, then renamed into place."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

from cumulet.blobs.contract import (
    PIECE_BYTES,
    Blob,
    BlobsUnavailable,
    Coding,
    NoSuchBlob,
    TooLarge,
)
from cumulet.blobs.digests import DIGESTS
from cumulet.blobs.handles import OpenFile, Writing, make_folder, sync_folder
from cumulet.core.clock import Clock, new_hex

T = TypeVar("T")
P = ParamSpec("P")

THREADS_MAX = 8

GATHERED_BYTES_MAX = 32 << 20
GATHERED_BYTES_MIN = 16 << 10
"""All bodies that are arriving gather so much before they write, and each at least so much."""

UNREFERENCED_MAX = 100_000
"""So many are remembered between sweeps; the others are seen to by later ones."""

UNFINISHED = "unfinished"

_ID = re.compile(r"[0-9a-f]{32}\Z")


class FileBlobs:
    """The blobs of one folder: `ab/c/abcd…`, and unfinished ones aside.

    One process at a time, as the store beside it.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._threads = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="blobs")
        self._unreferenced: dict[str, float] = {}
        self._arriving = 0
        make_folder(folder / UNFINISHED)

    async def put(
        self,
        body: AsyncIterable[bytes],
        *,
        digests: Sequence[str] = (),
        size_bytes_max: int | None = None,
        coding: Coding | None = None,
    ) -> Blob:
        """See `Blobs`."""
        id = new_hex(self._clock, 32)
        asked = {name: DIGESTS[name]() for name in digests}
        writing = Writing(self._folder / UNFINISHED / id, asked, coding, self._clock.now())
        is_finished = False
        self._arriving += 1
        try:
            rest = await self._pump(body, writing, size_bytes_max)
            found = await self._run(writing.finish, rest, self._place(id), self._clock.now())
            is_finished = True
        finally:
            self._arriving -= 1
            if not is_finished:
                # Not awaited, for this may be a cancellation; the writing keeps its own order.
                _run_later(self._threads, writing.abandon)
        return Blob(id, writing.size_bytes, found)

    async def _pump(
        self, body: AsyncIterable[bytes], writing: Writing, size_bytes_max: int | None
    ) -> list[bytes]:
        """Write one batch of chunks while the next one arrives; returns the unwritten rest."""
        batch: list[bytes] = []
        gathered = total = 0
        pending: asyncio.Future[None] | None = None
        try:
            async for chunk in body:
                total += len(chunk)
                if size_bytes_max is not None and total > size_bytes_max:
                    raise TooLarge(f"the body has more than {size_bytes_max} bytes")
                batch.append(chunk)
                gathered += len(chunk)
                if gathered >= self._gathering():
                    if pending is not None:
                        await pending
                    pending = self._run(writing.write, batch)
                    batch, gathered = [], 0
        finally:
            if pending is not None:
                await pending
        return batch

    def _gathering(self) -> int:
        """How much of a body is gathered before it is written: less when many arrive."""
        return max(GATHERED_BYTES_MIN, min(PIECE_BYTES, GATHERED_BYTES_MAX // self._arriving))

    async def put_bytes(self, data: bytes, *, digests: Sequence[str] = ()) -> Blob:
        """See `Blobs`."""
        return await self.put(_once(data), digests=digests)

    async def copy(self, id: str) -> str:
        """See `Blobs`."""
        made = new_hex(self._clock, 32)
        try:
            await self._run(_link, self.path(id), self._place(made))
        except BlobsUnavailable as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise NoSuchBlob(id) from None
            raise
        return made

    def open(
        self,
        id: str,
        start: int = 0,
        end: int | None = None,
        *,
        piece_bytes: int = PIECE_BYTES,
        through: Callable[[bytes], bytes] | None = None,
    ) -> FileReading:
        """See `Blobs`."""
        try:
            file = OpenFile(self._place(id), through)
        except FileNotFoundError as error:
            raise NoSuchBlob(id) from error
        return FileReading(file, self._threads, start, end, piece_bytes)

    async def read(self, id: str, *, size_bytes_max: int) -> bytes:
        """See `Blobs`."""
        chunks = []
        reading = self.open(id, 0, size_bytes_max + 1)
        try:
            async for chunk in reading:
                chunks.append(chunk)
        finally:
            await reading.aclose()
        data = b"".join(chunks)
        if len(data) > size_bytes_max:
            raise TooLarge(f"the blob has more than {size_bytes_max} bytes")
        return data

    def path(self, id: str) -> Path:
        """See `Blobs`."""
        place = self._place(id)
        if not place.exists():
            raise NoSuchBlob(id)
        return place

    async def drop(self, id: str) -> None:
        """See `Blobs`."""
        self._unreferenced.pop(id, None)
        await self._run(_remove, self._place(id))

    async def sweep(
        self, is_referenced: Callable[[str], Awaitable[bool]], older_than_seconds: float
    ) -> int:
        """See `Blobs`."""
        now = self._clock.now()
        before = now - older_than_seconds
        removed = 0
        for path in await self._run(_old_files, self._folder / UNFINISHED, before):
            await self._run(_remove, path)
            removed += 1
        for folder in await self._run(_folders, self._folder):
            for path in await self._run(_old_blobs, folder, before):
                if await is_referenced(path.name):
                    self._unreferenced.pop(path.name, None)
                elif self._is_long_unreferenced(path.name, now, before):
                    await self._run(_remove, path)
                    del self._unreferenced[path.name]
                    removed += 1
        return removed

    def _is_long_unreferenced(self, id: str, now: float, before: float) -> bool:
        """Whether an earlier sweep saw it so; who reads a deleted object may still need it."""
        if id not in self._unreferenced and len(self._unreferenced) >= UNREFERENCED_MAX:
            return False
        return self._unreferenced.setdefault(id, now) <= before

    async def close(self) -> None:
        """See `Blobs`."""
        self._threads.shutdown(wait=True)

    def _place(self, id: str) -> Path:
        if not _ID.match(id):
            raise NoSuchBlob(id)
        return self._folder / id[:2] / id[2] / id

    def _run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """Work on the disk in a thread; the disk's errors become BlobsUnavailable."""

        def run() -> T:
            try:
                return work(*args, **kwargs)
            except OSError as error:
                raise BlobsUnavailable(f"the disk refuses: {error}") from error

        return asyncio.get_running_loop().run_in_executor(self._threads, run)


class FileReading:
    """A range of a file in chunks; the file is closed at the end, or by `aclose`."""

    __slots__ = ("_at", "_end", "_file", "_piece_bytes", "_threads")

    def __init__(
        self,
        file: OpenFile,
        threads: ThreadPoolExecutor,
        start: int,
        end: int | None,
        piece_bytes: int,
    ) -> None:
        self._file = file
        self._threads = threads
        self._at = start
        self._end = end
        self._piece_bytes = piece_bytes

    def __aiter__(self) -> FileReading:
        return self

    async def __anext__(self) -> bytes:
        size = self._piece_bytes
        if self._end is not None:
            size = min(size, self._end - self._at)
        read, chunk = 0, b""
        if size > 0:
            loop = asyncio.get_running_loop()
            read, chunk = await loop.run_in_executor(self._threads, self._file.read, self._at, size)
        if not read:
            await self.aclose()
            raise StopAsyncIteration
        self._at += read
        return chunk

    async def aclose(self) -> None:
        """Let go of the file; harmless when done before."""
        if self._file.is_busy:
            _run_later(self._threads, self._file.close)
        else:
            self._file.close()


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _link(source: Path, target: Path) -> None:
    make_folder(target.parent)
    target.hardlink_to(source)
    sync_folder(target.parent)


def _old_files(folder: Path, before: float) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.stat().st_mtime < before]
    except FileNotFoundError:
        return []  # Dropped meanwhile; the next sweep comes by again.


def _old_blobs(folder: Path, before: float) -> list[Path]:
    return [path for shelf in _folders(folder) for path in _old_files(shelf, before)]


def _folders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir() and path.name != UNFINISHED]


def _run_later(threads: ThreadPoolExecutor, work: Callable[[], None]) -> None:
    """Run `work` in a thread, or here when the threads have ended already."""
    try:
        threads.submit(work)
    except RuntimeError:
        work()


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
