"""What minutes of a rule say of a span of time: its top contributors, and figures by period. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetInsightRuleReport.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from cumulet.services.cloudwatch.contributors.model import Keys, Minute


class Part(NamedTuple):
    """What was contributed in one period: by whom, and `others` who are not told apart."""

    samples: float
    sum: float
    minimum: float
    maximum: float
    by_keys: Mapping[Keys, tuple[float, float]]
    others: int

    @property
    def contributors(self) -> float:
        """How many there were, about."""
        return float(len(self.by_keys) + self.others)


FIGURES: Mapping[str, Callable[[Part], float]] = {
    "UniqueContributors": lambda part: part.contributors,
    "MaxContributorValue": lambda part: max((one[0] for one in part.by_keys.values()), default=0.0),
    "SampleCount": lambda part: part.samples,
    "Sum": lambda part: part.sum,
    "Minimum": lambda part: part.minimum,
    "Maximum": lambda part: part.maximum,
    "Average": lambda part: part.sum / part.samples,
}
"""The metrics of a rule, by AWS's names."""


class Top(NamedTuple):
    """One contributor over the whole span, with what it came to in each period."""

    keys: Keys
    value: float
    points: Mapping[int, float]


def parts_of(minutes: Iterable[Minute], begin: int, period: int) -> dict[int, Part]:
    """What was contributed by the start of each period; periods are counted from `begin`."""
    found: dict[int, list[Minute]] = {}
    for minute in minutes:
        start = begin + (minute.start - begin) // period * period
        found.setdefault(start, []).append(minute)
    return {start: merged(some) for start, some in sorted(found.items())}


def merged(minutes: Sequence[Minute]) -> Part:
    """Several minutes as one period; there is one at least."""
    by_keys: dict[Keys, tuple[float, float]] = {}
    for minute in minutes:
        for one in minute.contributors:
            total, samples = by_keys.get(one.keys, (0.0, 0.0))
            by_keys[one.keys] = (total + one.sum, samples + one.samples)
    return Part(
        sum(one.samples for one in minutes),
        sum(one.sum for one in minutes),
        min(one.minimum for one in minutes),
        max(one.maximum for one in minutes),
        by_keys,
        # Those who are not told apart may be the same in each minute.
        max(one.others for one in minutes),
    )


def top_of(parts: Mapping[int, Part], order: str, count: int) -> list[Top]:
    """The first contributors: by all that they contributed, or by the most in one period."""
    values: dict[Keys, dict[int, float]] = {}
    for start, part in parts.items():
        for keys, (total, _) in part.by_keys.items():
            values.setdefault(keys, {})[start] = total
    gather: Callable[[Iterable[float]], float] = max if order == "Maximum" else sum
    found = [Top(keys, gather(points.values()), points) for keys, points in values.items()]
    found.sort(key=lambda one: (-one.value, one.keys))
    return found[:count]
