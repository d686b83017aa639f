"""A cloud whose clock a test puts forward: it serves in a thread, and is called by real clients."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.conftest import Cloud

from cumulet.app.config import Config
from cumulet.app.serve import Running, start, stop
from cumulet.core.clock import SystemClock

SECONDS_MAX = 30


class Shifted(SystemClock):
    """The machine's clock and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> float:  # type: ignore[override]
        return SystemClock.now() + self.ahead


class MovedCloud(Cloud):
    """As `Cloud`, but within the test's own process, so that its time can be moved."""

    def __init__(self, data: Path) -> None:
        super().__init__(data)
        self.clock = Shifted()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="moved cloud")
        self._running: Running | None = None

    @contextmanager
    def later(self, seconds: float) -> Iterator[None]:
        """A while in the future, in which signed calls would be refused for their times."""
        self.clock.ahead = seconds
        try:
            yield
        finally:
            self.clock.ahead = 0.0

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(SECONDS_MAX)

    def start(self) -> MovedCloud:
        self._thread.start()
        config = Config(data=self.data, port=0, tool_stacks=False, drain_seconds=1.0)
        self._running = self._run(start(config, clock=self.clock))
        self.endpoint = self._running.endpoint
        self.root_key = (self._running.key.access_key_id, self._running.key.secret)
        return self

    def stop(self) -> int:
        if self._running is not None:
            self._run(stop(self._running))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SECONDS_MAX)
        self._loop.close()
        return 0
