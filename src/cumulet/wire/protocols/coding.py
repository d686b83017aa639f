"""Content codings: bodies that clients compressed, and answers that they would rather have so.

DynamoDB takes and gives `gzip` and `deflate`; other services take what their model names.
https://docs.aws.amazon.com/sdkref/latest/guide/feature-compression.html
"""

from __future__ import annotations

import zlib
from functools import lru_cache

from cumulet.core.errors import RequestTooLarge

DECODED_BYTES_MAX = 16 * 1024 * 1024
"""What a compressed request body may become."""
MEMBERS_MAX = 100
"""How many gzip members one after the other may make a body."""
COMPRESSED_FROM_BYTES = 4096
"""Answers up to this size are never compressed, as DynamoDB does not."""

_WINDOW_BITS = {"gzip": 31, "deflate": 15}
"""By coding, what zlib has to read or write around the data (RFC 1952, RFC 1950)."""
_CACHED_MAX = 256


class Undecodable(Exception):
    """A body is not what its content coding says, or the coding is not known."""


def decode(coding: str, body: bytes) -> bytes:
    """The body before its coding, of one or, for gzip, several members.

    Raises Undecodable, and RequestTooLarge past `DECODED_BYTES_MAX`.
    """
    coding = coding.strip().lower()
    if coding == "identity":
        return body
    if coding not in _WINDOW_BITS:
        raise Undecodable(f"The content encoding {coding} is not known")
    content, rest = b"", body
    for _ in range(MEMBERS_MAX):
        inflate = zlib.decompressobj(_WINDOW_BITS[coding])
        try:
            # One byte more than is let through tells that there is more.
            content += inflate.decompress(rest, DECODED_BYTES_MAX + 1 - len(content))
        except zlib.error as cause:
            raise Undecodable(f"The body is not valid {coding}") from cause
        if len(content) > DECODED_BYTES_MAX:
            raise RequestTooLarge("Request size exceeded the limit.")
        rest = inflate.unused_data
        if not inflate.eof or (rest and coding != "gzip"):
            break
        if not rest:
            return content
    raise Undecodable(f"The body is not valid {coding}")


def encode(coding: str, body: bytes) -> bytes:
    """The body in a coding that `accepted` gave."""
    deflate = zlib.compressobj(wbits=_WINDOW_BITS[coding])
    return deflate.compress(body) + deflate.flush()


@lru_cache(_CACHED_MAX)
def accepted(accept_encoding: str) -> str:
    """The coding that an `Accept-Encoding` asks for: `gzip`, `deflate`, or "" for none.

    The best quality wins, then the order told, and what is named before `*`. As DynamoDB does,
    `identity` is never a preference, qualities above 1 or unreadable ones are 1, and the first
    `q=` counts: ScyllaDB's test_compressed_response.py, which is held against AWS, tells each.
    """
    named: dict[str, float] = {}
    star = 0.0
    for entry in accept_encoding.lower().split(","):
        name, _, parameters = entry.partition(";")
        name, quality = name.strip(), _quality(parameters)
        if name == "*":
            star = max(star, quality)
        elif name in _WINDOW_BITS:
            named[name] = max(quality, named.get(name, 0.0))
    best = max(named, key=named.__getitem__, default="")
    quality = named.get(best, 0.0)
    unnamed = next((name for name in _WINDOW_BITS if name not in named), "")
    if unnamed and star > quality:
        return unnamed
    return best if quality > 0 else ""


def _quality(parameters: str) -> float:
    _, found, value = parameters.partition("q=")
    if not found:
        return 1.0
    try:
        return min(1.0, max(0.0, float(value.partition(";")[0])))
    except ValueError:
        return 1.0
