"""Writing responses; what could split a response in two cannot be written."""

from __future__ import annotations

import re
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

import msgspec

from cumulet.core.clock import Clock
from cumulet.core.http import Response
from cumulet.edge.limits import HEADER_NAMES_KNOWN_MAX

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n"
    for status in HTTPStatus
    if status >= 200
}
_ORDINARY, _LENGTH, _OURS, _DATE = range(4)
_KINDS = {
    "content-length": _LENGTH,
    "date": _DATE,
    # Headers of the connection: the edge decides them, so a surface's are left out.
    "connection": _OURS,
    "transfer-encoding": _OURS,
    "keep-alive": _OURS,
    "upgrade": _OURS,
    "trailer": _OURS,
}

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class BadResponse(ValueError):
    """A surface gave a response that cannot be written, such as a line end in a header."""


class _Kinds(dict[str, int]):
    """Header names that were checked before → how they are treated."""

    def __missing__(self, name: str) -> int:
        if _TOKEN.match(name) is None:
            raise BadResponse(f"bad header name {name!r}")
        kind = _KINDS.get(name.lower(), _ORDINARY)
        if len(self) < HEADER_NAMES_KNOWN_MAX:
            self[name] = kind
        return kind


class HeadWriter:
    """Writes heads, with the Date of the current second made once. One per server."""

    __slots__ = ("_date", "_kinds", "_now", "_second")

    def __init__(self, clock: Clock) -> None:
        self._now = clock.now
        self._second = -1
        self._date = ""
        self._kinds = _Kinds()

    def write(self, response: Response, method: str, newest: bool, keep_alive: bool) -> Framed:
        """The head's bytes and how the body goes. Raises BadResponse."""
        second = int(self._now())
        if second != self._second:
            self._second = second
            self._date = f"date: {formatdate(second, usegmt=True)}\r\n"
        status = response.status
        body = response.body
        kinds = self._kinds
        lines = [_STATUS_LINES.get(status) or f"HTTP/1.1 {_checked(status)} \r\n"]
        declared: str | None = None
        date = self._date
        for name, value in response.headers:
            kind = kinds[name]
            if kind == _ORDINARY:
                lines.append(f"{name}: {value}\r\n")
            elif kind == _LENGTH:
                declared = value
            elif kind == _DATE:
                date = f"{name}: {value}\r\n"
        lines.append(date)
        bodiless = method == "HEAD" or status == 204 or status == 304
        if type(body) is bytes and declared is None and not bodiless:
            size: int | None = len(body)
        else:
            size = _size(status, body, declared, bodiless=bodiless)
        chunked = False
        if size is not None:
            lines.append(f"content-length: {size}\r\n")
        elif not bodiless:
            chunked = newest
            keep_alive = keep_alive and newest
            if chunked:
                lines.append("transfer-encoding: chunked\r\n")
        if not keep_alive:
            lines.append("connection: close\r\n")
        elif not newest:
            lines.append("connection: keep-alive\r\n")
        return Framed(_joined(lines), bodiless, chunked, size, keep_alive)


class Framed(msgspec.Struct, frozen=True):
    """A head ready to be sent and the framing that it promises."""

    head: bytes
    bodiless: bool
    chunked: bool
    size_bytes: int | None
    keep_alive: bool


def _size(status: int, body: object, declared: str | None, *, bodiless: bool) -> int | None:
    """The Content-Length to send; None for none. Raises BadResponse."""
    if declared is not None and not (declared.isascii() and declared.isdigit()):
        raise BadResponse(f"bad content-length {declared!r}")
    if status == 204:
        return None
    if isinstance(body, bytes):
        if bodiless:
            given = int(declared) if declared is not None else len(body)
            return None if status == 304 and not given else given
        if declared is not None and int(declared) != len(body):
            raise BadResponse("content-length differs from the body")
        return len(body)
    return None if declared is None else int(declared)


def _checked(status: int) -> int:
    if not 200 <= status <= 999:
        raise BadResponse(f"bad status {status}")
    return status


def _joined(lines: list[str]) -> bytes:
    text = "".join(lines)
    # Every line was given exactly one line end; any other came in a value.
    if text.count("\n") != len(lines) or text.count("\r") != len(lines) or "\0" in text:
        raise BadResponse("a line end in a header")
    try:
        return (text + "\r\n").encode("latin-1")
    except UnicodeEncodeError as cause:
        raise BadResponse("a header that is not Latin-1") from cause


def plain(status: int, reason: str = "") -> Response:
    """A short answer in words, for what happens before anybody knows which service is asked."""
    text = reason or HTTPStatus(status).phrase
    return Response(status, [("content-type", "text/plain")], text.encode())


async def close(body: Any) -> None:
    """Close a streamed body that will not be read to its end."""
    end = getattr(body, "aclose", None)
    if end is not None:
        await end()
