"""The functions of metric math. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html#metric-math-syntax
"""

from __future__ import annotations

import math
import statistics
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import TypeAlias

from cumulet.services.cloudwatch.metrics.math.grammar import MathError
from cumulet.services.cloudwatch.metrics.math.values import Series, Shelf, Value

Run: TypeAlias = Callable[[Shelf, Sequence[Value]], Value]
_Gather: TypeAlias = Callable[[Sequence[float]], float]


def _series(value: Value) -> Series:
    if isinstance(value, Series):
        return value
    if isinstance(value, list) and len(value) == 1:
        return value[0]
    raise MathError("The function takes one time series.")


def _number(value: Value) -> float:
    if isinstance(value, float | int):
        return float(value)
    raise MathError("The function takes a number.")


def _some(given: Sequence[Value], least: int, most: int | None = None) -> Sequence[Value]:
    if not least <= len(given) <= (least if most is None else most):
        raise MathError("The function is given too many or too few values.")
    return given


def _gathering(gather: _Gather) -> Run:
    """Of one series a number; of several, a series with what is gathered at each time."""

    def run(shelf: Shelf, given: Sequence[Value]) -> Value:
        (value,) = _some(given, 1)
        if isinstance(value, Series):
            if not value.points:
                raise MathError("There is no data to be gathered.")
            return gather(list(value.points.values()))
        if not isinstance(value, list):
            return _number(value)
        by_start: dict[int, list[float]] = {}
        for one in value:
            for start, number in one.points.items():
                by_start.setdefault(start, []).append(number)
        points = {start: gather(numbers) for start, numbers in sorted(by_start.items())}
        return Series(points, value[0].period if value else shelf.period)

    return run


def _each(change: Callable[[float], float]) -> Run:
    """Every value on its own."""

    def of(value: Value) -> Value:
        if isinstance(value, Series):
            points = {}
            for start, number in value.points.items():
                try:
                    points[start] = float(change(number))
                except ValueError:
                    continue
            return value.with_points(points)
        if isinstance(value, list):
            found = [of(one) for one in value]
            return [one for one in found if isinstance(one, Series)]
        try:
            return float(change(_number(value)))
        except ValueError:
            raise MathError("The function has no value there.") from None

    return lambda shelf, given: of(_some(given, 1)[0])


def _ordered(change: Callable[[Series], Mapping[int, float]]) -> Run:
    """A series of each series, which is given in the order of time."""

    def of(value: Value) -> Value:
        if isinstance(value, list):
            return [one.with_points(change(_in_order(one))) for one in value]
        series = _in_order(_series(value))
        return series.with_points(change(series))

    return lambda shelf, given: of(_some(given, 1)[0])


def _in_order(series: Series) -> Series:
    return series.with_points(dict(sorted(series.points.items())))


def _rate(series: Series) -> dict[int, float]:
    return {
        later: (series.points[later] - series.points[earlier]) / (later - earlier)
        for earlier, later in pairwise(series.points)
    }


def _difference(series: Series) -> dict[int, float]:
    return {
        later: series.points[later] - series.points[earlier]
        for earlier, later in pairwise(series.points)
    }


def _time_between(series: Series) -> dict[int, float]:
    return {later: float(later - earlier) for earlier, later in pairwise(series.points)}


def _running_sum(series: Series) -> dict[int, float]:
    total, found = 0.0, {}
    for start, value in series.points.items():
        total += value
        found[start] = total
    return found


def _told(read: Callable[[datetime], float]) -> Run:
    """What the calendar says of each time of a series."""
    return _ordered(
        lambda series: {one: float(read(datetime.fromtimestamp(one, UTC))) for one in series.points}
    )


def _fill(shelf: Shelf, given: Sequence[Value]) -> Value:
    """A value for every period of the span that has none."""
    value, by = _some(given, 2)
    if isinstance(value, list):
        return [_filled(shelf, one, by) for one in value]
    return _filled(shelf, _series(value), by)


def _filled(shelf: Shelf, series: Series, by: Value) -> Series:
    starts = [one for one in shelf.starts if one >= shelf.begin]
    points: dict[int, float] = {}
    if isinstance(by, str):
        known = sorted(series.points)
        if by not in ("REPEAT", "LINEAR"):
            raise MathError("FILL takes a number, a time series, REPEAT or LINEAR.")
        for start in starts:
            place = bisect_right(known, start)
            if place == 0 or (place == len(known) and by == "LINEAR" and known[-1] != start):
                continue
            after = known[place] if place < len(known) else None
            points[start] = _between(series.points, known[place - 1], after, start, by)
        return series.with_points(points)
    for start in starts:
        if start in series.points:
            points[start] = series.points[start]
        elif isinstance(by, Series):
            if start in by.points:
                points[start] = by.points[start]
        else:
            points[start] = _number(by)
    return series.with_points(points)


def _between(
    points: Mapping[int, float], before: int, after: int | None, start: int, by: str
) -> float:
    if by == "REPEAT" or after is None:
        return points[before]
    share = (start - before) / (after - before)
    return points[before] + (points[after] - points[before]) * share


def _if(shelf: Shelf, given: Sequence[Value]) -> Value:
    """One value or the other, as the condition is other than zero or not, at each time."""
    condition, then, *rest = _some(given, 2, 3)
    other: Value | None = rest[0] if rest else None
    if isinstance(condition, float | int):
        chosen = then if condition else other
        if chosen is None:
            raise MathError("IF has no value here.")
        return chosen
    shape = _series(condition)
    points: dict[int, float] = {}
    for start, holds in sorted(shape.points.items()):
        chosen = then if holds else other
        if isinstance(chosen, Series):
            if start in chosen.points:
                points[start] = chosen.points[start]
        elif chosen is not None:
            points[start] = _number(chosen)
    return shape.with_points(points)


def _metrics(shelf: Shelf, given: Sequence[Value]) -> Value:
    """The series of all queries of metrics, or of those whose ids contain a text."""
    wanted = _some(given, 0, 1)[0] if given else ""
    found: list[Series] = []
    for name in shelf.metrics:
        one = shelf.series.get(name)
        if str(wanted) in name and isinstance(one, Series):
            found.append(one)
    return found


def _count_metrics(shelf: Shelf, given: Sequence[Value]) -> Value:
    value = _some(given, 1)[0]
    return float(len(value)) if isinstance(value, list) else 1.0


def _period(shelf: Shelf, given: Sequence[Value]) -> Value:
    return float(_series(_some(given, 1)[0]).period)


def _count_points(shelf: Shelf, given: Sequence[Value]) -> Value:
    return float(len(_series(_some(given, 1)[0]).points))


def _time_series(shelf: Shelf, given: Sequence[Value]) -> Value:
    number = _number(_some(given, 1)[0])
    return Series({start: number for start in shelf.starts if start >= shelf.begin}, shelf.period)


def _listed(value: Value) -> list[Series]:
    return value if isinstance(value, list) else [_series(value)]


def _first(shelf: Shelf, given: Sequence[Value]) -> Value:
    return _listed(_some(given, 1)[0])[0]


def _last(shelf: Shelf, given: Sequence[Value]) -> Value:
    return _listed(_some(given, 1)[0])[-1]


def _slice(shelf: Shelf, given: Sequence[Value]) -> Value:
    series, begin, *rest = _some(given, 2, 3)
    end = int(_number(rest[0])) if rest else None
    if end is None:
        return _listed(series)[int(_number(begin))]
    return _listed(series)[int(_number(begin)) : end]


def _sort(shelf: Shelf, given: Sequence[Value]) -> Value:
    """The series in the order of one figure of each, or the first so many of them."""
    series, by, order, *rest = _some(given, 3, 4)
    gather = _GATHERED.get(str(by))
    if gather is None or order not in ("ASC", "DESC"):
        raise MathError("SORT takes AVG, MIN, MAX or SUM, and ASC or DESC.")
    kept = [one for one in _listed(series) if one.points]
    kept.sort(key=lambda one: gather(list(one.points.values())), reverse=order == "DESC")
    return kept[: int(_number(rest[0]))] if rest else kept


def _rule_metric(shelf: Shelf, given: Sequence[Value]) -> Value:
    """A metric of a rule of Contributor Insights."""
    rule, figure = _some(given, 2)
    found = shelf.rules.get((str(rule), str(figure)))
    if found is None:
        raise MathError("INSIGHT_RULE_METRIC takes the name of a rule and of a metric, as texts.")
    return found


def _remove_empty(shelf: Shelf, given: Sequence[Value]) -> Value:
    return [one for one in _listed(_some(given, 1)[0]) if one.points]


_GATHERED: dict[str, _Gather] = {
    "AVG": statistics.fmean,
    "MAX": max,
    "MIN": min,
    "SUM": math.fsum,
}
FUNCTIONS: Mapping[str, Run] = {
    **{name: _gathering(gather) for name, gather in _GATHERED.items()},
    "STDDEV": _gathering(statistics.pstdev),
    "ABS": _each(abs),
    "CEIL": _each(math.ceil),
    "FLOOR": _each(math.floor),
    "LOG": _each(math.log),
    "LOG10": _each(math.log10),
    "RATE": _ordered(_rate),
    "DIFF": _ordered(_difference),
    "DIFF_TIME": _ordered(_time_between),
    "RUNNING_SUM": _ordered(_running_sum),
    "MINUTE": _told(lambda time: time.minute),
    "HOUR": _told(lambda time: time.hour),
    "DAY": _told(lambda time: time.isoweekday()),
    "DATE": _told(lambda time: time.day),
    "MONTH": _told(lambda time: time.month),
    "YEAR": _told(lambda time: time.year),
    "EPOCH": _told(datetime.timestamp),
    "FILL": _fill,
    "IF": _if,
    "METRICS": _metrics,
    "METRIC_COUNT": _count_metrics,
    "PERIOD": _period,
    "DATAPOINT_COUNT": _count_points,
    "TIME_SERIES": _time_series,
    "FIRST": _first,
    "LAST": _last,
    "SLICE": _slice,
    "SORT": _sort,
    "REMOVE_EMPTY": _remove_empty,
    "INSIGHT_RULE_METRIC": _rule_metric,
}
