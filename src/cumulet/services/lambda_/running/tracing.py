"""The trace header of an invocation: sampling, and the functions on the way here. Pure.

Loops are found by it: each invocation adds its function, and counts.

Follows https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html and
https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader.
The SDKs pass the header on when they run inside of a function.
"""

from __future__ import annotations

import hashlib

VISITS_MAX = 16
"""Visits of one function in one chain of calls before it counts as a loop."""

_FUNCTIONS_MAX = 32
_FIELD = "Lineage="


def mark_of(arn: str) -> str:
    """How a function is named in a lineage."""
    return hashlib.sha256(arn.encode()).hexdigest()[:8]


def extend(header: str, mark: str) -> tuple[str, int]:
    """The trace header with one more visit of the function, and how many that makes."""
    begin = header.find(_FIELD)
    if begin < 0:
        return f"{header};{_FIELD}{mark}:1", 1
    end = header.find(";", begin)
    text = header[begin + len(_FIELD) : None if end < 0 else end]
    visits: dict[str, int] = {}
    for part in text.split("|")[:_FUNCTIONS_MAX]:
        name, _, count = part.partition(":")
        if count.isascii() and count.isdigit() and len(count) < 9:
            visits[name] = int(count)
    visits[mark] = visits.get(mark, 0) + 1
    written = "|".join(f"{name}:{count}" for name, count in visits.items())
    rest = "" if end < 0 else header[end:]
    return f"{header[:begin]}{_FIELD}{written}{rest}", visits[mark]


def field_of(header: str, name: str) -> str:
    """The value of a field of the header; empty when it has none."""
    for part in header.split(";"):
        key, _, value = part.partition("=")
        if key.strip() == name:
            return value
    return ""


def sampled(header: str, parent: str) -> str:
    """The header of a call that is traced, with the segment that called."""
    kept = [part for part in header.split(";") if not part.startswith(("Sampled=", "Parent="))]
    return ";".join([kept[0], f"Parent={parent}", "Sampled=1", *kept[1:]])
