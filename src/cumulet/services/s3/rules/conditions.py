"""Ranges and conditions of requests, as HTTP and S3 define them. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import formatdate
from typing import Any

from cumulet.services.s3.errors import (
    InvalidRange,
    NotImplementedHere,
    NotModified,
    failed_condition,
)
from cumulet.services.s3.model import Stored

_RANGE = re.compile(r"bytes=(\d*)-(\d*)\Z")


def evaluate_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Start and end (exclusive) of a `Range` header, or None for the whole object.

    A header that is not a single byte range is ignored, as S3 does. Raises InvalidRange.
    """
    if not header:
        return None
    found = _RANGE.match(header.strip())
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        count = int(last)
        if count == 0 or size == 0:
            raise _not_satisfiable(header, size)
        return max(0, size - count), size
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size:
        raise _not_satisfiable(header, size)
    return start, min(size, int(last) + 1) if last else size


def _not_satisfiable(header: str, size: int) -> InvalidRange:
    return InvalidRange(
        "The requested range is not satisfiable", RangeRequested=header, ActualObjectSize=size
    )


def check_read(request: Mapping[str, Any], stored: Stored, prefix: str = "") -> None:
    """The conditions of a read, in HTTP's order. Raises NotModified or PreconditionFailed.

    `prefix` is `CopySource` for the source of a copy, where nothing is ever "not modified".
    """
    modified = stored.modified_ms // 1000
    match = request.get(f"{prefix}IfMatch")
    if match is not None:
        if not _has_etag(match, stored.etag):
            raise failed_condition("If-Match")
    elif modified > _seconds(request.get(f"{prefix}IfUnmodifiedSince"), math.inf):
        raise failed_condition("If-Unmodified-Since")
    none_match = request.get(f"{prefix}IfNoneMatch")
    if none_match is not None:
        if _has_etag(none_match, stored.etag):
            raise _unchanged(prefix, "If-None-Match", stored)
    elif modified <= _seconds(request.get(f"{prefix}IfModifiedSince"), -1):
        raise _unchanged(prefix, "If-Modified-Since", stored)


def _unchanged(prefix: str, condition: str, stored: Stored) -> Exception:
    if prefix:
        return failed_condition(condition)
    headers = {
        "etag": f'"{stored.etag}"',
        "last-modified": formatdate(stored.modified_ms / 1000, usegmt=True),
    }
    for name, header in (("CacheControl", "cache-control"), ("Expires", "expires")):
        if name in stored.headers:
            headers[header] = stored.headers[name]
    return NotModified("Not Modified", headers=headers)


def check_write(request: Mapping[str, Any], current: Stored | None) -> str | None:
    """The conditions of a conditional write: None, the name of the one that fails, or "missing".

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """
    exists = current is not None and not current.is_marker
    if request.get("IfNoneMatch") not in (None, "*"):
        raise NotImplementedHere("An If-None-Match other than * of a write")
    if request.get("IfNoneMatch") is not None and exists:
        return "If-None-Match"
    match = request.get("IfMatch")
    if match is None:
        return None
    if current is None or current.is_marker:
        return "missing"
    return None if _has_etag(match, current.etag) else "If-Match"


def _has_etag(header: str, etag: str) -> bool:
    names = [name.strip().removeprefix("W/").strip('"') for name in header.split(",")]
    return "*" in names or etag in names


def _seconds(value: Any, otherwise: float) -> float:
    if value is None:
        return otherwise
    return int(value.timestamp()) if isinstance(value, datetime) else int(value)
