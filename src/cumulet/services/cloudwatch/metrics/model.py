"""Series and points as records."""

from __future__ import annotations

import hashlib
from typing import TypeAlias

import msgspec

Dimensions: TypeAlias = tuple[tuple[str, str], ...]
"""Pairs of name and value, in the order of the names."""


class Series(msgspec.Struct, frozen=True):
    """One metric: what is measured, of what. Times in epoch seconds."""

    id: str
    namespace: str
    name: str
    dimensions: Dimensions
    seen_at: int


class Point(msgspec.Struct, frozen=True):
    """What was measured of a series in one unit, from `start` on for `resolution` seconds.

    `values` with their `counts` are the distribution, in ascending order: exact when there are few
    different ones, else within one per cent. It is empty when only sums were told.
    """

    series: str
    resolution: int
    start: int
    unit: str
    count: float
    sum: float
    minimum: float
    maximum: float
    values: tuple[float, ...] = ()
    counts: tuple[float, ...] = ()


def series_id(namespace: str, name: str, dimensions: Dimensions) -> str:
    """The id of a series: the same for the same dimensions in any order."""
    content = msgspec.msgpack.encode((namespace, name, sorted(dimensions)))
    return hashlib.sha256(content).hexdigest()[:32]
