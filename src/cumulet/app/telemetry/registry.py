"""Measurements added up since the start, in a bounded number of series.

What is kept is cumulative: whoever misses one reading, by a lost batch or a scrape that failed, has
everything with the next.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Hashable, Iterable, Sequence

from cumulet.app.telemetry.limits import EVICT_SECONDS, GAUGE_SECONDS, IDLE_SECONDS
from cumulet.app.telemetry.naming import Family
from cumulet.core.clock import Clock

Labels = tuple[tuple[str, str], ...]


class Series:
    """One metric under one set of labels. `total` is the last value of a gauge.

    `began` and `touched` are in epoch seconds; `buckets` counts the values of a histogram up to
    each bound of its family, not cumulatively, the last those above all.
    """

    __slots__ = ("began", "buckets", "count", "family", "labels", "total", "touched")

    def __init__(self, family: Family, labels: Labels, now: float) -> None:
        self.family = family
        self.labels = labels
        self.began = self.touched = now
        self.total = 0.0
        self.count = 0
        self.buckets = [0] * (len(family.bounds) + 1) if family.kind == "histogram" else []

    def add(self, values: Sequence[float], now: float) -> None:
        """Add values, in the unit in which they are measured. What is no finite number is not."""
        if not values:
            return
        self.touched = now
        kind = self.family.kind
        if kind == "gauge":
            if math.isfinite(values[-1]):
                self.total = values[-1]
            return
        for value in values:
            # A counter never falls, and an infinite sum would hide all that follows.
            if not math.isfinite(value) or value < 0:
                continue
            self.total += value
            self.count += 1
            if kind == "histogram":
                self.buckets[bisect_left(self.family.bounds, value)] += 1


class Registry:
    """The series of one kind of thing, at most `series_max` of them."""

    def __init__(self, clock: Clock, series_max: int) -> None:
        self._now = clock.now
        self._series_max = series_max
        self._series: dict[Hashable, Series] = {}
        self._looked = -math.inf
        self.dropped = 0
        """How often something was left out because there was no room for its series."""

    def __len__(self) -> int:
        return len(self._series)

    def find(self, key: Hashable) -> Series | None:
        """The series of this key, if there is one."""
        return self._series.get(key)

    def make(self, key: Hashable, family: Family, labels: Labels) -> Series | None:
        """A series for this key, when there is room for one more."""
        now = self._now()
        if len(self._series) >= self._series_max and not self._make_room(now):
            self.dropped += 1
            return None
        series = self._series[key] = Series(family, labels, now)
        return series

    def shown(self) -> list[Series]:
        """The series that are to be told, those of one family together."""
        old = self._now() - GAUGE_SECONDS
        found: Iterable[Series] = self._series.values()
        current = [one for one in found if one.family.kind != "gauge" or one.touched >= old]
        return sorted(current, key=lambda one: one.family.name)

    def _make_room(self, now: float) -> bool:
        """Forget what is idle; looked for at times only, as all series are gone through."""
        if now - self._looked < EVICT_SECONDS:
            return False
        self._looked = now
        idle = [key for key, one in self._series.items() if now - one.touched > IDLE_SECONDS]
        for key in idle:
            del self._series[key]
        return bool(idle)
