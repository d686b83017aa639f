"""The embedded store: transactions in one step of the event loop, durable by group commit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from rocksdict import Checkpoint, Rdict, WriteBatch

from cumulet.kv.changes import Changes
from cumulet.kv.contract import Transaction, Unavailable, Watch
from cumulet.kv.embedded.files import DATA, open_rocks, write_marker
from cumulet.kv.embedded.groups import Group, GroupCommit
from cumulet.kv.embedded.reading import Reading
from cumulet.kv.embedded.transaction import EmbeddedTransaction
from cumulet.kv.transact import run_at_once

T = TypeVar("T")

POINT_CLEARS_MAX = 1_000
"""Ranges with more keys are cleared by one range tombstone; many of those slow all reads down."""

COMMIT_BYTES_MAX = 64 << 20

_PROPERTIES = {
    "keys": "rocksdb.estimate-num-keys",
    "files_bytes": "rocksdb.total-sst-files-size",
    "unflushed_bytes": "rocksdb.cur-size-all-mem-tables",
    "uncompacted_bytes": "rocksdb.estimate-pending-compaction-bytes",
    "cache_bytes": "rocksdb.block-cache-usage",
}


class EmbeddedStore:
    """A store in one folder, for one event loop. Made by `open_embedded`.

    When a write or a sync fails (a full or broken disk), every later commit raises Unavailable, and
    so does every read of what was written but never synced. Other reads go on: what they show is
    on the disk. Opening the store again ends that state.
    """

    def __init__(self, db: Rdict, on_step: Callable[[str], None] | None) -> None:
        self._db = db
        self._on_step = on_step
        self._changes = Changes()
        self._reading = Reading(db)
        self._groups = GroupCommit(lambda: db.flush_wal(True), on_step)
        self._is_closed = False

    async def transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """See `Store`. Raises ForeignAwait when `work` waits for anything but its transaction."""
        if self._is_closed:
            raise Unavailable("the store is closed")
        tx = EmbeddedTransaction(self._reading, self._groups)
        try:
            result = run_at_once(work(tx))
        except BaseException:
            # What a refusal tells of must be as durable as what an answer tells of.
            if tx.waits_for is not None:
                await self._groups.wait(tx.waits_for)
            raise
        group = tx.waits_for if tx.is_read_only else self._commit(tx)
        if group is not None:
            await self._groups.wait(group)
        return result

    def _commit(self, tx: EmbeddedTransaction) -> Group:
        if self._groups.failure is not None:
            raise Unavailable(self._groups.failure)
        batch = WriteBatch(raw_mode=True)
        for begin, end in tx.cleared:
            self._clear_range(batch, begin, end)
        for key, value in tx.writes.items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        keys = list(tx.writes)
        if tx.stamps:
            # Grows with every write, and comes back with the log: what was synced stays below.
            version = (self._db.latest_sequence_number() + 1).to_bytes(8, "big") + b"\0\0"
            for prefix, suffix, value in tx.stamps:
                batch.put(prefix + version + suffix, value)
                keys.append(prefix + version + suffix)
        if batch.size_in_bytes() > COMMIT_BYTES_MAX:
            raise ValueError(f"a transaction writes more than {COMMIT_BYTES_MAX} bytes")
        told = keys + self._listened_in(tx.cleared) if tx.cleared else keys
        group = self._apply(batch, keys, tx.cleared)
        self._changes.tell(told, tx.cleared)
        return group

    def _apply(
        self, batch: WriteBatch, keys: list[bytes], cleared: list[tuple[bytes, bytes]]
    ) -> Group:
        group = self._groups.add(keys, cleared)
        try:
            self._db.write(batch)
            if self._on_step is not None:
                self._on_step("applied")
        except Exception as error:
            self._groups.fail(f"the store cannot write to its disk: {error}")
        return group

    def _clear_range(self, batch: WriteBatch, begin: bytes, end: bytes) -> None:
        keys = []
        for key, _ in self._reading.pairs(begin, end):
            keys.append(key)
            if len(keys) > POINT_CLEARS_MAX:
                batch.delete_range(begin, end)
                return
        for key in keys:
            batch.delete(key)

    def _listened_in(self, cleared: list[tuple[bytes, bytes]]) -> list[bytes]:
        """The keys about to be cleared that listeners must be told of."""
        return [
            key
            for begin, end in cleared
            for prefix in self._changes.listened
            for key, _ in self._reading.pairs(max(begin, prefix), min(end, _after(prefix, end)))
        ]

    def watch(self, key: bytes) -> Watch:
        """See `Store`."""
        return self._changes.watch(key)

    def on_change(self, prefix: bytes, told: Callable[[bytes], None]) -> Callable[[], None]:
        """See `Store`."""
        return self._changes.listen(prefix, told)

    @property
    def failure(self) -> str | None:
        """Why the store writes no more, for health reports; None when all is well."""
        return self._groups.failure

    def figures(self) -> dict[str, int]:
        """Sizes and counts for who watches, by name; units are the ends of the names.

        https://github.com/facebook/rocksdb/blob/main/include/rocksdb/db.h
        """
        if self._is_closed:
            return {}
        told = {name: self._db.property_int_value(it) for name, it in _PROPERTIES.items()}
        return {name: value for name, value in told.items() if value is not None}

    async def backup(self, folder: Path) -> None:
        """Make `folder`, which must not exist, a consistent copy that `open_embedded` opens.

        Files that never change are linked when on the same disk, so it is quick and small.
        Raises Unavailable.
        """
        if folder.exists():
            raise FileExistsError(f"{folder} exists")
        await asyncio.to_thread(self._copy_to, folder)

    def _copy_to(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        try:
            Checkpoint(self._db).create_checkpoint(str(folder / DATA))
        except Exception as error:
            raise Unavailable(f"the backup failed: {error}") from error
        write_marker(folder)

    async def close(self) -> None:
        """See `Store`."""
        if self._is_closed:
            return
        self._is_closed = True
        known = self._groups.failure
        failure = await asyncio.to_thread(self._let_go)
        self._groups.end(failure)
        # Those who wrote were told of a failure that came before.
        if failure is not None and known is None:
            raise Unavailable(failure)

    def _let_go(self) -> str | None:
        failure = self._groups.stop()
        self._reading.stop()
        try:
            self._db.close()
        except Exception as error:
            return failure or f"the store cannot be closed in order: {error}"
        return failure


def _after(prefix: bytes, otherwise: bytes) -> bytes:
    """The first key behind all that begin with `prefix`; `otherwise` when there is none."""
    short = prefix.rstrip(b"\xff")
    return short[:-1] + bytes((short[-1] + 1,)) if short else otherwise


def open_embedded(folder: Path, *, on_step: Callable[[str], None] | None = None) -> EmbeddedStore:
    """Open the store in `folder`, making it when there is none.

    `on_step` is told of "applied", "sync-begin" and "sync-end", the last two in another thread;
    what it raises counts as a failure of the disk. Raises InUse, Damaged and Unavailable.
    """
    return EmbeddedStore(open_rocks(folder), on_step)
