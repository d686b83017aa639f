"""Open files used from threads while the loop may let go of them at any moment."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cumulet.blobs.contract import Coding
from cumulet.blobs.digests import Digest


class Writing:
    """A temporary file being filled. Its methods block and run in a thread, one at a time.

    `now` becomes the time of the file, which tells `sweep` how old it is.
    """

    __slots__ = (
        "_coding",
        "_digests",
        "_file",
        "_is_abandoned",
        "_lock",
        "_now",
        "_path",
        "size_bytes",
    )

    def __init__(
        self, path: Path, digests: Mapping[str, Digest], coding: Coding | None, now: float
    ) -> None:
        self._path = path
        self._digests = digests
        self._coding = coding
        self._now = now
        self._lock = threading.Lock()
        self._file: int | None = None
        self._is_abandoned = False
        self.size_bytes = 0

    def write(self, chunks: Sequence[bytes]) -> None:
        """Append, and take the chunks into the digests."""
        with self._lock:
            self._write(chunks)

    def finish(self, chunks: Sequence[bytes], place: Path, now: float) -> dict[str, bytes]:
        """Append the last chunks, make all durable, then give it its name; returns the digests."""
        with self._lock:
            file = self._write(chunks)
            if self._coding is not None:
                _write_all(file, self._coding.end())
            os.utime(file, (now, now))
            os.fsync(file)
            self._close()
            make_folder(place.parent)
            self._path.rename(place)
            sync_folder(place.parent)
        return {name: digest.digest() for name, digest in self._digests.items()}

    def abandon(self) -> None:
        """Remove what was written, after the write that may be under way."""
        with self._lock:
            self._is_abandoned = True
            self._close()
            self._path.unlink(missing_ok=True)

    def _write(self, chunks: Sequence[bytes]) -> int:
        if self._is_abandoned:
            raise InterruptedError("the writing was given up")
        if self._file is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._file = os.open(self._path, flags, 0o600)
            os.utime(self._file, (self._now, self._now))
        if self._coding is not None and len(chunks) > 1:
            chunks = (b"".join(chunks),)
        for chunk in chunks:
            _write_all(self._file, chunk if self._coding is None else self._coding.take(chunk))
            for digest in self._digests.values():
                digest.update(chunk)
            self.size_bytes += len(chunk)
        return self._file

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _write_all(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]


class OpenFile:
    """A file that is read from threads; closing waits for the read that may be under way."""

    __slots__ = ("_file", "_lock", "_through")

    def __init__(self, path: Path, through: Callable[[bytes], bytes] | None) -> None:
        self._file = path.open("rb", buffering=0)
        self._through = through
        self._lock = threading.Lock()

    def read(self, offset: int, size: int) -> tuple[int, bytes]:
        """How many bytes lie at `offset`, `size` at most, and what they stand for.

        None at the end, or when it was closed meanwhile.
        """
        with self._lock:
            data = b"" if self._file.closed else os.pread(self._file.fileno(), size, offset)
            if self._through is None or not data:
                return len(data), data
            return len(data), self._through(data)

    def close(self) -> None:
        """Let go of the file; may have to wait for a read."""
        with self._lock:
            self._file.close()

    @property
    def is_busy(self) -> bool:
        """Whether closing would have to wait."""
        return self._lock.locked()


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, durably."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
