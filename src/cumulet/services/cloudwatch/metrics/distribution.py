"""Distributions of values: put together, thinned out, and asked for statistics."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from cumulet.services.cloudwatch.metrics.limits import EXACT_VALUES
from cumulet.services.cloudwatch.metrics.model import Point

_GAMMA = math.log(1.02)
"""Buckets 2 % wide: their middle is within 1 % of every value in them."""


class Summary(NamedTuple):
    """What statistics are computed from; `pairs` are values with counts, in ascending order."""

    samples: float
    sum: float
    minimum: float
    maximum: float
    pairs: tuple[tuple[float, float], ...] = ()


def summarize(values: Iterable[float], counts: Iterable[float] | None = None) -> Summary:
    """Put values together, each counted once unless `counts` says otherwise. Not for no values."""
    tally: dict[float, float] = {}
    if counts is None:
        tally.update((value, float(count)) for value, count in Counter(values).items())
    else:
        for value, count in zip(values, counts, strict=True):
            tally[value] = tally.get(value, 0.0) + count
    return Summary(
        sum(tally.values()),
        math.fsum(value * count for value, count in tally.items()),
        min(tally),
        max(tally),
        _thin(tally),
    )


def merge(summaries: Sequence[Summary]) -> Summary:
    """Several summaries as one. A part without distribution leaves the whole without."""
    tally: dict[float, float] = {}
    for one in summaries:
        for value, count in one.pairs:
            tally[value] = tally.get(value, 0.0) + count
    whole = all(one.pairs for one in summaries)
    return Summary(
        sum(one.samples for one in summaries),
        math.fsum(one.sum for one in summaries),
        min(one.minimum for one in summaries),
        max(one.maximum for one in summaries),
        _thin(tally) if whole else (),
    )


def summary_of(point: Point) -> Summary:
    """The summary that a record holds."""
    pairs = tuple(zip(point.values, point.counts, strict=True))
    return Summary(point.count, point.sum, point.minimum, point.maximum, pairs)


def _thin(tally: dict[float, float]) -> tuple[tuple[float, float], ...]:
    if len(tally) <= EXACT_VALUES:
        return tuple(sorted(tally.items()))
    thinned: dict[float, float] = {}
    for value, count in tally.items():
        middle = _middle(value)
        thinned[middle] = thinned.get(middle, 0.0) + count
    return tuple(sorted(thinned.items()))


def _middle(value: float) -> float:
    if value == 0.0:
        return value
    bucket = round(math.log(abs(value)) / _GAMMA)
    return math.copysign(math.exp(bucket * _GAMMA), value)


Statistic = Callable[[Summary], float | None]
"""The figure of a summary; None when it cannot be told, as a percentile of bare sums."""

_SIMPLE: dict[str, Statistic] = {
    "SampleCount": lambda one: one.samples,
    "Sum": lambda one: one.sum,
    "Average": lambda one: one.sum / one.samples if one.samples else None,
    "Minimum": lambda one: one.minimum,
    "Maximum": lambda one: one.maximum,
}
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)\Z")
_TRIMMED = re.compile(r"(tm|wm|tc|ts)(\d{1,2}(?:\.\d{1,10})?)\Z")
_RANGED = re.compile(
    r"(TM|WM|TC|TS|PR)\((-?[\d.]*)(%?):(-?[\d.]*)(%?)\)\Z",
)


def parse_statistic(name: str) -> Statistic | None:
    """The statistic that AWS calls so; None when there is none.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
    """
    if name in _SIMPLE:
        return _SIMPLE[name]
    if name == "IQM":
        return _between("TM", 25.0, 75.0)
    if found := _PERCENTILE.match(name):
        share = float(found[1]) / 100
        return lambda one: percentile(one, share)
    if found := _TRIMMED.match(name):
        return _between(found[1].upper(), 0.0, float(found[2]))
    if found := _RANGED.match(name):
        return _parse_ranged(found)
    return None


def _parse_ranged(found: re.Match[str]) -> Statistic | None:
    kind, low, low_share, high, high_share = found.groups()
    try:
        begin = float(low) if low else None
        end = float(high) if high else None
    except ValueError:
        return None
    if kind == "PR":
        if low_share or high_share:
            return None
        return lambda one: _rank(one, begin, end)
    if low_share or high_share:
        if (begin is not None and not low_share) or (end is not None and not high_share):
            return None
        first, last = begin or 0.0, 100.0 if end is None else end
        return _between(kind, first, last) if 0 <= first <= last <= 100 else None
    return lambda one: _figure(kind, one, *_cut_values(one, begin, end))


def percentile(one: Summary, share: float) -> float | None:
    """The value below which lies `share` (0 to 1) of what was measured, between neighbours."""
    if not one.pairs:
        # Without a distribution AWS tells a percentile only where it cannot be anything else.
        return one.minimum if one.samples == 1 or one.minimum == one.maximum else None
    place = share * (one.samples - 1)
    before, previous = 0.0, one.pairs[0][0]
    for value, count in one.pairs:
        if place <= before + count - 1:
            gap = place - (before - 1)
            return value if gap >= 1 or before == 0 else previous + (value - previous) * gap
        before += count
        previous = value
    return one.pairs[-1][0]


Cut = tuple[list[tuple[float, float]], float, float]
"""The pairs that are left, and how many were cut off below and above."""


def _between(kind: str, low: float, high: float) -> Statistic:
    return lambda one: _figure(kind, one, *_cut_shares(one, low / 100, high / 100))


def _cut_shares(one: Summary, low: float, high: float) -> Cut:
    begin, end = one.samples * low, one.samples * high
    kept, place = [], 0.0
    for value, count in one.pairs:
        part = min(place + count, end) - max(place, begin)
        if part > 0:
            kept.append((value, part))
        place += count
    return kept, begin, one.samples - end


def _cut_values(one: Summary, low: float | None, high: float | None) -> Cut:
    kept, below, above = [], 0.0, 0.0
    for value, count in one.pairs:
        if low is not None and value <= low:
            below += count
        elif high is not None and value > high:
            above += count
        else:
            kept.append((value, count))
    return kept, below, above


def _figure(
    kind: str, one: Summary, kept: list[tuple[float, float]], below: float, above: float
) -> float | None:
    if not one.pairs or not kept:
        return None
    count = math.fsum(part for _, part in kept)
    total = math.fsum(value * part for value, part in kept)
    if kind == "TC":
        return count
    if kind == "TS":
        return total
    if kind == "TM":
        return total / count
    # Winsorized: what was cut off counts as the nearest value that is left.
    return (total + kept[0][0] * below + kept[-1][0] * above) / one.samples


def _rank(one: Summary, low: float | None, high: float | None) -> float | None:
    if not one.pairs:
        return None
    kept, _, _ = _cut_values(one, low, high)
    return 100 * math.fsum(part for _, part in kept) / one.samples
