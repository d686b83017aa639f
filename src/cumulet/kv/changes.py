"""Who wants to know of changes in this process: watches and listeners, kept by every engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

WATCHES_MAX = 100_000


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


class Changes:
    """The watches and listeners of one store."""

    def __init__(self) -> None:
        self._watches: dict[bytes, set[LocalWatch]] = {}
        self._lengths: dict[int, int] = {}
        self._listeners: dict[bytes, list[_Listener]] = {}
        self._listened_lengths: tuple[int, ...] = ()

    def watch(self, key: bytes) -> LocalWatch:
        """A new watch on every key that begins with `key`."""
        made = LocalWatch(self, key)
        if key not in self._watches:
            if len(self._watches) >= WATCHES_MAX:
                raise ValueError("too many watches: somebody does not cancel them")
            self._watches[key] = set()
            self._lengths[len(key)] = self._lengths.get(len(key), 0) + 1
        self._watches[key].add(made)
        return made

    def forget(self, key: bytes, watch: LocalWatch) -> None:
        """Take a watch away; harmless when it is gone already."""
        watches = self._watches.get(key)
        if watches is None:
            return
        watches.discard(watch)
        if not watches:
            del self._watches[key]
            self._lengths[len(key)] -= 1
            if not self._lengths[len(key)]:
                del self._lengths[len(key)]

    def listen(self, prefix: bytes, told: Callable[[bytes], None]) -> Callable[[], None]:
        """Call `told` with each changed key that begins with `prefix`; the answer ends it."""
        # Found by each length that a prefix has, of which there are few, not asked one by one.
        mine = _Listener(told)
        self._listeners.setdefault(prefix, []).append(mine)
        self._listened_lengths = tuple({len(prefix) for prefix in self._listeners})

        def end() -> None:
            listening = self._listeners.get(prefix, [])
            if mine in listening:
                listening.remove(mine)
                if not listening:
                    del self._listeners[prefix]
                    self._listened_lengths = tuple({len(prefix) for prefix in self._listeners})

        return end

    @property
    def listened(self) -> list[bytes]:
        """The prefixes of the listeners, for engines that must name the keys of a cleared range."""
        return list(self._listeners)

    def tell(self, keys: Iterable[bytes], ranges: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """After a commit: `keys` were written or cleared, and `ranges` were cleared.

        Watches are woken by both. Listeners are told of keys only.
        """
        listeners = self._listeners
        for length in self._listened_lengths:
            for key in keys:
                # The beginning of a shorter key is the key itself, which its own length finds.
                if len(key) < length:
                    continue
                for listener in tuple(listeners.get(key[:length], ())):
                    listener.told(key)
        if self._watches:
            self._wake(keys, ranges)

    def _wake(self, keys: Iterable[bytes], ranges: Iterable[tuple[bytes, bytes]]) -> None:
        watches = self._watches
        lengths = list(self._lengths)
        for key in keys:
            for length in lengths:
                for watch in tuple(watches.get(key[:length], ())):
                    watch.wake()
        for begin, end in ranges:
            for prefix in list(watches):
                if prefix < end and (begin <= prefix or begin.startswith(prefix)):
                    for watch in tuple(watches.get(prefix, ())):
                        watch.wake()
