"""X-Ray's header `X-Amzn-Trace-Id`: what it says, and how it is carried on. Pure.

https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
"""

from __future__ import annotations

import re
from typing import NamedTuple

NAME = "x-amzn-trace-id"
LENGTH_MAX = 1_024
"""A longer header is one that says nothing."""

_ROOT = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}\Z")
_PARENT = re.compile(r"[0-9a-f]{16}\Z")


class Sampled(NamedTuple):
    """The trace that a call belongs to, and the segment that called; empty when none did."""

    trace_id: str
    parent_id: str


def field_of(header: str, name: str) -> str:
    """The value of a field of the header; empty when it has none."""
    for part in header.split(";"):
        key, _, value = part.partition("=")
        if key.strip() == name:
            return value.strip()
    return ""


def decision_of(header: str) -> bool | None:
    """Whether the trace is recorded; None when nobody has decided yet."""
    if "Sampled=" not in header:
        return None
    return {"1": True, "0": False}.get(field_of(header, "Sampled"))


def names_trace(header: str) -> bool:
    """Whether the header names a trace whose id is one."""
    return len(header) <= LENGTH_MAX and _ROOT.match(field_of(header, "Root")) is not None


def sampled(header: str) -> Sampled | None:
    """The trace of a header that says it is recorded; None for all others, which most are."""
    if "Sampled=1" not in header or len(header) > LENGTH_MAX:
        return None
    root, parent = field_of(header, "Root"), field_of(header, "Parent")
    if _ROOT.match(root) is None or field_of(header, "Sampled") != "1":
        return None
    return Sampled(root, parent if _PARENT.match(parent) else "")


def decided(header: str, is_sampled: bool, parent: str = "") -> str:
    """The header with a decision, and with the segment that calls if there is one.

    What else it carries, such as the lineage of functions, stays.
    """
    kept = [part for part in header.split(";") if not part.strip().startswith("Sampled=")]
    if parent:
        kept = [part for part in kept if not part.strip().startswith("Parent=")]
        kept.insert(1, f"Parent={parent}")
    kept.insert(2 if len(kept) > 1 and kept[1].startswith("Parent=") else 1, _word(is_sampled))
    return ";".join(kept)


def _word(is_sampled: bool) -> str:
    return "Sampled=1" if is_sampled else "Sampled=0"
