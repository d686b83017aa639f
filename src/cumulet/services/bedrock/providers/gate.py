"""Who may ask a model now, who waits, and who is turned away."""

from __future__ import annotations

import asyncio
from collections import deque


class Full(Exception):
    """Too many wait already."""


class Gate:
    """At most `width` at once; at most `queue` wait, in the order in which they came."""

    def __init__(self, width: int, queue: int) -> None:
        self._free = width
        self._queue = queue
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        """Wait for one's turn. Raises Full. Whoever has entered must leave, once."""
        if self._free > 0:
            self._free -= 1
            return
        self._waiting = deque(turn for turn in self._waiting if not turn.done())
        if len(self._waiting) >= self._queue:
            raise Full
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()  # The turn came in the same moment: it goes on to the next.
            raise

    def leave(self) -> None:
        """Make room for the next."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
