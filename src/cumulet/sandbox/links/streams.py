"""A streamed answer on its way to the sink: pieces in order, and a slow sink slows the function."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from cumulet.sandbox.contract import AsyncSink
from cumulet.sandbox.messages import STREAM_BYTES_MAX

WAITING_BYTES_MAX = 1_048_576
"""Bytes held for a slow sink before the function's side is no longer read."""


class Stream:
    """Carries one answer; `pause` and `resume` act on the reading side, `done` hears of the end.

    `done` is called once: with None when everything has reached the sink, or with the reason.
    """

    def __init__(
        self,
        sink: AsyncSink,
        content_type: str,
        pause: Callable[[], None],
        resume: Callable[[], None],
        done: Callable[[str | None], None],
    ) -> None:
        self._sink = sink
        self._pause, self._resume, self._done = pause, resume, done
        self._pieces: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._total_bytes = 0
        self._more = asyncio.Event()
        self._ended = self._paused = False
        self._task = asyncio.get_running_loop().create_task(self._carry(content_type))

    def feed(self, piece: bytes) -> None:
        """The next piece."""
        self._total_bytes += len(piece)
        self._pieces.append(piece)
        self._waiting_bytes += len(piece)
        if self._waiting_bytes > WAITING_BYTES_MAX and not self._paused:
            self._paused = True
            self._pause()
        self._more.set()

    def end(self) -> None:
        """No more pieces."""
        self._ended = True
        self._more.set()

    def cancel(self) -> None:
        """Stop carrying; `done` is not called."""
        self._task.cancel()

    async def _carry(self, content_type: str) -> None:
        try:
            await self._sink.begin(content_type)
            while True:
                await self._more.wait()
                self._more.clear()
                while self._pieces:
                    piece = self._pieces.popleft()
                    self._waiting_bytes -= len(piece)
                    await self._sink.write(piece)
                if self._total_bytes > STREAM_BYTES_MAX:
                    self._done("Response stream exceeded its maximum size")
                    return
                if self._paused:
                    self._paused = False
                    self._resume()
                if self._ended and not self._pieces:
                    self._done(None)
                    return
        except Exception as error:  # The sink is the caller's; its failure ends this answer only.
            self._done(f"Response stream was not taken: {type(error).__name__}")
