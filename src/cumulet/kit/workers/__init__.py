"""Background work: one shape for all of it, with leases so that one node does it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import msgspec

from cumulet.core.clock import Clock, new_hex
from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.core.trace import log_cause, log_line
from cumulet.kv.contract import Store
from cumulet.kv.table import Table

LEASE_SECONDS = 60.0
BACK_OFF_SECONDS_MAX = 60.0

_NOWHERE = Scope("", "")


@dataclass(frozen=True, slots=True)
class Worker:
    """Work that is done again and again, one unit at a time.

    `run(platform)` does one unit and says after how many seconds to look again (0 for at once).
    A write under `wakes_on` (a key prefix) wakes it earlier.
    """

    name: str
    run: Callable[[Platform], Awaitable[float]]
    wakes_on: bytes | None = None


class Lease(msgspec.Struct, frozen=True):
    """Who does a piece of background work, and until when (epoch seconds)."""

    name: str
    holder: str
    until: float


LEASES: Table[Lease] = Table("kit", "lease", Lease, lambda lease: (lease.name,), extent="global")


class Tasks:
    """Holds background tasks, logs how they fail, and ends them together."""

    def __init__(self) -> None:
        self._held: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run `work` until it ends or the holder stops; its failure is logged once."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._held.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._held.discard(task)
        if not task.cancelled() and (cause := task.exception()) is not None:
            log_cause("", "background task failed", cause, task=task.get_name())

    async def stop(self) -> None:
        """Cancel all, and wait for their ends."""
        held = list(self._held)
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)


class Workers:
    """Runs the workers of all services; lists them for the operator.

    On a store that several processes share, a worker runs only where its lease is held. A store of
    one process voids the leases of earlier processes at once.
    """

    def __init__(self, platform: Platform, store: Store, clock: Clock, *, shared: bool) -> None:
        self._platform = platform
        self._store = store
        self._clock = clock
        self._shared = shared
        self._holder = new_hex(clock, 16)
        self._tasks = Tasks()
        self.failures: dict[str, int] = {}

    def start(self, workers: tuple[Worker, ...]) -> None:
        """Start them all."""
        for worker in workers:
            self._tasks.start(self._loop(worker), f"worker {worker.name}")

    async def stop(self) -> None:
        """End after the transactions in hand."""
        await self._tasks.stop()

    async def _loop(self, worker: Worker) -> None:
        held_until = 0.0
        while True:
            watch = self._store.watch(worker.wakes_on) if worker.wakes_on is not None else None
            try:
                if held_until - self._clock.now() < LEASE_SECONDS / 2:
                    held_until = await self._take_lease(worker.name)
                held = held_until > self._clock.now()
                delay = await worker.run(self._platform) if held else LEASE_SECONDS / 4
                self.failures.pop(worker.name, None)
            except Exception as cause:
                count = self.failures[worker.name] = self.failures.get(worker.name, 0) + 1
                log_cause("", "worker failed", cause, worker=worker.name, failures=count)
                delay = min(BACK_OFF_SECONDS_MAX, 2.0 ** min(count, 6))
            if watch is None:
                await self._clock.sleep(delay)
            else:
                if delay > 0:
                    await watch.wait(delay)
                watch.cancel()

    async def _take_lease(self, name: str) -> float:
        now = self._clock.now()
        if not self._shared:
            return now + LEASE_SECONDS

        async def take(tx: Any) -> float:
            lease = await LEASES.load(tx, _NOWHERE, name)
            if lease is not None and lease.holder != self._holder and lease.until > now:
                return 0.0
            await LEASES.save(tx, _NOWHERE, Lease(name, self._holder, now + LEASE_SECONDS))
            return now + LEASE_SECONDS

        until = await self._store.transact(take)
        if not until:
            log_line(logging.DEBUG, "lease held elsewhere", worker=name)
        return until
