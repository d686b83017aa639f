"""Code packages: what a zip may hold, and its unpacking into read-only folders named by digest."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from cumulet.services.lambda_.errors import (
    InvalidParameterValueException,
    InvalidZipFileException,
)
from cumulet.services.lambda_.limits import UNZIPPED_BYTES_MAX, ZIP_ENTRIES_MAX

_COPY_BYTES = 1 << 20
_NOT_A_ZIP = "Could not unzip uploaded file. Please check your file, then try to upload again."
_TOO_LARGE = f"Unzipped size must be smaller than {UNZIPPED_BYTES_MAX} bytes"
_READABLE = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError)


def measure(archive_path: Path) -> int:
    """The unzipped size of a package that may be unpacked here, in bytes.

    Raises InvalidParameterValueException for what is not a zip, is empty or too large, and for
    names that lead out of the package. Sizes are what the archive declares; `unpack` holds it to
    them.
    """
    try:
        if not archive_path.stat().st_size:
            raise InvalidParameterValueException("Uploaded file must be a non-empty zip")
        with zipfile.ZipFile(archive_path) as archive:
            return _check(archive)
    except _READABLE as cause:
        raise InvalidParameterValueException(_NOT_A_ZIP) from cause


def _check(archive: zipfile.ZipFile) -> int:
    entries = archive.infolist()
    if not any(not entry.is_dir() for entry in entries):
        raise InvalidParameterValueException("Uploaded file must be a non-empty zip")
    if len(entries) > ZIP_ENTRIES_MAX:
        raise InvalidParameterValueException(
            f"The package holds more than {ZIP_ENTRIES_MAX} entries."
        )
    total = 0
    for entry in entries:
        _check_entry(entry)
        total += entry.file_size
        if total > UNZIPPED_BYTES_MAX:
            raise InvalidParameterValueException(_TOO_LARGE)
    return total


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        raise InvalidParameterValueException(f"{_NOT_A_ZIP} Unsafe path in the archive: {name!r}")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise InvalidParameterValueException(
            f"{_NOT_A_ZIP} Links and devices are not allowed: {name!r}"
        )
    if entry.flag_bits & 1:
        raise InvalidParameterValueException(f"{_NOT_A_ZIP} Encrypted entry: {name!r}")


def unpack(archive_path: Path, target: Path) -> None:
    """Unpack a checked package into `target`, which must not exist yet, as read-only files.

    Whatever the archive claims, no more than the limit is written. The folder appears whole or not
    at all.
    """
    partial = target.with_name(f"{target.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    written = 0
    with zipfile.ZipFile(archive_path) as archive:
        _check(archive)
        for entry in archive.infolist():
            place = partial.joinpath(*PurePosixPath(entry.filename).parts)
            if entry.is_dir():
                place.mkdir(parents=True, exist_ok=True)
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            # A name may come twice; the first file is read-only by now.
            place.unlink(missing_ok=True)
            with archive.open(entry) as source, place.open("wb") as sink:
                written = _copy(source, sink, written)
            place.chmod(0o555 if (entry.external_attr >> 16) & 0o111 else 0o444)
    for folder in _folders(partial):
        folder.chmod(0o755)
    partial.rename(target)


def _copy(source: IO[bytes], sink: IO[bytes], written: int) -> int:
    while chunk := source.read(_COPY_BYTES):
        written += len(chunk)
        if written > UNZIPPED_BYTES_MAX:
            raise InvalidParameterValueException(_TOO_LARGE)
        sink.write(chunk)
    return written


def _folders(top: Path) -> Iterator[Path]:
    for folder, _, _ in os.walk(top):
        yield Path(folder)


class Folders:
    """Unpacked packages under one folder: each made once, in a thread, and shared by all users."""

    def __init__(self, root: Path, locate: Callable[[str], Awaitable[Path]]) -> None:
        self._root = root
        self._locate = locate
        self._ready: dict[str, Path] = {}
        self._making: dict[str, asyncio.Lock] = {}
        self._opened: set[str] = set()

    async def open(self, digest: str, blob_id: str) -> Path:
        """The folder of the package; unpacked now if need be."""
        self._opened.add(digest)
        ready = self._ready.get(digest)
        if ready is not None:
            return ready
        lock = self._making.setdefault(digest, asyncio.Lock())
        async with lock:
            target = self._root / digest
            if digest not in self._ready:
                archive = await self._locate(blob_id)
                await asyncio.to_thread(self._make, archive, target)
                self._ready[digest] = target
            self._making.pop(digest, None)
            return target

    @staticmethod
    def _make(archive: Path, target: Path) -> None:
        if target.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            unpack(archive, target)
        except (*_READABLE, InvalidParameterValueException) as cause:
            raise InvalidZipFileException(
                "Lambda could not unzip the deployment package."
            ) from cause

    async def recover(self) -> None:
        """Remove what an earlier process left half unpacked."""
        await asyncio.to_thread(self._remove_partial)

    def _remove_partial(self) -> None:
        for partial in self._root.glob("*.part"):
            shutil.rmtree(partial, ignore_errors=True)

    async def sweep(self, keep: set[str]) -> int:
        """Delete the folders of other packages than these; tells how many.

        What was opened since the last sweep stays too: its version may be younger than `keep`.
        """
        gone = await asyncio.to_thread(_others, self._root, keep | self._opened)
        self._opened.clear()
        for folder in gone:
            self._ready.pop(folder.name, None)
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        return len(gone)


def _others(root: Path, keep: set[str]) -> list[Path]:
    if not root.exists():
        return []
    return [each for each in root.iterdir() if each.name.partition(".")[0] not in keep]
