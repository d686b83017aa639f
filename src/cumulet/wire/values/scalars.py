"""Plain values as text and numbers: timestamps in their three forms, booleans, floats, blobs."""

from __future__ import annotations

import base64
import binascii
import math
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from cumulet.core.errors import MalformedRequest
from cumulet.wire.model import Shape

_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s?"
    r"([Zz]|[+-]\d\d:?\d\d)?)?\Z",
    re.ASCII,
)
_HTTP_DATE = re.compile(
    r"(?:[A-Za-z]{3,9}, ?)?(\d{1,2})[ -]([A-Za-z]{3})[ -](\d{4}) "
    r"(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? (?:GMT|UTC|([+-]\d{4}))\Z",
    re.ASCII,
)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_INTEGER = re.compile(r"[+-]?\d{1,20}\Z", re.ASCII)
_FLOATS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?\Z", re.ASCII)
_EPOCH_LIMIT = 253_402_300_800
"""The first second of the year 10000: later times cannot be told as dates."""

DATES_REMEMBERED_MAX = 1_024
"""Seconds whose date in headers is remembered: those of objects that are read often."""

INTEGER_MIN, INTEGER_MAX = -(2**31), 2**31 - 1
LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1


class MalformedNumber(MalformedRequest):
    """A parameter of the address or a header, `name`, is no number that can be read."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"{text[:100]!r} can not be converted to an Integer")
        self.name = name
        self.text = text


def bad_value(text: object, kind: str) -> MalformedRequest:
    """The error for a value that is not of the shape's type."""
    return MalformedRequest(f"{str(text)[:100]!r} can not be converted to {kind}")


def parse_boolean(text: str) -> bool:
    """`true` or `false`, in any case."""
    match text.lower():
        case "true":
            return True
        case "false":
            return False
    raise bad_value(text, "a Boolean")


def parse_integer(text: str) -> int:
    """A whole number of at most 64 bits."""
    if _INTEGER.match(text) and LONG_MIN <= (value := int(text)) <= LONG_MAX:
        return value
    raise bad_value(text, "an Integer")


def parse_float(text: str) -> float:
    """A decimal number, or one of Smithy's three names for those that are none."""
    if text in _FLOATS:
        return _FLOATS[text]
    if _NUMBER.match(text):
        return float(text)
    raise bad_value(text, "a Float")


def parse_blob(text: str) -> bytes:
    """Base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        pass
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as cause:
        raise bad_value(text, "a Blob") from cause


def parse_timestamp(value: str | float, form: str = "") -> float:
    """Seconds since the epoch from any of the forms, whichever the model prefers."""
    if isinstance(value, bool):
        raise bad_value(value, "a Timestamp")
    if isinstance(value, int | float):
        return _bounded(value)
    text = value.strip()
    found = _ISO.match(text)
    try:
        if found:
            return _iso_seconds(found)
        if _NUMBER.match(text):
            return _bounded(float(text) if not _INTEGER.match(text) else int(text))
        if found := _HTTP_DATE.match(text):
            return _http_seconds(found)
    except (ValueError, OverflowError) as cause:
        raise bad_value(value, "a Timestamp") from cause
    raise bad_value(value, "a Timestamp")


def _bounded(value: float) -> float:
    if not -_EPOCH_LIMIT < value < _EPOCH_LIMIT:
        raise bad_value(value, "a Timestamp")
    return value


def _iso_seconds(found: re.Match[str]) -> float:
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    parts = (year, month, day, hour, minute, second)
    return _seconds_of_parts([int(part or 0) for part in parts], fraction, zone)


def _http_seconds(found: re.Match[str]) -> float:
    day, month, year, hour, minute, second, fraction, zone = found.groups()
    parts = [int(year), _MONTHS.index(month.title()) + 1]
    parts += [int(part) for part in (day, hour, minute, second)]
    return _seconds_of_parts(parts, fraction, zone)


def _seconds_of_parts(parts: list[int], fraction: str | None, zone: str | None) -> float:
    year, month, day, hour, minute, second = parts
    seconds = datetime(year, month, day, hour, minute, second, 0, UTC).timestamp()
    if zone and zone not in "Zz":
        digits = zone[1:].replace(":", "")
        offset = int(digits[:2]) * 3600 + int(digits[2:]) * 60
        seconds -= offset if zone[0] == "+" else -offset
    if fraction:
        return (int(seconds) * 10**6 + int(fraction[:6].ljust(6, "0"))) / 10**6
    return seconds


def timestamp_form(shape: Shape, default: str) -> str:
    """`unixTimestamp`, `iso8601` or `rfc822`: the model's own, or that of the place."""
    form: str = shape.traits.get("timestampFormat", default)
    return form


def seconds_of(value: Any) -> float:
    """Epoch seconds of a number or a datetime (one without a zone is taken as UTC)."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    seconds: float = value
    return seconds


def format_timestamp(value: Any, form: str) -> str:
    """A time as text in the given form; sub-seconds are told when there are any."""
    seconds = seconds_of(value)
    if form == "rfc822":
        return _http_date(math.floor(seconds))
    if form == "iso8601":
        whole = datetime.fromtimestamp(round(seconds * 1000) // 1000, UTC)
        millis = round(seconds * 1000) % 1000
        text = whole.replace(tzinfo=None).isoformat()
        return f"{text}.{millis:03d}Z" if millis else f"{text}Z"
    return str(number_of_seconds(value))


@lru_cache(DATES_REMEMBERED_MAX)
def _http_date(seconds: int) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    day, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    return f"{day}, {moment.day:02d} {month} {moment.year:04d} {moment:%H:%M:%S} GMT"


def number_of_seconds(value: Any) -> float:
    """Epoch seconds as JSON shows them: whole when they are, else to the microsecond."""
    seconds = seconds_of(value)
    whole = int(seconds)
    return whole if whole == seconds else round(seconds, 6)


def float_word(value: float) -> str | None:
    """The name of a float that has no digits, or None."""
    if value != value:
        return "NaN"
    if value in (math.inf, -math.inf):
        return "Infinity" if value > 0 else "-Infinity"
    return None


def format_float(value: float) -> str:
    """A float as text."""
    return float_word(value) or str(value)


def format_blob(value: bytes | str) -> str:
    """Base64 of bytes; text is taken as UTF-8."""
    content = value.encode() if isinstance(value, str) else value
    return base64.b64encode(content).decode("ascii")


def is_json_value(shape: Shape) -> bool:
    """Whether a header holds base64 of JSON."""
    return bool(shape.traits.get("jsonvalue")) and shape.location == "header"
