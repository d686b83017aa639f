"""The body of a request while it arrives, with back-pressure to the socket."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Protocol

from cumulet.core.errors import AwsError, RequestTooLarge
from cumulet.edge.http1.chunked import Dechunker
from cumulet.edge.limits import Limits


class Source(Protocol):
    """The connection that a body comes from."""

    def body_wanted(self) -> None:
        """Somebody reads: tell a client that waits for `100 Continue`, and read on."""
        ...


class StreamBody:
    """A body that may still be arriving. Bytes are held up to a bound that the connection keeps."""

    __slots__ = ("_error", "_pieces", "_source", "_taken", "_waiter", "ended", "held", "size_bytes")

    def __init__(self, source: Source, size_bytes: int | None) -> None:
        self.size_bytes = size_bytes
        self.held = 0
        self.ended = False
        self._source = source
        self._pieces: deque[bytes] = deque()
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._taken = False

    def push(self, piece: bytes) -> None:
        """Bytes have arrived."""
        self._pieces.append(piece)
        self.held += len(piece)
        self._wake()

    def finish(self) -> None:
        """The last byte has arrived."""
        self.ended = True
        self._wake()

    def fail(self, error: Exception) -> None:
        """No more will come; whoever reads gets `error`."""
        if not self.ended and self._error is None:
            self._error = error
            self._wake()

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    async def read(self, limit_bytes: int) -> bytes:
        """The whole body. Raises RequestTooLarge beyond `limit_bytes`, before reading if it can."""
        if self.size_bytes is not None and self.size_bytes > limit_bytes:
            raise RequestTooLarge("Request size exceeded the limit.")
        pieces: list[bytes] = []
        total = 0
        async for piece in self:
            total += len(piece)
            if total > limit_bytes:
                raise RequestTooLarge("Request size exceeded the limit.")
            pieces.append(piece)
        return b"".join(pieces)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._taken:
            raise RuntimeError("a body can be read once")
        self._taken = True
        while True:
            if self._pieces:
                piece = self._pieces.popleft()
                self.held -= len(piece)
                yield piece
            elif self._error is not None:
                raise self._error
            elif self.ended:
                return
            else:
                self._waiter = asyncio.get_running_loop().create_future()
                self._source.body_wanted()
                await self._waiter


class Incoming:
    """The body of the request in hand, as its bytes come off the socket."""

    __slots__ = (
        "_active_seconds",
        "_broken",
        "_dechunker",
        "_left",
        "_limits",
        "_quiet_seconds",
        "_received",
        "_seen",
        "abandoned",
        "awaits_continue",
        "body",
        "ended",
    )

    def __init__(
        self, source: Source, size_bytes: int | None, limits: Limits, *, awaits_continue: bool
    ) -> None:
        self.body = StreamBody(source, size_bytes)
        self.awaits_continue = awaits_continue
        self.abandoned = False
        self.ended = False
        self._broken = False
        self._limits = limits
        self._left = size_bytes or 0
        self._dechunker = Dechunker(limits.body_bytes_max) if size_bytes is None else None
        self._received = self._seen = 0
        self._active_seconds = self._quiet_seconds = 0.0

    def feed(self, data: bytes) -> bytes:
        """Take body bytes; what follows the body comes back. Raises BadRequest."""
        self._received += len(data)
        if self._dechunker is not None:
            pieces = self._dechunker.feed(data)
            rest = self._dechunker.rest
            self.ended = self._dechunker.done
        else:
            piece, rest = data[: self._left], data[self._left :]
            pieces = [piece]
            self._left -= len(piece)
            self.ended = self._left == 0
        if not self.abandoned:
            for piece in pieces:
                self.body.push(piece)
            if self.ended:
                self.body.finish()
        return rest

    @property
    def is_full(self) -> bool:
        """Whether the handler is so far behind that reading should stop."""
        return not self.abandoned and self.body.held > self._limits.body_buffer_bytes

    @property
    def can_be_skipped(self) -> bool:
        """Whether the unread rest is worth reading past, to keep the connection."""
        if self.awaits_continue or self._broken:
            return False
        return self._dechunker is not None or self._left <= self._limits.unread_body_bytes_max

    @property
    def is_tiresome(self) -> bool:
        """Whether more of an abandoned body has come than is read past."""
        return self.abandoned and self._received > self._limits.unread_body_bytes_max

    def fail(self, error: Exception) -> None:
        """No more of it can be read; whoever reads gets `error`."""
        self._broken = True
        self.body.fail(error)

    def abandon(self) -> None:
        """Nobody will read the rest: it is thrown away as it comes."""
        self.abandoned = True
        self._received = self._seen = 0

    def is_too_slow(self, seconds: float) -> bool:
        """Whether, after `seconds` more of waiting for bytes, the client is given up."""
        if self._received > self._seen:
            self._seen = self._received
            self._quiet_seconds = 0.0
        else:
            self._quiet_seconds += seconds
        self._active_seconds += seconds
        grace = self._limits.body_gap_seconds
        if self._quiet_seconds > grace:
            return True
        wanted = (self._active_seconds - grace) * self._limits.body_rate_bytes_min
        return self._active_seconds > grace and self._received < wanted


def incomplete_body() -> AwsError:
    """S3's words for a body that ends early; other services have none of their own.

    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    """
    return AwsError(
        "You did not provide the number of bytes specified by the Content-Length HTTP header",
        code="IncompleteBody",
        http_status=400,
    )


def too_slow() -> AwsError:
    """S3's words for a body that stops arriving.

    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    """
    return AwsError(
        "Your socket connection to the server was not read from or written to within the timeout "
        "period. Idle connections will be closed.",
        code="RequestTimeout",
        http_status=400,
    )
