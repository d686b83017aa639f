"""One transaction of the embedded engine: reads through its own buffered writes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from cumulet.kv.contract import KEY_BYTES_MAX, VALUE_BYTES_MAX, read_count, write_count

if TYPE_CHECKING:
    from cumulet.kv.embedded.groups import Group, GroupCommit
    from cumulet.kv.embedded.reading import Reading

VERSION_BYTES = 10


class EmbeddedTransaction:
    """Runs in one step of the event loop, so what it reads cannot change under it.

    `waits_for` is the newest unsynced group whose writes it has read.
    """

    __slots__ = (
        "_get",
        "_groups",
        "_is_in_order",
        "_order",
        "_reading",
        "cleared",
        "stamps",
        "waits_for",
        "writes",
    )

    def __init__(self, reading: Reading, groups: GroupCommit) -> None:
        self._reading = reading
        self._get = reading.get
        self._groups = groups
        self._order: list[bytes] = []
        self._is_in_order = True
        self.writes: dict[bytes, bytes | None] = {}
        self.cleared: list[tuple[bytes, bytes]] = []
        self.stamps: list[tuple[bytes, bytes, bytes]] = []
        self.waits_for: Group | None = None

    async def get(self, key: bytes) -> bytes | None:
        """See `Transaction`."""
        if self.writes or self.cleared:
            return self._seen(key)
        if self._groups.unsynced:
            self._note(self._groups.last_touching(key))
        return self._get(key)

    async def scan(
        self, begin: bytes, end: bytes, *, limit: int, reverse: bool = False
    ) -> list[tuple[bytes, bytes]]:
        """See `Transaction`."""
        if limit <= 0 or begin >= end:
            return []
        if self._groups.unsynced:
            self._note(self._groups.last_touching_range(begin, end))
        if self.writes or self.cleared:
            return list(islice(self._merged(begin, end, reverse), limit))
        return list(islice(self._reading.pairs(begin, end, reverse), limit))

    def set(self, key: bytes, value: bytes) -> None:
        """See `Transaction`."""
        if len(value) > VALUE_BYTES_MAX:
            raise ValueError(f"a value of {len(value)} bytes is longer than {VALUE_BYTES_MAX}")
        self._write(key, value)

    def clear(self, key: bytes, end: bytes | None = None) -> None:
        """See `Transaction`."""
        if end is None:
            self._write(key, None)
        elif key < end:
            order = self._in_order()
            first, last = bisect_left(order, key), bisect_left(order, end)
            for written in order[first:last]:
                del self.writes[written]
            del order[first:last]
            self.cleared.append((key, end))

    def count(self, key: bytes, delta: int) -> None:
        """See `Transaction`."""
        self._write(key, write_count(read_count(self._seen(key)) + delta))

    def stamp(self, prefix: bytes, suffix: bytes, value: bytes) -> None:
        """See `Transaction`."""
        if len(prefix) + VERSION_BYTES + len(suffix) > KEY_BYTES_MAX:
            raise ValueError(f"a stamped key is longer than {KEY_BYTES_MAX} bytes")
        if len(value) > VALUE_BYTES_MAX:
            raise ValueError(f"a value of {len(value)} bytes is longer than {VALUE_BYTES_MAX}")
        self.stamps.append((prefix, suffix, value))

    @property
    def is_read_only(self) -> bool:
        """Whether there is nothing to commit."""
        return not (self.writes or self.cleared or self.stamps)

    def _write(self, key: bytes, value: bytes | None) -> None:
        if key not in self.writes:
            if len(key) > KEY_BYTES_MAX:
                raise ValueError(f"a key of {len(key)} bytes is longer than {KEY_BYTES_MAX}")
            self._order.append(key)
            self._is_in_order = False
        self.writes[key] = value

    def _in_order(self) -> list[bytes]:
        """The keys written so far; sorted only for those who ask, as most ask for none."""
        if not self._is_in_order:
            # What was sorted before is a run that the sort takes as it is.
            self._order.sort()
            self._is_in_order = True
        return self._order

    def _seen(self, key: bytes) -> bytes | None:
        if key in self.writes:
            return self.writes[key]
        if any(begin <= key < end for begin, end in self.cleared):
            return None
        if self._groups.unsynced:
            self._note(self._groups.last_touching(key))
        return self._get(key)

    def _note(self, group: Group | None) -> None:
        """Remember the newest of the groups that were read."""
        if group is not None and (self.waits_for is None or group is self._groups.unsynced[-1]):
            self.waits_for = group

    def _merged(self, begin: bytes, end: bytes, reverse: bool) -> Iterator[tuple[bytes, bytes]]:
        """What is stored under this transaction's own writes, in order."""
        order = self._in_order()
        own = order[bisect_left(order, begin) : bisect_left(order, end)]
        if not reverse:
            own.reverse()
        pairs = self._uncleared(begin, end, reverse)
        pair = next(pairs, None)
        while own or pair is not None:
            if pair is not None and (
                not own or (pair[0] > own[-1] if reverse else pair[0] < own[-1])
            ):
                yield pair
                pair = next(pairs, None)
                continue
            key = own.pop()
            if pair is not None and pair[0] == key:
                pair = next(pairs, None)
            value = self.writes[key]
            if value is not None:
                yield key, value

    def _uncleared(self, begin: bytes, end: bytes, reverse: bool) -> Iterator[tuple[bytes, bytes]]:
        """What is stored outside of the cleared ranges: the gaps between them, one by one."""
        gaps: list[tuple[bytes, bytes]] = []
        at = begin
        for start, stop in sorted(self.cleared):
            if start >= end:
                break
            if at < start:
                gaps.append((at, start))
            at = max(at, stop)
        if at < end:
            gaps.append((at, end))
        for low, high in reversed(gaps) if reverse else gaps:
            yield from self._reading.pairs(low, high, reverse)
