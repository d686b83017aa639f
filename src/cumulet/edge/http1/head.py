"""Reading the head of an HTTP/1.1 request, strictly: what could be read in two ways is refused.

Follows https://www.rfc-editor.org/rfc/rfc9112 and refuses what it only tolerates: bare line ends,
folded headers, space before a colon, two framings, repeated Content-Length or Host.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from cumulet.core.http import Headers
from cumulet.edge.limits import HEADER_NAMES_KNOWN_MAX, HOSTS_KNOWN_MAX, Limits

_ALLOWED = bytes(code for code in range(256) if code == 9 or 32 <= code != 127)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_HOST = re.compile(r"(?:[A-Za-z0-9._~%!$&'()*+,;=-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?\Z")
_ABSOLUTE = re.compile(r"https?://([^/?#]*)(.*)\Z", re.IGNORECASE)
_DIGITS_MAX = 19
_SINGLE = frozenset({"content-length", "transfer-encoding", "host"})
_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"})


class BadRequest(Exception):
    """The bytes are not a request that can be answered; the connection ends after `status`."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Head(NamedTuple):
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
        self._names = _Names()
        self._hosts = _Hosts()

    def read(self, data: bytes) -> Head:
        """The head in `data`, which ends before the empty line. Raises BadRequest."""
        first, *lines = data.decode("latin-1").split("\r\n")
        # What is left must be the line ends that were split at: no bare one, no control character.
        if data.translate(None, _ALLOWED) != b"\r\n" * len(lines):
            raise BadRequest(400, "Bad character in the head")
        if len(lines) > self._limits.header_count_max:
            raise BadRequest(431, "Too many headers")
        names = self._names
        pairs: list[tuple[str, str]] = []
        spelt: list[str] = []
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon:
                raise BadRequest(400, "Header without a colon")
            pairs.append((names[name], value.strip(" \t")))
            spelt.append(name)
        headers = Headers.lowered(pairs, spelt)
        if headers.repeats:
            _check_repeats(pairs)
        method, target, newest = _request_line(first)
        path, query = self._target(method, target, headers)
        get = headers.get
        host = get("host")
        if host not in self._hosts:
            self._hosts.check(host)
        if newest and not host and "host" not in headers:
            raise BadRequest(400, "Host is missing")
        size = self._framing(headers, newest)
        connection = get("connection")
        keep_alive, upgrade = newest, ""
        if connection:
            keep_alive, upgrade = _options(connection.lower(), headers, newest)
        expects = newest and get("expect").lower() == "100-continue"
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

    def _framing(self, headers: Headers, newest: bool) -> int | None:
        coding = headers.get("transfer-encoding")
        text = headers.get("content-length")
        if coding or "transfer-encoding" in headers:
            if "content-length" in headers or not newest:
                raise BadRequest(400, "Two framings")
            if coding.lower() != "chunked":
                raise BadRequest(501, "Unknown transfer coding")
            return None
        if not text and "content-length" not in headers:
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
