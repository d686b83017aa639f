"""How a span of time is asked for: by which stored resolution, and cut into which periods."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from cumulet.services.cloudwatch.metrics.distribution import Summary, merge, summary_of
from cumulet.services.cloudwatch.metrics.limits import RETENTION_SECONDS
from cumulet.services.cloudwatch.metrics.model import Point

FAST_PERIODS = (1, 5, 10, 20, 30)


class Span(NamedTuple):
    """From `begin` to before `end` in steps of `period`, read from points of `resolution`."""

    begin: int
    end: int
    period: int
    resolution: int


def is_period(period: int) -> bool:
    """Whether AWS takes a period of so many seconds."""
    return period in FAST_PERIODS or (period >= 60 and period % 60 == 0)


def resolution_for(begin: float, period: int, now: float) -> int:
    """The finest stored resolution that still has `begin` and divides the period.

    What is older than a resolution's retention is answered from the coarser one, as AWS does.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
    """
    age = now - begin
    wanted = 1 if period < 60 else 60
    for resolution, kept in RETENTION_SECONDS.items():
        if resolution >= wanted and age <= kept:
            return resolution
    return max(RETENTION_SECONDS)


def split(points: Iterable[Point], span: Span, unit: str | None) -> dict[str, dict[int, Summary]]:
    """What was measured by unit, and by the start of its period; only `unit` when it is given."""
    parts: dict[str, dict[int, list[Summary]]] = {}
    for point in points:
        if unit is not None and point.unit != unit:
            continue
        start = span.begin + (point.start - span.begin) // span.period * span.period
        parts.setdefault(point.unit, {}).setdefault(start, []).append(summary_of(point))
    return {
        name: {start: merge(some) for start, some in by_start.items()}
        for name, by_start in parts.items()
    }
