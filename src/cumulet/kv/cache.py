"""A bounded read cache that the store's changes keep right."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import Generic, TypeVar

from cumulet.kv.contract import Store

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

ENTRIES_MAX = 10_000


class CachedView(Generic[K, V]):
    """Values made from what lies under `prefix`, kept until something there changes.

    `load(key)` makes a value, usually in a read-only transaction; it must read nothing outside of
    `prefix`. A change makes the view forget the entries that `affects(changed_key)` names, or all
    of them when it answers None or is not given. A value whose loading overlapped a change is
    handed out, as it was true when it was read, but not kept. At most `entries_max` are kept; the
    one used longest ago goes first.
    """

    def __init__(
        self,
        store: Store,
        prefix: bytes,
        load: Callable[[K], Awaitable[V]],
        *,
        affects: Callable[[bytes], Iterable[K] | None] | None = None,
        entries_max: int = ENTRIES_MAX,
    ) -> None:
        self._load = load
        self._affects = affects
        self._entries: dict[K, V] = {}
        self._entries_max = entries_max
        self._changes_seen = 0
        self.close = store.on_change(prefix, self._forget)
        """Stop following the store; the view must not be used afterwards."""

    def held(self, key: K) -> V | None:
        """The value of `key` if it is in memory; for those who ask too often to wait."""
        found = self._entries.pop(key, None)
        if found is not None:
            self._entries[key] = found
        return found

    async def get(self, key: K) -> V:
        """The value of `key`, from memory when it is there."""
        entries = self._entries
        if key in entries:
            value = entries.pop(key)
            entries[key] = value
            return value
        seen = self._changes_seen
        value = await self._load(key)
        if seen == self._changes_seen:
            entries[key] = value
            if len(entries) > self._entries_max:
                del entries[next(iter(entries))]
        return value

    def __len__(self) -> int:
        return len(self._entries)

    def _forget(self, changed: bytes) -> None:
        self._changes_seen += 1
        keys = None if self._affects is None else self._affects(changed)
        if keys is None:
            self._entries.clear()
            return
        for key in keys:
            self._entries.pop(key, None)
