"""HTTP/1.1 to backends: one exchange on one connection, over asyncio's transports and httptools."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import cast

import httptools

from cumulet.services.apigateway.limits import BODY_BYTES_MAX

HEAD_BYTES_MAX = 65_536
WAITING_BYTES_MAX = 262_144
"""Of an answer that nobody has taken yet; beyond it the connection is not read on."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_BAD = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})


class OutboundError(Exception):
    """The backend cannot be reached, broke the connection, or does not speak HTTP.

    `has_begun` says whether any of its answer had come.
    """

    def __init__(self, words: str, *, has_begun: bool = True) -> None:
        super().__init__(words)
        self.has_begun = has_begun


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send: `address` is the path with its query, `authority` the Host header."""

    host: str
    port: int
    authority: str
    is_tls: bool
    address: str


class Arriving:
    """A backend's answer on its way, from the parser's callbacks to whoever reads it."""

    def __init__(self, method: str, transport: asyncio.Transport) -> None:
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.is_complete = False
        self.can_reuse = False
        self._method = method
        self._transport = transport
        self._parser = httptools.HttpResponseParser(self)
        self._pieces: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._head_bytes = 0
        self._has_head = False
        self._is_paused = False
        self._error: OutboundError | None = None
        self._changed: asyncio.Future[None] | None = None

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; those of interim answers are forgotten again."""
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > HEAD_BYTES_MAX:
            raise OutboundError("the headers of the answer are too long")
        self.headers.append((name.decode("latin-1"), value.decode("latin-1").strip()))

    def on_message_begin(self) -> None:
        """An answer begins; one behind a whole one is nobody's."""
        if self.is_complete:
            self.can_reuse = False
            raise OutboundError("the backend sent more than one answer")
        self.headers = []

    def on_headers_complete(self) -> None:
        """The head is here, unless it is an interim one."""
        status = self._parser.get_status_code()
        if 100 <= status < 200:
            return
        self.status = status
        self._has_head = True
        named = {name.lower(): value.lower() for name, value in self.headers}
        self.can_reuse = (
            self._parser.get_http_version() == "1.1"
            and "close" not in named.get("connection", "")
            and ("content-length" in named or "chunked" in named.get("transfer-encoding", ""))
        )
        if self._method == "HEAD" or status in (204, 304):
            self.can_reuse = "close" not in named.get("connection", "") and status != 304
            self.is_complete = True

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        if self.is_complete:
            self.can_reuse = False
            return
        self._pieces.append(piece)
        self._waiting_bytes += len(piece)
        if self._waiting_bytes > WAITING_BYTES_MAX and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """The end, unless it is that of an interim answer."""
        if self._has_head:
            self.is_complete = True

    def feed(self, data: bytes) -> None:
        """Take what came in."""
        was_complete = self.is_complete
        try:
            if was_complete:
                raise OutboundError("the backend sent more than its answer")
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.fail(OutboundError("the backend switched protocols"))
        except (httptools.HttpParserError, OutboundError) as cause:
            inner = cause if isinstance(cause, OutboundError) else cause.__context__
            self.can_reuse = False
            if not self.is_complete:
                words = inner if isinstance(inner, OutboundError) else None
                self.fail(words or OutboundError(f"the answer is not HTTP: {cause}"))
        self._wake()

    def end(self, words: str) -> None:
        """The connection has ended: the end of an answer without a length, else a failure."""
        self.can_reuse = False
        if not self.is_complete:
            named = {name.lower(): value.lower() for name, value in self.headers}
            is_framed = "content-length" in named or "chunked" in named.get("transfer-encoding", "")
            if self._has_head and not is_framed:
                self.is_complete = True
            elif self._has_head:
                self.fail(OutboundError(f"the connection ended within the answer: {words}"))
            else:
                begun = self._head_bytes > 0
                self.fail(OutboundError(f"no answer came: {words}", has_begun=begun))
        self._wake()

    def fail(self, error: OutboundError) -> None:
        """Tell the reader."""
        self._error = self._error or error
        self.can_reuse = False
        self._wake()

    def _wake(self) -> None:
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)

    async def _change(self) -> None:
        self._changed = asyncio.get_running_loop().create_future()
        await self._changed

    async def head(self) -> None:
        """Wait for status and headers. Raises OutboundError."""
        while not self._has_head:
            if self._error is not None:
                raise self._error
            await self._change()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises OutboundError when it breaks off."""
        while True:
            while self._pieces:
                piece = self._pieces.popleft()
                self._waiting_bytes -= len(piece)
                if self._is_paused and self._waiting_bytes <= WAITING_BYTES_MAX // 2:
                    self._is_paused = False
                    self._transport.resume_reading()
                yield piece
            if self._error is not None:
                raise self._error
            if self.is_complete:
                return
            await self._change()

    async def whole(self) -> bytes:
        """The whole body. Raises OutboundError when it breaks off or is too long."""
        parts: list[bytes] = []
        size = 0
        async for piece in self.pieces():
            size += len(piece)
            if size > BODY_BYTES_MAX:
                raise OutboundError("the answer is longer than 10 MB")
            parts.append(piece)
        return b"".join(parts)


class Line(asyncio.Protocol):
    """One connection to a backend, which carries one exchange at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.idle_since = 0.0
        self._arriving: Arriving | None = None

    @property
    def is_usable(self) -> bool:
        """Whether another exchange may begin on it."""
        return (
            self.transport is not None
            and not self.transport.is_closing()
            and self._arriving is None
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Hand it to the exchange; what comes between two exchanges was asked by nobody."""
        if self._arriving is None:
            self.close()
        else:
            self._arriving.feed(data)

    def eof_received(self) -> bool:
        """The backend has ended; so do we."""
        if self._arriving is not None:
            self._arriving.end("the backend closed it")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the exchange that is under way."""
        if self._arriving is not None:
            self._arriving.end(str(exc or "the backend closed it"))

    def begin(self, method: str, message: bytes) -> Arriving:
        """Send a request. Raises OutboundError when the connection has gone."""
        transport = self.transport
        if transport is None or transport.is_closing():
            raise OutboundError("the connection has gone", has_begun=False)
        self._arriving = Arriving(method, transport)
        transport.write(message)
        return self._arriving

    def rest(self) -> bool:
        """End the exchange; whether another may follow. One that cannot is closed."""
        arriving, self._arriving = self._arriving, None
        if arriving is None or not (arriving.is_complete and arriving.can_reuse):
            self.close()
            return False
        return self.is_usable

    def close(self) -> None:
        """End the connection at once."""
        if self.transport is not None:
            self.transport.abort()


async def connect(target: Target, tls: ssl.SSLContext | None) -> Line:
    """A new connection. Raises OutboundError; the caller bounds the time."""
    loop = asyncio.get_running_loop()
    try:
        _, line = await loop.create_connection(
            Line,
            target.host,
            target.port,
            ssl=tls,
            server_hostname=target.host if tls is not None else None,
        )
    except (OSError, ssl.SSLError) as cause:
        words = f"{target.host}:{target.port}: {cause}"
        raise OutboundError(words, has_begun=False) from cause
    return line


def message_of(target: Target, method: str, headers: list[tuple[str, str]], body: bytes) -> bytes:
    """A request as it is sent. Raises OutboundError for what cannot be."""
    lines = [f"{method} {target.address} HTTP/1.1"]
    for name, value in headers:
        if not _NAME.match(name) or _BAD.search(value):
            raise OutboundError(f"the header {name!r} cannot be sent")
        lines.append(f"{name}: {value}")
    if body or method not in _BODILESS:
        lines.append(f"Content-Length: {len(body)}")
    if _BAD.search(target.address) or " " in target.address or " " in method:
        raise OutboundError("the address cannot be sent")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace") + body


@dataclass(frozen=True, slots=True)
class WholeAnswer:
    """A whole answer of a backend; its headers as they were spelt."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


async def exchange(
    target: Target,
    method: str,
    headers: list[tuple[str, str]],
    body: bytes,
    tls: ssl.SSLContext | None,
) -> WholeAnswer:
    """One request on a connection of its own, and its whole answer.

    Raises OutboundError; the caller bounds the time.
    """
    message = message_of(target, method, [*headers, ("Connection", "close")], body)
    line = await connect(target, tls)
    try:
        arriving = line.begin(method, message)
        await arriving.head()
        return WholeAnswer(arriving.status, arriving.headers, await arriving.whole())
    finally:
        line.close()
