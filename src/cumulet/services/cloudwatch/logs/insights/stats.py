"""Figures of groups of rows: counts, sums, percentiles. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Stats.html
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from typing import NamedTuple

from cumulet.services.cloudwatch.logs.insights.expressions import Compute, read_expression
from cumulet.services.cloudwatch.logs.insights.rows import Row, Value, number_of
from cumulet.services.cloudwatch.logs.insights.words import QueryError, Words

GROUPS_MAX = 100_000
VALUES_MAX = 2_000_000
"""Values kept for percentiles and distinct counts by one query, over all groups."""


class Aggregate(NamedTuple):
    """A figure: its name, what it is made of, and how."""

    name: str
    kind: str
    of: Compute | None
    share: float = 0.0


class Tally:
    """What is kept of the rows of one group for one figure."""

    __slots__ = ("_aggregate", "_count", "_first", "_kept", "_last", "_square", "_sum")

    def __init__(self, aggregate: Aggregate) -> None:
        self._aggregate = aggregate
        self._count = 0
        self._sum = self._square = 0.0
        self._kept: list[float] | set[Value] | None = None
        if aggregate.kind in ("pct", "median"):
            self._kept = []
        elif aggregate.kind == "count_distinct":
            self._kept = set()
        self._first: tuple[float, Value] | None = None
        self._last: tuple[float, Value] | None = None

    def add(self, row: Row) -> int:
        """Take a row in; gives how many values more are kept."""
        one = self._aggregate
        if one.of is None:
            self._count += 1
            return 0
        value = one.of(row)
        if value is None:
            return 0
        if one.kind == "count":
            self._count += 1
            return 0
        if isinstance(self._kept, set):
            before = len(self._kept)
            self._kept.add(value)
            return len(self._kept) - before
        if one.kind in ("earliest", "latest"):
            return self._place(number_of(row.get("@timestamp")) or 0.0, value)
        number = number_of(value)
        if number is None:
            return 0
        self._count += 1
        if isinstance(self._kept, list):
            self._kept.append(number)
            return 1
        self._sum += number
        self._square += number * number
        return self._place(number, number)

    def _place(self, at: float, value: Value) -> int:
        if self._first is None or at < self._first[0]:
            self._first = (at, value)
        if self._last is None or at >= self._last[0]:
            self._last = (at, value)
        return 0

    def value(self) -> Value:
        """The figure; None when no row had a value."""
        match self._aggregate.kind:
            case "count":
                return float(self._count)
            case "count_distinct":
                return float(len(self._kept or ()))
            case "min" | "earliest":
                return self._first[1] if self._first is not None else None
            case "max" | "latest":
                return self._last[1] if self._last is not None else None
        if not self._count:
            return None
        match self._aggregate.kind:
            case "sum":
                return self._sum
            case "avg":
                return self._sum / self._count
            case "stddev":
                mean = self._sum / self._count
                return math.sqrt(max(0.0, self._square / self._count - mean * mean))
        kept = self._kept if isinstance(self._kept, list) else []
        if self._aggregate.kind == "median":
            return statistics.median(kept)
        ordered = sorted(kept)
        place = math.ceil(self._aggregate.share / 100 * len(ordered)) - 1
        return ordered[max(0, min(place, len(ordered) - 1))]


_KINDS = ("count", "count_distinct", "sum", "avg", "min", "max", "stddev", "median", "earliest",
          "latest")  # fmt: skip


def read_aggregate(words: Words) -> Aggregate:
    """A figure with its name. Raises QueryError."""
    begin = words.peek().begin
    kind = words.need_name().lower()
    words.need_op("(")
    of: Compute | None = None
    share = 0.0
    if kind == "pct":
        of = read_expression(words)[0]
        words.need_op(",")
        word = words.take()
        if word.kind != "number" or not 0 <= float(word.text) <= 100:
            raise QueryError("a percentile is a number from 0 to 100")
        share = float(word.text)
    elif kind not in _KINDS:
        raise QueryError(f"unknown function '{kind}'")
    elif words.take_op("*"):
        if kind != "count":
            raise QueryError(f"'{kind}' needs a field")
    elif not (kind == "count" and words.peek().text == ")"):
        of = read_expression(words)[0]
    words.need_op(")")
    name = words.query[begin : words.at].strip()
    if words.take_name("as"):
        name = words.need_name()
    return Aggregate(name, kind, of, share)


class Groups:
    """The groups of a `stats` while rows are taken in."""

    def __init__(
        self, aggregates: Sequence[Aggregate], by: Sequence[Callable[[Row], Value]]
    ) -> None:
        self._aggregates = aggregates
        self._by = by
        self._kept = 0
        self.tallies: dict[tuple[Value, ...], list[Tally]] = {}

    def add(self, row: Row) -> None:
        """Take a row in. Raises QueryError when there is too much to be kept."""
        key = tuple(one(row) for one in self._by)
        tallies = self.tallies.get(key)
        if tallies is None:
            if len(self.tallies) >= GROUPS_MAX:
                raise QueryError(f"the query has more than {GROUPS_MAX} groups")
            tallies = self.tallies[key] = [Tally(one) for one in self._aggregates]
        for tally in tallies:
            self._kept += tally.add(row)
        if self._kept > VALUES_MAX:
            raise QueryError(f"the query keeps more than {VALUES_MAX} values")
