"""Group commit: many commits share one sync of the log, and nothing unsynced is ever shown."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from queue import SimpleQueue

from cumulet.kv.contract import Unavailable


class Group:
    """The commits that one sync makes durable, and who waits for it."""

    __slots__ = ("_is_sorted_up_to", "_order", "_sorted", "keys", "ranges", "waiting")

    def __init__(self) -> None:
        self.keys: set[bytes] = set()
        self.ranges: list[tuple[bytes, bytes]] = []
        self.waiting: list[asyncio.Future[None]] = []
        self._order: list[bytes] = []
        self._sorted: list[bytes] = []
        self._is_sorted_up_to = 0

    def add(self, keys: Iterable[bytes], ranges: Iterable[tuple[bytes, bytes]]) -> None:
        """Take in what one commit wrote and cleared."""
        self.keys.update(keys)
        self._order.extend(keys)
        self.ranges.extend(ranges)

    def touches(self, key: bytes) -> bool:
        """Whether this group changes `key`."""
        if key in self.keys:
            return True
        return any(begin <= key < end for begin, end in self.ranges)

    def touches_range(self, begin: bytes, end: bytes) -> bool:
        """Whether this group changes a key with begin <= key < end."""
        # Sorted only when somebody scans meanwhile, and then each key once.
        for key in self._order[self._is_sorted_up_to :]:
            insort(self._sorted, key)
        self._is_sorted_up_to = len(self._order)
        at = bisect_left(self._sorted, begin)
        if at < len(self._sorted) and self._sorted[at] < end:
            return True
        return any(begin < stop and start < end for start, stop in self.ranges)

    def finish(self, failure: str | None) -> None:
        """Tell all who wait."""
        for future in self.waiting:
            if future.done():
                continue
            if failure is None:
                future.set_result(None)
            else:
                future.set_exception(Unavailable(failure))
        self.waiting.clear()


class GroupCommit:
    """Runs syncs in a thread of its own, one at a time; commits meanwhile form the next group.

    After one failure nothing is claimed durable any more: what the failed groups wrote stays in
    doubt until the store is opened again.
    """

    def __init__(self, sync: Callable[[], None], on_step: Callable[[str], None] | None) -> None:
        self._sync = sync
        self._on_step = on_step
        self.unsynced: list[Group] = []
        """The group being synced and the one that gathers, oldest first. Empty when all is safe."""
        self.failure: str | None = None
        self._last_failure: str | None = None
        self._gathering: Group | None = None
        self._is_syncing = False
        self._work: SimpleQueue[tuple[Group, asyncio.AbstractEventLoop] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="kv-sync", daemon=True)
        self._thread.start()

    def add(self, keys: Iterable[bytes], ranges: Iterable[tuple[bytes, bytes]]) -> Group:
        """Take in what was just applied; the group will be synced soon."""
        group = self._gathering
        if group is None:
            self._gathering = group = Group()
            self.unsynced.append(group)
            if not self._is_syncing and self.failure is None:
                self._is_syncing = True
                # At the end of this turn of the loop, so that its other commits join.
                asyncio.get_running_loop().call_soon(self._begin)
        group.add(keys, ranges)
        return group

    async def wait(self, group: Group) -> None:
        """Return when the group is durable. Raises Unavailable when it never will be."""
        if self.failure is not None:
            raise Unavailable(self.failure)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        group.waiting.append(future)
        await future

    def fail(self, failure: str) -> None:
        """Never claim durability again. Everyone who waits is told."""
        if self.failure is None:
            self.failure = failure
        for group in self.unsynced:
            group.finish(self.failure)

    def last_touching(self, key: bytes) -> Group | None:
        """The newest unsynced group that changes `key`."""
        for group in reversed(self.unsynced):
            if group.touches(key):
                return group
        return None

    def last_touching_range(self, begin: bytes, end: bytes) -> Group | None:
        """The newest unsynced group that changes a key with begin <= key < end."""
        for group in reversed(self.unsynced):
            if group.touches_range(begin, end):
                return group
        return None

    def stop(self) -> str | None:
        """End the thread and sync what is left, in whatever thread; returns why that failed."""
        self._work.put(None)
        self._thread.join()
        # A sync that succeeds after one that failed says nothing of what the first one lost.
        failure = self.failure or self._last_failure
        return self._sync_once() if failure is None and self.unsynced else failure

    def end(self, failure: str | None) -> None:
        """After `stop`, on the loop: tell all who still wait."""
        if failure is not None:
            self.fail(failure)
            return
        for group in self.unsynced:
            group.finish(None)
        self.unsynced.clear()
        self._gathering = None

    def _begin(self) -> None:
        group = self._gathering
        if group is None:
            return  # Stopped meanwhile.
        self._gathering = None
        self._work.put((group, asyncio.get_running_loop()))

    def _run(self) -> None:
        while True:
            work = self._work.get()
            if work is None:
                return
            group, loop = work
            self._last_failure = failure = self._sync_once()
            # A loop that was closed has nobody waiting; `stop` sees to the rest.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._synced, group, failure)

    def _sync_once(self) -> str | None:
        try:
            if self._on_step is not None:
                self._on_step("sync-begin")
            self._sync()
            if self._on_step is not None:
                self._on_step("sync-end")
        except Exception as error:
            return f"the store cannot write to its disk: {error}"
        return None

    def _synced(self, group: Group, failure: str | None) -> None:
        self._is_syncing = False
        if failure is not None:
            self.fail(failure)
        if self.failure is not None or group not in self.unsynced:
            return
        self.unsynced.remove(group)
        group.finish(None)
        if self._gathering is not None:
            self._is_syncing = True
            asyncio.get_running_loop().call_soon(self._begin)
