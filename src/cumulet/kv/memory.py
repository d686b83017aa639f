"""The engine in memory: the specification that others are compared with, and one for tests.

It really is optimistic: reads see a snapshot, and commits are refused with Conflict. Written for
plainness, not for large data; it shares no code with the other engines but the watches.
"""

from __future__ import annotations

import bisect
import random
import types
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cumulet.kv.changes import Changes
from cumulet.kv.contract import (
    KEY_BYTES_MAX,
    VALUE_BYTES_MAX,
    Conflict,
    Transaction,
    Unavailable,
    Watch,
    read_count,
    write_count,
)
from cumulet.kv.transact import ForeignAwait, retry, run_at_once

T = TypeVar("T")

PAUSE_DOUBLINGS_MAX = 6

_TURN = object()


@types.coroutine
def _offer_turn() -> Generator[object, None, None]:
    """Inside a transaction: let the store suspend it here."""
    yield _TURN


@types.coroutine
def _give_turn() -> Generator[None, None, None]:
    """Let the other tasks of the loop run once."""
    yield None


class _State:
    """One version of all data. Copied by a commit only while some transaction still reads it."""

    def __init__(self, values: dict[bytes, bytes], keys: list[bytes]) -> None:
        self.values = values
        self.keys = keys
        self.readers = 0

    def slice(self, begin: bytes, end: bytes) -> list[bytes]:
        """The keys with begin <= key < end, ascending."""
        first = bisect.bisect_left(self.keys, begin)
        return self.keys[first : max(first, bisect.bisect_left(self.keys, end))]

    def put(self, key: bytes, value: bytes) -> None:
        if key not in self.values:
            bisect.insort(self.keys, key)
        self.values[key] = value

    def remove(self, begin: bytes, end: bytes) -> list[bytes]:
        """Remove a range; returns the keys that were there."""
        gone = self.slice(begin, end)
        first = bisect.bisect_left(self.keys, begin)
        del self.keys[first : first + len(gone)]
        for key in gone:
            del self.values[key]
        return gone


@dataclass(frozen=True, slots=True)
class _Set:
    key: bytes
    value: bytes

    def on(self, key: bytes, value: bytes | None) -> bytes | None:
        return self.value if key == self.key else value


@dataclass(frozen=True, slots=True)
class _Clear:
    begin: bytes
    end: bytes

    def on(self, key: bytes, value: bytes | None) -> bytes | None:
        return None if self.begin <= key < self.end else value


@dataclass(frozen=True, slots=True)
class _Count:
    key: bytes
    delta: int

    def on(self, key: bytes, value: bytes | None) -> bytes | None:
        return write_count(read_count(value) + self.delta) if key == self.key else value


@dataclass(slots=True)
class _Footprint:
    """What a transaction read, or what a commit wrote."""

    keys: set[bytes] = field(default_factory=set)
    ranges: list[tuple[bytes, bytes]] = field(default_factory=list)

    def meets(self, written: _Footprint) -> bool:
        """Whether a key of one lies in the other."""
        if self.keys & written.keys:
            return True
        if any(begin <= key < end for begin, end in self.ranges for key in written.keys):
            return True
        if any(begin <= key < end for begin, end in written.ranges for key in self.keys):
            return True
        return any(
            begin < other_end and other_begin < end
            for begin, end in self.ranges
            for other_begin, other_end in written.ranges
        )


class MemoryTransaction:
    """One attempt of one transaction."""

    def __init__(self, state: _State, since: int, yields: bool) -> None:
        self.state = state
        self.since = since
        self.read = _Footprint()
        self.written: list[_Set | _Clear | _Count] = []
        self.stamps: list[tuple[bytes, bytes, bytes]] = []
        self._yields = yields

    async def get(self, key: bytes) -> bytes | None:
        """See `Transaction`."""
        if self._yields:
            await _offer_turn()
        self.read.keys.add(key)
        return self._seen(key)

    async def scan(
        self, begin: bytes, end: bytes, *, limit: int, reverse: bool = False
    ) -> list[tuple[bytes, bytes]]:
        """See `Transaction`."""
        if self._yields:
            await _offer_turn()
        keys = set(self.state.slice(begin, end))
        keys.update(
            change.key
            for change in self.written
            if not isinstance(change, _Clear) and begin <= change.key < end
        )
        found: list[tuple[bytes, bytes]] = []
        for key in sorted(keys, reverse=reverse):
            if len(found) >= limit:
                break
            value = self._seen(key)
            if value is not None:
                found.append((key, value))
        if found and len(found) >= limit:
            begin, end = (found[-1][0], end) if reverse else (begin, found[-1][0] + b"\0")
        self.read.ranges.append((begin, end))
        return found

    def set(self, key: bytes, value: bytes) -> None:
        """See `Transaction`."""
        _check(key, value)
        self.written.append(_Set(key, value))

    def clear(self, key: bytes, end: bytes | None = None) -> None:
        """See `Transaction`."""
        _check(key)
        self.written.append(_Clear(key, key + b"\0" if end is None else end))

    def count(self, key: bytes, delta: int) -> None:
        """See `Transaction`."""
        _check(key)
        self.written.append(_Count(key, delta))

    def stamp(self, prefix: bytes, suffix: bytes, value: bytes) -> None:
        """See `Transaction`."""
        _check(prefix + bytes(10) + suffix, value)
        self.stamps.append((prefix, suffix, value))

    def _seen(self, key: bytes) -> bytes | None:
        value = self.state.values.get(key)
        for change in self.written:
            value = change.on(key, value)
        return value


class MemoryStore:
    """A store that forgets everything. With `yields`, transactions interleave at each read."""

    def __init__(self, *, yields: bool = False) -> None:
        self._state = _State({}, [])
        self._yields = yields
        self._changes = Changes()
        self._commits = 0
        self._open = 0
        self._log: list[tuple[int, _Footprint]] = []
        self._is_closed = False
        self._chance = random.Random(0)

    async def transact(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """See `Store`."""
        return await retry(lambda: self._attempt(work), self._pause)

    async def _pause(self, conflicts: int) -> None:
        for _ in range(self._chance.randrange(2 ** min(conflicts, PAUSE_DOUBLINGS_MAX))):
            await _give_turn()

    async def _attempt(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        if self._is_closed:
            raise Unavailable("the store is closed")
        state = self._state
        tx = MemoryTransaction(state, self._commits, self._yields)
        state.readers += 1
        self._open += 1
        try:
            result = await self._drive(work(tx)) if self._yields else run_at_once(work(tx))
            state.readers -= 1
            try:
                self._commit(tx)
            finally:
                state.readers += 1
        finally:
            state.readers -= 1
            self._open -= 1
            if not self._open:
                self._log.clear()
        return result

    async def _drive(self, work: Awaitable[T]) -> T:
        steps = work.__await__()
        while True:
            try:
                asked: Any = steps.send(None)
            except StopIteration as done:
                result: T = done.value
                return result
            if asked is not _TURN:
                steps.close()
                raise ForeignAwait(work)
            await _give_turn()

    def _commit(self, tx: MemoryTransaction) -> None:
        if not tx.written and not tx.stamps:
            return
        for commit, written in self._log:
            if commit > tx.since and tx.read.meets(written):
                raise Conflict
        if self._state.readers:
            self._state = _State(dict(self._state.values), list(self._state.keys))
        told, ranges = self._apply(tx, self._state)
        self._changes.tell(told, ranges)

    def _apply(
        self, tx: MemoryTransaction, state: _State
    ) -> tuple[list[bytes], list[tuple[bytes, bytes]]]:
        self._commits += 1
        footprint = _Footprint()
        was_there: dict[bytes, bool] = {}
        for change in tx.written:
            if isinstance(change, _Clear):
                footprint.ranges.append((change.begin, change.end))
                for key in state.remove(change.begin, change.end):
                    was_there.setdefault(key, True)
                continue
            was_there.setdefault(change.key, change.key in state.values)
            value = change.on(change.key, state.values.get(change.key))
            assert value is not None
            state.put(change.key, value)
            footprint.keys.add(change.key)
        version = self._commits.to_bytes(8, "big") + b"\0\0"
        for prefix, suffix, value in tx.stamps:
            state.put(prefix + version + suffix, value)
            footprint.keys.add(prefix + version + suffix)
            was_there[prefix + version + suffix] = False
        self._log.append((self._commits, footprint))
        told = [key for key, was in was_there.items() if was or key in state.values]
        return told, footprint.ranges

    def watch(self, key: bytes) -> Watch:
        """See `Store`."""
        return self._changes.watch(key)

    def on_change(self, prefix: bytes, told: Callable[[bytes], None]) -> Callable[[], None]:
        """See `Store`."""
        return self._changes.listen(prefix, told)

    async def close(self) -> None:
        """See `Store`."""
        self._is_closed = True


def _check(key: bytes, value: bytes = b"") -> None:
    if len(key) > KEY_BYTES_MAX:
        raise ValueError(f"a key of {len(key)} bytes is longer than {KEY_BYTES_MAX}")
    if len(value) > VALUE_BYTES_MAX:
        raise ValueError(f"a value of {len(value)} bytes is longer than {VALUE_BYTES_MAX}")
