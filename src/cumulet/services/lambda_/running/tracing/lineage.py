"""The functions on the way to an invocation, as the trace header carries them. Pure.

Loops are found by it: each invocation adds its function, and counts. The SDKs pass the header on
when they run inside of a function.
Follows https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from cumulet.core.trace_header import Sampled, field_of, sampled

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


def joined(headers: Iterable[str]) -> tuple[str, tuple[Sampled, ...]]:
    """The header by which a batch is handed on, and the other traces that its parts belong to.

    The first part that is recorded gives the trace; of the others the one with the longest lineage
    counts, so that a loop is found. https://docs.aws.amazon.com/xray/latest/devguide/xray-tracelinking.html
    """
    known = list(headers)
    found = [(one, said) for one in known if (said := sampled(one)) is not None]
    if not found:
        return max(known, key=len, default=""), ()
    header, first = found[0]
    links = {said.trace_id: said for _, said in found if said.trace_id != first.trace_id}
    lineage = max((field_of(one, "Lineage") for one in known), key=len)
    kept = [part for part in header.split(";") if not part.startswith(_FIELD)]
    return ";".join([*kept, *([_FIELD + lineage] if lineage else [])]), tuple(links.values())
