"""Reading the head of an HTTP/1.1 request, strictly: what could be read in two ways is refused.

Follows https://www.rfc-editor.org/rfc/rfc9112 and refuses what it only tolerates: bare line ends,
folded headers, space before a colon, two framings, repeated Content-Length or Host.
"""

from __future__ import annotations

import re

import msgspec

from cumulet.core.http import Headers
from cumulet.edge.limits import (
    HEADER_NAMES_KNOWN_MAX,
    HOSTS_KNOWN_MAX,
    LINE_KNOWN_CHARACTERS_MAX,
    LINES_KNOWN_MAX,
    Limits,
)

_ALLOWED = bytes(code for code in range(256) if code == 9 or 32 <= code != 127)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_HOST = re.compile(r"(?:[A-Za-z0-9._~%!$&'()*+,;=-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?\Z")
_ABSOLUTE = re.compile(r"https?://([^/?#]*)(.*)\Z", re.IGNORECASE)
_DIGITS_MAX = 19
_SINGLE = frozenset({"content-length", "transfer-encoding", "host"})
_SENT_AGAIN = frozenset(
    {
        *("accept", "accept-encoding", "accept-language", "amz-sdk-request", "cache-control"),
        *("connection", "content-length", "content-type", "host", "origin", "pragma", "referer"),
        *("user-agent", "x-amz-api-version", "x-amz-date", "x-amz-target", "x-amz-user-agent"),
    }
)
_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"})


class BadRequest(Exception):
    """The bytes are not a request that can be answered; the connection ends after `status`."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Head(msgspec.Struct, frozen=True):
    """The head of one request and how its body is framed.

    `size_bytes` is 0 without a body, and None for the chunked coding.
    """

    method: str
    path: str
    query: str
    headers: Headers
    size_bytes: int | None
    keep_alive: bool
    expects_continue: bool
    upgrade: str
    newest: bool
    """Whether the client speaks HTTP/1.1, and so understands a chunked answer."""


class _Names(dict[str, str]):
    """Header names as sent → in lower case; those that were checked before."""

    def __missing__(self, name: str) -> str:
        if _TOKEN.match(name) is None:
            raise BadRequest(400, "Bad header name")
        lowered = name.lower()
        if len(self) < HEADER_NAMES_KNOWN_MAX:
            self[name] = lowered
        return lowered


class _Fields(dict[str, tuple[str, str]]):
    """Header lines → name in lower case and value; those kept that clients send again and again."""

    def __init__(self) -> None:
        self.names = _Names()

    def __missing__(self, line: str) -> tuple[str, str]:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequest(400, "Header without a colon")
        pair = (self.names[name], value.strip(" \t"))
        if pair[0] in _SENT_AGAIN and len(line) <= LINE_KNOWN_CHARACTERS_MAX:
            if len(self) >= LINES_KNOWN_MAX:
                self.clear()
            self[line] = pair
        return pair


class _Hosts(set[str]):
    """Values of the Host header that were checked before."""

    def check(self, host: str) -> None:
        """Raises BadRequest."""
        if _HOST.match(host) is None:
            raise BadRequest(400, "Bad Host")
        if len(self) < HOSTS_KNOWN_MAX:
            self.add(host)


class HeadReader:
    """Reads heads; remembers the header names and hosts it has checked. One per server."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._fields = _Fields()
        self._hosts = _Hosts()

    def read(self, data: bytes) -> Head:
        """The head in `data`, which ends before the empty line. Raises BadRequest."""
        lines = data.decode("latin-1").split("\r\n")
        first_line = lines.pop(0)
        # What is left must be the line ends that were split at: no bare one, no control character.
        if data.translate(None, _ALLOWED) != b"\r\n" * len(lines):
            raise BadRequest(400, "Bad character in the head")
        if len(lines) > self._limits.header_count_max:
            raise BadRequest(431, "Too many headers")
        pairs = list(map(self._fields.__getitem__, lines))
        headers = Headers.lowered(pairs, lines)
        first = headers.first
        if len(first) != len(pairs):
            _check_repeats(pairs)
        method, target, newest = _request_line(first_line)
        path, query = ("/", "") if target == "/" else self._target(method, target, headers)
        host = first.get("host", "")
        if host not in self._hosts:
            self._hosts.check(host)
        if not host and newest and "host" not in first:
            raise BadRequest(400, "Host is missing")
        size = self._framing(first, newest)
        keep_alive, upgrade = newest, ""
        if "connection" in first:
            keep_alive, upgrade = _options(first["connection"].lower(), headers, newest)
        expects = "expect" in first and newest and first["expect"].lower() == "100-continue"
        return Head(method, path, query, headers, size, keep_alive, expects, upgrade, newest)

    def _target(self, method: str, target: str, headers: Headers) -> tuple[str, str]:
        if len(target) > self._limits.target_bytes_max:
            raise BadRequest(414, "URI Too Long")
        if target[:1] != "/":
            target = _other_target(method, target, headers)
        if not target.isascii():
            target = "".join(c if c < "\x80" else f"%{ord(c):02X}" for c in target)
        if "#" in target or "\t" in target:
            raise BadRequest(400, "Bad request target")
        path, _, query = target.partition("?")
        return path, query

    def _framing(self, first: dict[str, str], newest: bool) -> int | None:
        text = first.get("content-length")
        if "transfer-encoding" in first:
            if text is not None or not newest:
                raise BadRequest(400, "Two framings")
            if first["transfer-encoding"].lower() != "chunked":
                raise BadRequest(501, "Unknown transfer coding")
            return None
        if text is None:
            return 0
        if not (text.isascii() and text.isdigit()) or len(text) > _DIGITS_MAX:
            raise BadRequest(400, "Bad Content-Length")
        size = int(text)
        if size > self._limits.body_bytes_max:
            raise BadRequest(413, "Content Too Large")
        return size


def _check_repeats(pairs: list[tuple[str, str]]) -> None:
    seen = [name for name, _ in pairs if name in _SINGLE]
    if len(seen) != len(set(seen)):
        raise BadRequest(400, "Repeated header")


def _request_line(line: str) -> tuple[str, str, bool]:
    parts = line.split(" ")
    if len(parts) != 3:
        raise BadRequest(400, "Bad request line")
    method, target, version = parts
    if method not in _METHODS and (_TOKEN.match(method) is None):
        raise BadRequest(400, "Bad method")
    if version == "HTTP/1.1":
        return method, target, True
    if version == "HTTP/1.0":
        return method, target, False
    if version.startswith("HTTP/"):
        raise BadRequest(505, "HTTP Version Not Supported")
    raise BadRequest(400, "Bad request line")


def _other_target(method: str, target: str, headers: Headers) -> str:
    """The absolute form, as proxies get it, and `OPTIONS *`. Raises BadRequest."""
    if target == "*" and method == "OPTIONS":
        return "/*"
    absolute = _ABSOLUTE.match(target)
    if absolute is None or absolute[1] != headers.get("host"):
        raise BadRequest(400, "Bad request target")
    rest = absolute[2]
    return rest if rest.startswith("/") else "/" + rest


def _options(connection: str, headers: Headers, newest: bool) -> tuple[bool, str]:
    """Whether the connection is kept, and the protocol that the client would change to."""
    if connection == "keep-alive":
        return True, ""
    options = [option.strip(" \t") for option in connection.split(",")]
    keep_alive = "close" not in options and (newest or "keep-alive" in options)
    return keep_alive, headers.get("upgrade").lower() if newest and "upgrade" in options else ""
