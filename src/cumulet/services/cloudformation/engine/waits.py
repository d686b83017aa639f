"""Waiting inside of steps: for answers, for other stacks; woken at once, and bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from cumulet.core.clock import Clock
from cumulet.kit.workers import Tasks
from cumulet.services.cloudformation.limits import LOOK_AGAIN_SECONDS

T = TypeVar("T")


class StepCancelled(Exception):
    """The stack is going back, so the step need not be waited for."""


class Waits:
    """Who waits for what in this process. A ring is a hint: the probe looks into the store.

    A ring that another process would have to give is made up for by looking again each second.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[str, set[asyncio.Event]] = {}

    def ring(self, key: str) -> None:
        """Something about `key` changed."""
        for bell in self._waiting.get(key, ()):
            bell.set()

    async def until(
        self,
        key: str,
        probe: Callable[[], Awaitable[T | None]],
        deadline: float,
        stop: asyncio.Event | None = None,
    ) -> T:
        """The first result of `probe` that is not None.

        Raises TimeoutError at `deadline` (epoch seconds) and StepCancelled once `stop` is set.
        """
        bell = asyncio.Event()
        self._waiting.setdefault(key, set()).add(bell)
        try:
            while True:
                bell.clear()
                found = await probe()
                if found is not None:
                    return found
                if stop is not None and stop.is_set():
                    raise StepCancelled
                left = deadline - self._clock.now()
                if left <= 0:
                    raise TimeoutError
                await self._first(bell, stop, min(left, LOOK_AGAIN_SECONDS))
        finally:
            waiting = self._waiting[key]
            waiting.discard(bell)
            if not waiting:
                del self._waiting[key]

    async def _first(self, bell: asyncio.Event, stop: asyncio.Event | None, seconds: float) -> None:
        tasks = Tasks()
        started = [
            tasks.start(bell.wait(), "bell"),
            tasks.start(self._clock.sleep(seconds), "time"),
        ]
        if stop is not None:
            started.append(tasks.start(stop.wait(), "stop"))
        try:
            await asyncio.wait(started, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await tasks.stop()
