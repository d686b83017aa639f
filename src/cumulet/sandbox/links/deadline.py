"""One timer for the deadlines of many events, of which nearly all are answered long before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_CLOSE_SECONDS = 0.001
"""The loop's timers count in milliseconds: what is nearer than that has come."""


class Deadline:
    """Calls `passed` when the deadline set last has come.

    A timer that is on its way is left alone when a later deadline is set: when it fires it looks
    how much is left. So an event costs two numbers, and not a timer made and taken back.
    """

    __slots__ = ("_due", "_fires", "_loop", "_passed", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, passed: Callable[[], None]) -> None:
        self._loop = loop
        self._passed = passed
        self._due = self._fires = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def set(self, seconds: float) -> None:
        """The deadline is so far from now."""
        due = self._due = self._loop.time() + max(seconds, 0.0)
        if self._timer is not None:
            if self._fires <= due:
                return
            self._timer.cancel()
        self._fires = due
        self._timer = self._loop.call_at(due, self._look)

    def stop(self) -> None:
        """Forget the deadline."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._due - self._loop.time() >= _CLOSE_SECONDS:
            self._fires = self._due
            self._timer = self._loop.call_at(self._due, self._look)
        else:
            self._passed()
