"""Looking at the data of a cloud: its records, their indexes, and the blobs that they refer to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from cumulet.app.services import SERVICES
from cumulet.app.tooling import MARKS
from cumulet.blobs.contract import Blobs, NoSuchBlob
from cumulet.blobs.files import FileBlobs
from cumulet.core.clock import SystemClock
from cumulet.kit.service import Service
from cumulet.kv.check import COMPLAINTS_MAX, PAGE_ROWS, check_store
from cumulet.kv.contract import Store, Transaction
from cumulet.kv.embedded import open_embedded
from cumulet.kv.tuples import AFTER, Element, unpack

_BLOB_INDEX = "/blob"
"""A table whose records refer to blobs has an index of this name, by the blob's id."""


async def inspect(data: Path) -> list[str]:
    """The findings about a cloud that does not run. Raises `kv.Unavailable`."""
    store = open_embedded(data / "store")
    blobs = FileBlobs(data / "blobs", SystemClock())
    try:
        return await examine(store, blobs, SERVICES)
    finally:
        await blobs.close()
        await store.close()


async def examine(store: Store, blobs: Blobs, services: Sequence[Service]) -> list[str]:
    """Everything wrong with records, indexes and blobs, in words; may run beside other work."""
    # A running cloud lists its own marks, a stopped one does not: each table counts once.
    tables = dict.fromkeys((MARKS, *(table for one in services for table in one.tables)))
    findings = await check_store(store, tables)
    return (findings + await _lost_blobs(store, blobs))[:COMPLAINTS_MAX]


async def _lost_blobs(store: Store, blobs: Blobs) -> list[str]:
    """A complaint for each reference to a blob that is not there."""
    complaints: list[str] = []
    begin = b""
    while len(complaints) < COMPLAINTS_MAX:
        pairs = await store.transact(partial(_page, begin))
        for key, _ in pairs:
            found = _reference(key)
            if found is not None and not _is_there(blobs, found[0]):
                complaints.append(f"{found[1]}: its blob {found[0]} is not there")
        if len(pairs) < PAGE_ROWS:
            break
        begin = pairs[-1][0] + b"\0"
    return complaints


async def _page(begin: bytes, tx: Transaction) -> list[tuple[bytes, bytes]]:
    return await tx.scan(begin, AFTER, limit=PAGE_ROWS)


def _reference(key: bytes) -> tuple[str, str] | None:
    """The blob's id and the record's name, when the key is an entry of an index of blobs."""
    try:
        elements: tuple[Element, ...] = unpack(key)
    except ValueError:
        return None
    if len(elements) < 5 or not str(elements[3]).endswith(_BLOB_INDEX):
        return None
    named = (*elements[2:3], str(elements[3]).removesuffix(_BLOB_INDEX), *elements[5:])
    return str(elements[4]), "/".join(str(one) for one in named if one != "")


def _is_there(blobs: Blobs, blob: str) -> bool:
    try:
        return blobs.path(blob).exists()
    except NoSuchBlob:
        return False
