"""Sums of lines: cost, and amount where all lines are of one unit. Pure."""

from __future__ import annotations

from cumulet.services.ce.reckoning import Line

_MIXED = "N/A"


class Sums:
    """A sum that grows. Its amount adds what may not be comparable, as AWS's does; see `unit`."""

    __slots__ = ("amount", "cost", "unit")

    def __init__(self) -> None:
        self.cost = 0.0
        self.amount = 0.0
        self.unit = ""
        """The unit of all lines, N/A when they have several, or empty without lines."""

    def add(self, line: Line) -> None:
        """One line more."""
        self.cost += line.cost
        self.amount += line.amount
        unit = line.unit
        self.unit = unit if self.unit in ("", unit) else _MIXED
