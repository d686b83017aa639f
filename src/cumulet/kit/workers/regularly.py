"""Work that is done again and again at a distance, and once more at the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from cumulet.core.clock import Clock
from cumulet.core.trace import log_cause, log_line
from cumulet.kit.workers import Tasks


class Regularly:
    """Does its work every so many seconds between `start` and `stop`.

    A turn that fails is logged and the next one comes all the same; of several failures in a row
    only the first is logged, and that they are over. For what lies in this process's memory: work
    that only one process must do is a `Worker`.
    """

    def __init__(
        self, clock: Clock, seconds: float, what: str, work: Callable[[], Awaitable[None] | None]
    ) -> None:
        self._clock = clock
        self._seconds = seconds
        self._what = what
        self._work = work
        self._failures = 0
        self._tasks = Tasks()
        self._turning = asyncio.Lock()

    async def start(self) -> None:
        """Begin: the first turn comes after the first pause."""
        self._tasks.start(self._run(), self._what)

    async def stop(self) -> None:
        """Wait for a turn that is under way, work once more, and end. Raises nothing."""
        async with self._turning:
            await self._tasks.stop()
            await self._turn()

    async def _run(self) -> None:
        while True:
            await self._clock.sleep(self._seconds)
            async with self._turning:
                await self._turn()

    async def _turn(self) -> None:
        try:
            done = self._work()
            if done is not None:
                await done
        except Exception as cause:
            self._failures += 1
            if self._failures == 1:
                log_cause("", "regular work failed", cause, work=self._what)
            return
        if self._failures:
            log_line(logging.INFO, "regular work goes on", work=self._what, failures=self._failures)
            self._failures = 0
