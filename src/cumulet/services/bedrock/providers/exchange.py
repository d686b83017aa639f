"""One HTTP request to a model's server, and its answer read only as fast as it is asked for.

What nobody reads stays in the socket, so that a slow reader slows the server down. The connection
ends with the exchange, which is how a server learns that nobody wants the rest.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import httptools

from cumulet.services.bedrock.limits import CONNECT_SECONDS_MAX, HEAD_BYTES_MAX, READ_BYTES


class Unreachable(Exception):
    """The server cannot be reached, or broke the connection off, or does not speak HTTP."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is: a host and port, or the path of a Unix socket; `base` precedes paths."""

    host: str
    port: int
    is_tls: bool = False
    base: str = ""
    socket: str = ""


def parse_address(url: str) -> Address:
    """The address of an http or https URL, which the models file has checked."""
    parts = urlsplit(url)
    is_tls = parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)
    return Address(parts.hostname or "", port, is_tls, parts.path.rstrip("/"))


class Exchange:
    """The answer on its way. `close` ends it at once, at any time and as often as one likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.status = 0
        self._reader = reader
        self._writer = writer
        self._parser = httptools.HttpResponseParser(self)
        self._pieces: deque[bytes] = deque()
        self._head_bytes = 0
        self._has_head = False
        self._is_framed = False
        self._is_complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header of the answer."""
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > HEAD_BYTES_MAX:
            raise Unreachable("the headers of the answer are too long")
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._is_framed = True

    def on_headers_complete(self) -> None:
        """The head is here, unless it is an interim one."""
        status = self._parser.get_status_code()
        if status >= 200:
            self.status = status
            self._has_head = True

    def on_body(self, piece: bytes) -> None:
        """A piece of the body."""
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """The end of the answer."""
        if self._has_head:
            self._is_complete = True

    async def _advance(self) -> None:
        try:
            data = await self._reader.read(READ_BYTES)
            if data:
                self._parser.feed_data(data)
                return
        except (OSError, httptools.HttpParserError) as cause:
            raise Unreachable(str(cause) or type(cause).__name__) from cause
        if self._has_head and not self._is_framed:
            self._is_complete = True
        else:
            raise Unreachable("the connection ended before the answer did")

    async def head(self) -> None:
        """Wait for the status. Raises Unreachable; the caller bounds the time."""
        while not self._has_head:
            await self._advance()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body, as it comes. Raises Unreachable when it breaks off."""
        while True:
            while self._pieces:
                yield self._pieces.popleft()
            if self._is_complete:
                return
            await self._advance()

    async def whole(self, limit_bytes: int) -> bytes:
        """The body, of which what is beyond the limit is left out."""
        content = b""
        async for piece in self.pieces():
            content += piece
            if len(content) >= limit_bytes:
                break
        return content[:limit_bytes]

    def close(self) -> None:
        """End the connection."""
        self._writer.transport.abort()


async def send(
    address: Address, path: str, headers: Sequence[tuple[str, str]], body: bytes
) -> Exchange:
    """Post a body. Raises Unreachable; whoever calls closes what it gets."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS_MAX):
            reader, writer = await _connect(address)
    except (OSError, ssl.SSLError) as cause:  # TimeoutError is an OSError.
        raise Unreachable(str(cause) or "it took too long to connect") from cause
    ordinary = 443 if address.is_tls else 80
    shown = f"[{address.host}]" if ":" in address.host else address.host
    host = shown if address.port == ordinary else f"{shown}:{address.port}"
    lines = [
        f"POST {address.base}{path} HTTP/1.1",
        f"Host: {host}",
        "Content-Type: application/json",
        "Connection: close",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers),
    ]
    writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
    return Exchange(reader, writer)


async def _connect(address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if address.socket:
        return await asyncio.open_unix_connection(address.socket, limit=READ_BYTES)
    tls = _trusting_the_machine() if address.is_tls else None
    return await asyncio.open_connection(address.host, address.port, ssl=tls, limit=READ_BYTES)


@functools.lru_cache(maxsize=1)
def _trusting_the_machine() -> ssl.SSLContext:
    """Made once: reading the machine's authorities takes longer than a handshake."""
    return ssl.create_default_context()
