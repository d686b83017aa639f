"""Counts contributions: bounded in memory, right for those who contribute most. Pure."""

from __future__ import annotations

from cumulet.services.cloudwatch.contributors.limits import (
    CONTRIBUTORS_COUNTED,
    CONTRIBUTORS_KEPT,
)
from cumulet.services.cloudwatch.contributors.model import Contributor, Keys, Minute


class Counting:
    """What is contributed to one rule in one minute.

    When too many have contributed, those with the least are forgotten, and remain counted in the
    sums alone; who contributes much is among the others again and again.
    """

    __slots__ = (
        "_by_keys",
        "is_told",
        "is_whole",
        "maximum",
        "minimum",
        "others",
        "samples",
        "sum",
    )

    def __init__(self) -> None:
        self._by_keys: dict[Keys, list[float]] = {}
        self.samples = self.sum = 0.0
        self.minimum, self.maximum = float("inf"), float("-inf")
        self.others = 0
        self.is_told = False
        """Whether the store has all of it."""
        self.is_whole = False
        """Whether it has what the store had before."""

    def add(self, keys: Keys, value: float) -> None:
        """One contribution."""
        self.is_told = False
        self._add(keys, value, 1.0)
        self.samples += 1.0
        self.sum += value
        if value < self.minimum:
            self.minimum = value
        if value > self.maximum:
            self.maximum = value

    def take_in(self, minute: Minute) -> None:
        """Add what an earlier run counted in the same minute."""
        for one in minute.contributors:
            self._add(one.keys, one.sum, one.samples)
        self.samples += minute.samples
        self.sum += minute.sum
        self.minimum = min(self.minimum, minute.minimum)
        self.maximum = max(self.maximum, minute.maximum)
        self.others += minute.others

    def _add(self, keys: Keys, value: float, samples: float) -> None:
        found = self._by_keys.get(keys)
        if found is not None:
            found[0] += value
            found[1] += samples
            return
        if len(self._by_keys) >= CONTRIBUTORS_COUNTED:
            kept = self._first(CONTRIBUTORS_COUNTED // 2)
            self.others += len(self._by_keys) - len(kept)
            self._by_keys = {one.keys: [one.sum, one.samples] for one in kept}
        self._by_keys[keys] = [value, samples]

    def _first(self, count: int) -> list[Contributor]:
        found = [Contributor(keys, *numbers) for keys, numbers in self._by_keys.items()]
        found.sort(key=lambda one: (-one.sum, one.keys))
        return found[:count]

    def minute(self, rule: str, start: int) -> Minute:
        """As it is kept."""
        kept = self._first(CONTRIBUTORS_KEPT)
        others = self.others + len(self._by_keys) - len(kept)
        return Minute(
            rule,
            start,
            self.samples,
            self.sum,
            self.minimum,
            self.maximum,
            tuple(kept),
            others,
        )
