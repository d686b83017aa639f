"""One HTTP/1.1 exchange with a backend, over asyncio's streams and httptools' parser."""

from __future__ import annotations

import contextlib
import re
import ssl
from asyncio import StreamReader, StreamWriter, open_connection
from dataclasses import dataclass

import httptools

from cumulet.services.apigateway.limits import BODY_BYTES_MAX

HEAD_BYTES_MAX = 65_536
_PIECE_BYTES = 65_536
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_BAD = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})


class OutboundError(Exception):
    """The backend cannot be reached, broke the connection, or does not speak HTTP."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send: `address` is the path with its query, `authority` the Host header."""

    host: str
    port: int
    authority: str
    is_tls: bool
    address: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer of a backend; its headers as they were spelt."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class _Collector:
    """Takes what the parser finds."""

    def __init__(self) -> None:
        self.headers: list[tuple[str, str]] = []
        self.parts: list[bytes] = []
        self.size_bytes = 0
        self.head_bytes = 0
        self.is_complete = False
        self.has_head = False

    def on_message_begin(self) -> None:
        # An interim answer may have come before.
        self.headers.clear()
        self.parts.clear()
        self.is_complete = False
        self.has_head = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.head_bytes += len(name) + len(value)
        if self.head_bytes > HEAD_BYTES_MAX:
            raise OutboundError("the headers of the answer are too long")
        self.headers.append((name.decode("latin-1"), value.decode("latin-1").strip()))

    def on_headers_complete(self) -> None:
        self.has_head = True

    def on_body(self, part: bytes) -> None:
        self.size_bytes += len(part)
        if self.size_bytes > BODY_BYTES_MAX:
            raise OutboundError("the answer is longer than 10 MB")
        self.parts.append(part)

    def on_message_complete(self) -> None:
        self.is_complete = True


async def exchange(
    target: Target,
    method: str,
    headers: list[tuple[str, str]],
    body: bytes,
    tls: ssl.SSLContext | None,
) -> Answer:
    """Send one request on a connection of its own and read its whole answer.

    Redirects are not followed. Raises OutboundError; the caller bounds the time.
    """
    head = _head(target, method, headers, body)
    try:
        reader, writer = await open_connection(
            target.host, target.port, ssl=tls, server_hostname=target.host if tls else None
        )
    except (OSError, ssl.SSLError) as cause:
        raise OutboundError(f"{target.host}:{target.port}: {cause}") from cause
    try:
        writer.write(head + body)
        await writer.drain()
        return await _read(reader, method)
    except (OSError, ssl.SSLError) as cause:
        raise OutboundError(f"{target.host}:{target.port}: {cause}") from cause
    finally:
        await _close(writer)


async def _close(writer: StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, ssl.SSLError):
        await writer.wait_closed()


def _head(target: Target, method: str, headers: list[tuple[str, str]], body: bytes) -> bytes:
    lines = [f"{method} {target.address} HTTP/1.1"]
    for name, value in headers:
        if not _NAME.match(name) or _BAD.search(value):
            raise OutboundError(f"the header {name!r} cannot be sent")
        lines.append(f"{name}: {value}")
    if body or method not in _BODILESS:
        lines.append(f"Content-Length: {len(body)}")
    lines.append("Connection: close")
    text = "\r\n".join(lines) + "\r\n\r\n"
    if _BAD.search(target.address) or " " in target.address or " " in method:
        raise OutboundError("the address cannot be sent")
    return text.encode("latin-1", "replace")


async def _read(reader: StreamReader, method: str) -> Answer:
    collector = _Collector()
    parser = httptools.HttpResponseParser(collector)
    while not _is_done(collector, parser, method):
        data = await reader.read(_PIECE_BYTES)
        if not data:
            break
        try:
            parser.feed_data(data)
        except httptools.HttpParserError as cause:
            inner = cause.__context__
            if isinstance(inner, OutboundError):
                raise inner from cause
            raise OutboundError(f"the answer is not HTTP: {cause}") from cause
    if not collector.has_head:
        raise OutboundError("the connection ended without an answer")
    if not collector.is_complete and _was_cut(collector, method):
        raise OutboundError("the connection ended within the answer")
    return Answer(parser.get_status_code(), collector.headers, b"".join(collector.parts))


def _is_done(collector: _Collector, parser: httptools.HttpResponseParser, method: str) -> bool:
    """Whether the answer is whole; an interim one, as `100 Continue`, does not count."""
    if not collector.has_head:
        return False
    status = parser.get_status_code()
    if 100 <= status < 200:
        return False
    return collector.is_complete or method == "HEAD" or status in (204, 304)


def _was_cut(collector: _Collector, method: str) -> bool:
    """Whether more was announced than came; without a length, the end of the connection counts."""
    if method == "HEAD":
        return False
    named = {name.lower(): value for name, value in collector.headers}
    if "chunked" in named.get("transfer-encoding", "").lower():
        return True
    length = named.get("content-length", "")
    return length.isdigit() and int(length) > collector.size_bytes
