"""Streamed answers: the function writes, the client reads, and the slower one sets the pace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.workers import Tasks
from cumulet.sandbox import Failed
from cumulet.services.lambda_.errors import ServiceException
from cumulet.services.lambda_.limits import (
    STREAM_BYTES_MAX,
    STREAM_CHUNKS_WAITING_MAX,
    STREAM_GRACE_SECONDS,
)
from cumulet.services.lambda_.model import Version
from cumulet.services.lambda_.running.functions import Call, Functions, Ran
from cumulet.services.lambda_.running.live import Entry

_END = None


class Stream:
    """One streamed answer: pieces wait in a bounded queue, then comes how the invocation ended.

    `content_type` is what the runtime declared, empty when the answer came in one piece.
    """

    def __init__(self, limit_seconds: float) -> None:
        self._limit_seconds = limit_seconds
        self._sent_bytes = 0
        self._work: asyncio.Task[None] | None = None
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue(STREAM_CHUNKS_WAITING_MAX)
        self._begun = asyncio.Event()
        self._tasks = Tasks()
        self._error: AwsError | None = None
        self.content_type = ""
        self.ran: Ran | None = None

    async def begin(self, content_type: str) -> None:
        """The function's answer begins."""
        self.content_type = content_type
        self._begun.set()

    async def write(self, chunk: bytes) -> None:
        """A piece of it; waits while the client has not taken enough of the earlier ones."""
        self._sent_bytes += len(chunk)
        if self._sent_bytes > STREAM_BYTES_MAX and self._work is not None:
            self._error = ServiceException(
                f"The streamed response is larger than {STREAM_BYTES_MAX} bytes.",
                code="Function.ResponseSizeTooLarge",
            )
            self._work.cancel()
        if chunk:
            await self._pieces.put(chunk)

    async def start(self, ctx: Context, entry: Entry, version: Version, call: Call) -> None:
        """Run the function. Returns when its answer begins, or has come whole.

        Raises what `Functions.run` raises before the answer has begun.
        """
        self._work = self._tasks.start(
            self._run(ctx, entry, version, call), f"stream {call.request_id}"
        )
        # A client that neither reads nor leaves must not hold the environment for ever.
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._limit_seconds, self._work.cancel)
        self._work.add_done_callback(lambda _: timer.cancel())
        await self._begun.wait()
        if self._error is not None:
            raise self._error

    async def _run(self, ctx: Context, entry: Entry, version: Version, call: Call) -> None:
        try:
            ran = await ctx.need(Functions).run(ctx, entry, version, call, on_stream=self)
            if not ran.outcome.streamed and not isinstance(ran.outcome, Failed):
                await self.write(ran.outcome.payload)
            self.ran = ran
            await self._pieces.put(_END)
        except AwsError as error:
            self._break_off(error)
        except BaseException:
            self._break_off(self._error or ServiceException("The stream was broken off."))
            raise
        finally:
            self._begun.set()

    def _break_off(self, error: AwsError) -> None:
        """End at once, in place of a piece that nobody has taken."""
        self._error = error
        if self._pieces.full():
            self._pieces.get_nowait()
        self._pieces.put_nowait(_END)

    @property
    def has_failed(self) -> bool:
        """Whether the function failed before its answer had begun."""
        ran = self.ran
        return ran is not None and isinstance(ran.outcome, Failed) and not ran.outcome.streamed

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The answer as it comes. Closing early ends the function's work on it."""
        try:
            while (piece := await self._pieces.get()) is not _END:
                yield piece
        finally:
            await self._tasks.stop()

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """The answer as InvokeWithResponseStream's events."""
        pieces = self.pieces()
        try:
            async for piece in pieces:
                yield {"PayloadChunk": {"Payload": piece}}
        finally:
            await pieces.aclose()
        yield {"InvokeComplete": self._complete()}

    def _complete(self) -> dict[str, str]:
        complete: dict[str, str] = {}
        if self._error is not None:
            complete = {"ErrorCode": self._error.code, "ErrorDetails": self._error.message}
        elif self.ran is not None:
            if isinstance(self.ran.outcome, Failed):
                complete["ErrorCode"] = "Unhandled"
                complete["ErrorDetails"] = self.ran.outcome.payload.decode(errors="replace")
            if self.ran.tail is not None:
                complete["LogResult"] = self.ran.tail
        return complete


async def open_stream(ctx: Context, entry: Entry, version: Version, call: Call) -> Stream:
    """Begin a streamed invocation; its permission was checked."""
    stream = Stream(version.settings.timeout_seconds + STREAM_GRACE_SECONDS)
    await stream.start(ctx, entry, version, call)
    return stream
