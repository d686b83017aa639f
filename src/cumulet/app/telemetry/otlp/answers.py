"""What a receiver answered: how much of a batch it did not take, and when to come back. Pure.

https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
"""

from __future__ import annotations

import math
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import orjson

from cumulet.app.telemetry.limits import RETRY_AFTER_SECONDS_MAX

RETRIED = frozenset({429, 502, 503, 504})
"""https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes"""


class Partial(NamedTuple):
    """Part of a batch was refused, or nothing was and `words` warn."""

    rejected: int
    words: str


_WHOLE = Partial(0, "")


def parse_partial(body: bytes, *, is_json: bool) -> Partial:
    """What an answer says was not taken; an answer that says nothing readable took all."""
    try:
        return _from_json(body) if is_json else _from_protobuf(body)
    except (ValueError, IndexError, TypeError, AttributeError):
        return _WHOLE


def _from_json(body: bytes) -> Partial:
    if not body:
        return _WHOLE
    told = orjson.loads(body).get("partialSuccess") or {}
    count = told.get("rejectedSpans") or told.get("rejectedDataPoints") or 0
    return Partial(int(count), str(told.get("errorMessage", "")))


def _from_protobuf(body: bytes) -> Partial:
    """Field 1 of the answer, with fields 1 (a number) and 2 (a text) of its own."""
    rejected, words = 0, ""
    for number, inner in _fields(body):
        if number == 1 and isinstance(inner, bytes):
            for name, value in _fields(inner):
                if name == 1 and isinstance(value, int):
                    rejected = value
                elif name == 2 and isinstance(value, bytes):
                    words = value.decode("utf-8", "replace")
    return Partial(rejected, words)


def _fields(content: bytes) -> list[tuple[int, int | bytes]]:
    """The fields that are numbers or have a length. Raises ValueError or IndexError."""
    found: list[tuple[int, int | bytes]] = []
    at = 0
    while at < len(content):
        tag, at = _number(content, at)
        kind = tag & 7
        if kind == 0:
            value, at = _number(content, at)
            found.append((tag >> 3, value))
        elif kind == 2:
            size, at = _number(content, at)
            found.append((tag >> 3, content[at : at + size]))
            at += size
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            raise ValueError("no field of Protocol Buffers")
    return found


def _number(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError("no number of Protocol Buffers")


def retry_after(text: str, now: float) -> float | None:
    """The seconds that a Retry-After header asks for, bounded; None when it says nothing.

    https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
    """
    try:
        seconds = float(text)
    except ValueError:
        try:
            due = parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = (due if due.tzinfo else due.replace(tzinfo=UTC)).timestamp() - now
    return min(max(0.0, seconds), RETRY_AFTER_SECONDS_MAX) if math.isfinite(seconds) else None
