"""Who wants to know of changes in this process: watches and listeners, kept by every engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

WATCHES_MAX = 100_000
"""Of all that may be watched and listened to, so many prefixes."""

_HEADS_BYTES = (32, 8, 0)
"""A prefix is found by its head of the longest of these sizes. In 32 bytes are an account, a region
and a service; in 8 the beginning of an account, or of a service that asks of no account."""


class LocalWatch:
    """A watch woken by the commits of this process. One task waits on it at a time."""

    __slots__ = ("_changes", "_is_changed", "_key", "_waiting")

    def __init__(self, changes: Changes, key: bytes) -> None:
        self._changes = changes
        self._key = key
        self._is_changed = False
        self._waiting: asyncio.Future[bool] | None = None

    async def wait(self, timeout_seconds: float) -> bool:
        """True at once when the key was written since the watch was made or last told so."""
        if not self._is_changed and timeout_seconds > 0:
            loop = asyncio.get_running_loop()
            self._waiting = waiting = loop.create_future()
            timer = loop.call_later(timeout_seconds, _finish, waiting)
            try:
                await waiting
            finally:
                timer.cancel()
                self._waiting = None
        changed, self._is_changed = self._is_changed, False
        return changed

    def cancel(self) -> None:
        """Forget the watch; whoever waits on it is told that the time ran out."""
        self._changes.forget(self._key, self)
        if self._waiting is not None:
            _finish(self._waiting)

    def wake(self) -> None:
        """Tell whoever waits, now or later, that the key was written."""
        self._is_changed = True
        if self._waiting is not None:
            _finish(self._waiting)


def _finish(waiting: asyncio.Future[bool]) -> None:
    if not waiting.done():
        waiting.set_result(True)


class _Listener:
    """Somebody who is told of changes; the same function may be told on two accounts."""

    __slots__ = ("told",)

    def __init__(self, told: Callable[[bytes], None]) -> None:
        self.told = told


class _Prefixes(Generic[T]):
    """Who follows which prefix, found by a key without asking all.

    Of a key, as many beginnings are looked up as there are lengths of prefixes that begin as it
    does: keys of other accounts, regions and services cost nothing.
    """

    __slots__ = ("_levels", "_owners")

    def __init__(self) -> None:
        self._owners: dict[bytes, dict[T, None]] = {}
        self._levels: list[tuple[int, dict[bytes, dict[int, int]]]]
        self._levels = [(size, {}) for size in _HEADS_BYTES]

    def add(self, prefix: bytes, owner: T) -> None:
        """`owner` follows `prefix`. Raises ValueError when too many prefixes are followed."""
        owners = self._owners.get(prefix)
        if owners is not None:
            owners[owner] = None
            return
        if len(self._owners) >= WATCHES_MAX:
            raise ValueError("too many watches: somebody does not cancel them")
        self._owners[prefix] = {owner: None}
        size, heads = self._level_of(prefix)
        lengths = heads.setdefault(prefix[:size], {})
        lengths[len(prefix)] = lengths.get(len(prefix), 0) + 1

    def discard(self, prefix: bytes, owner: T) -> None:
        """`owner` follows `prefix` no more; harmless when it does not."""
        owners = self._owners.get(prefix)
        if owners is None or owner not in owners:
            return
        del owners[owner]
        if owners:
            return
        del self._owners[prefix]
        size, heads = self._level_of(prefix)
        lengths = heads[prefix[:size]]
        lengths[len(prefix)] -= 1
        if not lengths[len(prefix)]:
            del lengths[len(prefix)]
            if not lengths:
                del heads[prefix[:size]]

    def _level_of(self, prefix: bytes) -> tuple[int, dict[bytes, dict[int, int]]]:
        """The longest heads that are not longer than the prefix."""
        return next(level for level in self._levels if level[0] <= len(prefix))

    def over(self, key: bytes) -> list[T]:
        """Who follows a prefix that `key` begins with."""
        found: list[T] = []
        for size, heads in self._levels:
            if heads and (lengths := heads.get(key[:size])):
                for length in lengths:
                    # What is cut from a shorter key is that key, which has its own length.
                    if length <= len(key):
                        found += self._owners.get(key[:length], ())
        return found

    def within(self, begin: bytes, end: bytes) -> list[T]:
        """Who follows a prefix of some key with begin <= key < end."""
        return [
            owner
            for prefix, owners in self._owners.items()
            if prefix < end and (begin <= prefix or begin.startswith(prefix))
            for owner in owners
        ]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._owners)

    def __bool__(self) -> bool:
        return bool(self._owners)


class Changes:
    """The watches and listeners of one store."""

    def __init__(self) -> None:
        self._watches: _Prefixes[LocalWatch] = _Prefixes()
        self._listeners: _Prefixes[_Listener] = _Prefixes()

    def watch(self, key: bytes) -> LocalWatch:
        """A new watch on every key that begins with `key`."""
        made = LocalWatch(self, key)
        self._watches.add(key, made)
        return made

    def forget(self, key: bytes, watch: LocalWatch) -> None:
        """Take a watch away; harmless when it is gone already."""
        self._watches.discard(key, watch)

    def listen(self, prefix: bytes, told: Callable[[bytes], None]) -> Callable[[], None]:
        """Call `told` with each changed key that begins with `prefix`; the answer ends it."""
        mine = _Listener(told)
        self._listeners.add(prefix, mine)
        return lambda: self._listeners.discard(prefix, mine)

    @property
    def listened(self) -> list[bytes]:
        """The prefixes of the listeners, for engines that must name the keys of a cleared range."""
        return list(self._listeners)

    def tell(self, keys: Iterable[bytes], ranges: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """After a commit: `keys` were written or cleared, and `ranges` were cleared.

        Watches are woken by both. Listeners are told of keys only.
        """
        listening = self._listeners.over
        for key in keys:
            for listener in listening(key):
                listener.told(key)
        if not self._watches:
            return
        watching = self._watches.over
        for key in keys:
            for watch in watching(key):
                watch.wake()
        for begin, end in ranges:
            for watch in self._watches.within(begin, end):
                watch.wake()
