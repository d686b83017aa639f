"""Carries out the commands of a query on rows as they come, and on all of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cumulet.services.cloudwatch.logs.insights.commands import (
    ROWS_MAX,
    Command,
    Dedup,
    Display,
    Fields,
    Filter,
    Limit,
    Parse,
    Sort,
    Stats,
)
from cumulet.services.cloudwatch.logs.insights.expressions import Named, searched
from cumulet.services.cloudwatch.logs.insights.functions import text_of
from cumulet.services.cloudwatch.logs.insights.rows import (
    GroupRow,
    Row,
    Value,
    number_of,
    shown,
)
from cumulet.services.cloudwatch.logs.insights.stats import Groups

KEPT_MAX = 100_000
"""Rows kept where a command needs to see all of them; the rest of the query has the first ones."""


class Running:
    """A query under way: rows are given to it, the newest first, and at the end it has answers."""

    def __init__(self, commands: Sequence[Command], limit: int = ROWS_MAX) -> None:
        self._limit = min(limit, ROWS_MAX)
        cut = next((n for n, one in enumerate(commands) if _waits(one)), len(commands))
        self._passing, self._rest = commands[:cut], list(commands[cut:])
        self._commands = commands
        self._rows: list[Row] = []
        self._groups: Groups | None = None
        self._seen: set[tuple[Value, ...]] = set()
        self.matched = 0
        if self._rest and isinstance(self._rest[0], Stats):
            stats = self._rest[0]
            self._groups = Groups(stats.aggregates, [one.compute for one in stats.by])

    @property
    def is_full(self) -> bool:
        """Whether further rows change nothing."""
        if not self._rest:
            return len(self._rows) >= self._limit
        first = self._rest[0]
        return isinstance(first, Limit) and len(self._rows) >= first.most

    def add(self, row: Row) -> None:
        """Take a row in. Raises QueryError."""
        for command in self._passing:
            if not _passes(command, row):
                return
        self.matched += 1
        if self._groups is not None:
            self._groups.add(row)
            return
        first = self._rest[0] if self._rest else None
        if isinstance(first, Dedup) and not self._is_new(first, row):
            return
        self._rows.append(row)
        if isinstance(first, Sort) and len(self._rows) >= 2 * KEPT_MAX:
            self._rows = _sorted(first, self._rows)[:KEPT_MAX]
        elif isinstance(first, Dedup) and len(self._rows) > KEPT_MAX:
            self._rows.pop()

    def _is_new(self, dedup: Dedup, row: Row) -> bool:
        key = tuple(one(row) for one in dedup.by)
        if None in key or key in self._seen or len(self._seen) > KEPT_MAX:
            return None in key
        self._seen.add(key)
        return True

    def answers(self) -> list[dict[str, str]]:
        """The rows as fields with texts, in their order."""
        rows, rest = self._rows, self._rest
        if self._groups is not None:
            stats = rest[0]
            assert isinstance(stats, Stats)
            rows, rest = _grouped(stats, self._groups), rest[1:]
        elif rest and isinstance(rest[0], Dedup):
            rest = rest[1:]
        for command in rest:
            rows = _carried_out(command, rows)
        named = _shown_fields(self._commands)
        answers = [_answer(row, named) for row in rows[: self._limit]]
        return [one for one in answers if one]


def _waits(command: Command) -> bool:
    return isinstance(command, Stats | Sort | Limit | Dedup)


def _passes(command: Command, row: Row) -> bool:
    """Do what a command does to one row; False when the row goes no further."""
    match command:
        case Filter(test):
            return bool(test(row))
        case Fields(named):
            _make(named, row)
        case Parse(of, pattern, names):
            found = searched(pattern, text_of(of(row)))
            for number, name in enumerate(names, 1):
                part = None if found is None else found[name if pattern.groupindex else number]
                row.set(name, part)
    return True


def _make(named: Iterable[Named], row: Row) -> None:
    for one in named:
        value = one.compute(row)
        if value is not row.get(one.name):
            row.set(one.name, value)


def _grouped(stats: Stats, groups: Groups) -> list[Row]:
    rows: list[Row] = []
    for key, tallies in groups.tallies.items():
        values: dict[str, Value] = {}
        for named, value in zip(stats.by, key, strict=True):
            values[named.name] = shown(named.name, value, is_time=True) if named.is_time else value
        for aggregate, tally in zip(stats.aggregates, tallies, strict=True):
            values[aggregate.name] = tally.value()
        rows.append(GroupRow(values))
    return rows


def _carried_out(command: Command, rows: list[Row]) -> list[Row]:
    match command:
        case Sort():
            return _sorted(command, rows)
        case Limit(most):
            return rows[:most]
        case Dedup(by):
            found: dict[tuple[Value, ...], Row] = {}
            for number, row in enumerate(rows):
                key = tuple(one(row) for one in by)
                found.setdefault((*key, float(number)) if None in key else key, row)
            return list(found.values())
        case Stats(aggregates, named):
            groups = Groups(aggregates, [one.compute for one in named])
            for row in rows:
                groups.add(row)
            return _grouped(command, groups)
    return [row for row in rows if _passes(command, row)]


def _sorted(sort: Sort, rows: list[Row]) -> list[Row]:
    ordered = rows
    for compute, down in reversed(sort.keys):
        ordered = sorted(ordered, key=lambda row: _rank(compute(row)), reverse=down)
    return ordered


def _rank(value: Value) -> tuple[int, float, str]:
    """What is not there is least, then numbers, then texts."""
    if value is None:
        return 0, 0.0, ""
    number = number_of(value)
    return (1, number, "") if number is not None else (2, 0.0, str(value))


def _shown_fields(commands: Sequence[Command]) -> list[Named]:
    """What an answer shows: the last `display`, else the last `stats`, else all `fields`."""
    found: list[Named] = []
    for command in commands:
        match command:
            case Display(named):
                found = list(named)
            case Stats(aggregates, by):
                figures = [_same(one.name) for one in aggregates]
                found = [*(_same(one.name) for one in by), *figures]
            case Fields(named):
                found = [*found, *(_same(one.name) for one in named)]
            case Parse(_, _, names):
                found = [*found, *(_same(name) for name in names)]
    if any(isinstance(one, Stats) for one in commands):
        return found
    if not any(isinstance(one, Fields | Display) for one in commands):
        found = [_same("@timestamp"), _same("@message"), *found]
    return [*found, _same("@ptr")]


def _same(name: str) -> Named:
    return Named(name, lambda row: row.get(name))


def _answer(row: Row, named: Sequence[Named]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in named:
        text = shown(one.name, one.compute(row), is_time=one.is_time)
        if text is not None:
            found[one.name] = text
    return found
