"""What an expression is made of: numbers, time series, and lists of time series. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias


class Series(NamedTuple):
    """Values by the starts of their periods (epoch seconds), which are `period` seconds long."""

    points: Mapping[int, float]
    period: int
    label: str = ""

    def with_points(self, points: Mapping[int, float]) -> Series:
        """The same series with other values."""
        return self._replace(points=points)


Value: TypeAlias = float | str | Series | list[Series]


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is at hand for an expression: the series of other queries by id, and the span asked for.

    `metrics` are the ids of queries of metrics, in their order: METRICS() stands for them. Periods
    are counted from `origin`. `rules` has the metrics of rules of Contributor Insights that the
    expression names, by the names of the rule and the metric.
    """

    series: Mapping[str, Value]
    metrics: tuple[str, ...]
    begin: int
    end: int
    period: int
    origin: int = 0
    rules: Mapping[tuple[str, str], Series] = field(default_factory=dict)

    @property
    def starts(self) -> range:
        """The starts of all periods of the span."""
        first = self.begin - (self.begin - self.origin) % self.period
        return range(first, self.end, self.period)
