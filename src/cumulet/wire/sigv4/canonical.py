"""The canonical form of a request, over which its signature is made.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import itemgetter
from urllib.parse import quote, unquote_to_bytes

from cumulet.core.http import Headers

_UNRESERVED_PATH = re.compile(r"[A-Za-z0-9/._~-]*\Z")
_SPACES = re.compile(r"[ \t]+")
_SHAPES_REMEMBERED_MAX = 1_024
_SAFE = "-_.~"
_SAFE_PATH = "/-_.~"


def canonical_path(path: str, *, s3: bool) -> str:
    """S3 signs the path once encoded and as it is; the others normalise it and encode it again."""
    if path in ("", "/"):
        return "/"
    if s3:
        if _UNRESERVED_PATH.match(path) is not None:
            return path
        return quote(unquote_to_bytes(path), safe=_SAFE_PATH)
    if "//" in path or "/." in path:
        path = _normalised(path)
    if _UNRESERVED_PATH.match(path) is not None:
        return path
    return quote(path, safe=_SAFE_PATH)


def _normalised(path: str) -> str:
    """Without `.` and `..` segments, and with repeated slashes as one."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            if kept:
                kept.pop()
        elif segment and segment != ".":
            kept.append(segment)
    tail = "/" if kept and path.endswith("/") else ""
    return f"/{'/'.join(kept)}{tail}"


def canonical_query(query: str, *, without: str = "") -> str:
    """Names and values decoded, encoded in AWS's way, and sorted; `without` names one left out."""
    if not query:
        return ""
    pairs: list[tuple[str, str]] = []
    for part in query.split("&"):
        if not part:
            continue
        name, _, value = part.partition("=")
        encoded = _encoded(name)
        if encoded != without:
            pairs.append((encoded, _encoded(value)))
    pairs.sort()
    return "&".join([f"{name}={value}" for name, value in pairs])


def _encoded(text: str) -> str:
    if "%" in text or "+" in text:
        return quote(unquote_to_bytes(text.replace("+", " ")), safe=_SAFE)
    return quote(text, safe=_SAFE)


def canonical_headers(headers: Headers, signed: tuple[str, ...]) -> str:
    """`name:value` lines of the signed headers; several values of a name joined by commas.

    An empty line and the names, joined by semicolons, follow them.
    """
    write, names = _lines_of(signed)
    try:
        lines = write(_joined_values(headers) if headers.repeats else headers.first)
    except KeyError:
        lines = write({**dict.fromkeys(signed, ""), **_joined_values(headers)})
    if "  " in lines or "\t" in lines:
        lines = _SPACES.sub(" ", lines)
    return lines + names


def _joined_values(headers: Headers) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in headers.pairs:
        values[name] = f"{values[name]},{value}" if name in values else value
    return values


@lru_cache(_SHAPES_REMEMBERED_MAX)
def _lines_of(signed: tuple[str, ...]) -> tuple[Callable[[Mapping[str, str]], str], str]:
    """How the lines of these headers are written, and what follows them.

    A client signs the same headers again and again. Writing raises KeyError when one is missing.
    """
    template = "".join([f"{name.replace('%', '%%')}:%s\n" for name in signed])
    values = itemgetter(*signed)
    names = "\n" + ";".join(signed)
    if len(signed) == 1:
        return (lambda given: template % (values(given),)), names
    return (lambda given: template % values(given)), names
