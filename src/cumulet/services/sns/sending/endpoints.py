"""Endpoints of HTTP and HTTPS: one POST, and the status of its answer."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote, unquote, urlsplit

from cumulet.services.sns.limits import HTTP_HEAD_BYTES_MAX, HTTP_SECONDS

_SAFE = "/%:=&?~#+!$,;'@()*[]-._"


class EndpointError(Exception):
    """The endpoint could not be reached, or did not answer in time or in HTTP."""


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """One context for all, as reading the authorities takes milliseconds."""
    return ssl.create_default_context()


def is_url(text: str, protocol: str) -> bool:
    """Whether a text is an address of that protocol."""
    try:
        parts = urlsplit(text)
        return parts.scheme == protocol and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


async def post(url: str, headers: Sequence[tuple[str, str]], body: bytes) -> int:
    """Send, and give the status of the answer, whose body is not read. Raises EndpointError."""
    try:
        async with asyncio.timeout(HTTP_SECONDS):
            return await _post(url, headers, body)
    except TimeoutError as cause:
        raise EndpointError(f"no answer within {HTTP_SECONDS} seconds") from cause
    except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as cause:
        raise EndpointError(str(cause) or type(cause).__name__) from cause


async def _post(url: str, headers: Sequence[tuple[str, str]], body: bytes) -> int:
    parts = urlsplit(url)
    is_tls = parts.scheme == "https"
    host = parts.hostname or ""
    reader, writer = await asyncio.open_connection(
        host, parts.port or (443 if is_tls else 80), ssl=_tls() if is_tls else None
    )
    try:
        writer.write(_head(parts.path, parts.query, parts.netloc, headers, len(body)) + body)
        await writer.drain()
        while True:
            status = await _status(reader)
            # An answer below 200 only says that the real one is to come.
            if status >= 200:
                return status
    finally:
        writer.close()


def _head(
    path: str, query: str, authority: str, headers: Sequence[tuple[str, str]], length: int
) -> bytes:
    address = quote(path or "/", safe=_SAFE) + (f"?{quote(query, safe=_SAFE)}" if query else "")
    login, _, host = authority.rpartition("@")
    lines = [f"POST {address} HTTP/1.1", f"Host: {host}"]
    if login:
        lines.append(f"Authorization: Basic {base64.b64encode(unquote(login).encode()).decode()}")
    lines += [f"{name}: {value}" for name, value in headers]
    lines += [f"Content-Length: {length}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode()


async def _status(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n")
    version, _, rest = head.decode("latin-1").partition(" ")
    if not version.startswith("HTTP/1.") or not rest[:3].isdigit():
        raise ValueError("the answer is not HTTP")
    size = len(head)
    while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
        size += len(line)
        if size > HTTP_HEAD_BYTES_MAX:
            raise ValueError("the answer has too long a head")
    return int(rest[:3])
