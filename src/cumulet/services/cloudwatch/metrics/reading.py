"""Reads metrics by period, and answers queries of them and of math over them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cumulet.core.context import Context
from cumulet.services.cloudwatch.contributors.reading import rule_series
from cumulet.services.cloudwatch.metrics import store
from cumulet.services.cloudwatch.metrics.asking import Span, is_period, resolution_for, split
from cumulet.services.cloudwatch.metrics.distribution import Summary, parse_statistic
from cumulet.services.cloudwatch.metrics.errors import (
    InvalidParameterValueException,
    ValidationException,
)
from cumulet.services.cloudwatch.metrics.limits import QUERIES_MAX, SCAN_POINTS
from cumulet.services.cloudwatch.metrics.math import (
    Expression,
    MathError,
    Series,
    Shelf,
    evaluate_expression,
    names_in,
    parse_expression,
)
from cumulet.services.cloudwatch.metrics.math.grammar import Text, calls_in
from cumulet.services.cloudwatch.metrics.math.values import Value
from cumulet.services.cloudwatch.metrics.model import Point, series_id
from cumulet.services.cloudwatch.metrics.putting import parse_dimensions

Query = Mapping[str, Any]


class Figures(NamedTuple):
    """A statistic by the starts of its periods, and how much was measured in each."""

    values: dict[int, float]
    samples: dict[int, float]
    unit: str = ""


async def read_summaries(
    ctx: Context, metric: Mapping[str, Any], namespace: str, span: Span, unit: str | None
) -> dict[str, dict[int, Summary]]:
    """What was measured of a metric by unit and period."""
    dimensions = parse_dimensions(metric.get("Dimensions") or (), "Dimensions")
    uid = series_id(namespace, metric["MetricName"], dimensions)
    points: list[Point] = []
    begin = span.begin
    while True:
        page = await ctx.transact(store.points_between, uid, span.resolution, begin, span.end)
        points += page
        if len(page) < SCAN_POINTS:
            return split(points, span, unit)
        # Points of one instant differ by unit: those of the last are read again, and whole.
        begin = page[-1].start
        points = [one for one in points if one.start < begin]


async def read_figures(ctx: Context, stat: Mapping[str, Any], begin: int, end: float) -> Figures:
    """A `MetricStat` by periods that are counted from `begin`."""
    metric = stat["Metric"]
    resolution = resolution_for(begin, stat["Period"], ctx.clock.now())
    period = max(stat["Period"], resolution)
    span = Span(begin, math.ceil(end), period, resolution)
    measured = await read_summaries(ctx, metric, metric["Namespace"], span, stat.get("Unit"))
    statistic = parse_statistic(stat["Stat"])
    if statistic is None:
        raise InvalidParameterValueException(
            f"The value {stat['Stat']} for parameter Stat is invalid."
        )
    if not measured:
        return Figures({}, {})
    # Without a unit, AWS answers the series of one; here that with the most measurements.
    unit, by_start = max(measured.items(), key=lambda one: _weight(one[1]))
    found = Figures({}, {}, unit)
    for start, summary in by_start.items():
        figure = statistic(summary)
        if figure is not None:
            found.values[start] = figure
            found.samples[start] = summary.samples
    return found


def _weight(by_start: Mapping[int, Summary]) -> float:
    return math.fsum(summary.samples for summary in by_start.values())


def check_queries(queries: Sequence[Query]) -> dict[str, Expression]:
    """The expressions of the queries that have one. Raises ValidationError.

    Each may name those of others, but not one that names it in turn.
    """
    if not queries or len(queries) > QUERIES_MAX:
        raise ValidationException(
            f"The collection MetricDataQueries must have a size between 1 and {QUERIES_MAX}."
        )
    if len({query["Id"] for query in queries}) < len(queries):
        raise ValidationException(
            "The values for parameter id in MetricDataQueries must be unique."
        )
    expressions: dict[str, Expression] = {}
    for query in queries:
        if query.get("AccountId") is not None:
            raise ValidationException("Metrics of linked accounts are not supported by Cumulet.")
        stat, text = query.get("MetricStat"), query.get("Expression")
        if (stat is None) == (text is None):
            raise ValidationException(
                f"Either MetricStat or Expression must be specified for {query['Id']}."
            )
        if stat is not None:
            _check_stat(query["Id"], stat)
            continue
        try:
            expressions[query["Id"]] = parse_expression(str(text))
        except MathError as cause:
            raise _wrong(query["Id"], cause) from None
    in_order(expressions)
    return expressions


def _check_stat(name: str, stat: Mapping[str, Any]) -> None:
    if not is_period(stat["Period"]):
        raise ValidationException(f"The Period of {name} must be a multiple of 60.")
    if parse_statistic(stat["Stat"]) is None:
        raise ValidationException(f"The Stat of {name} is invalid: {stat['Stat']}.")
    parse_dimensions(stat["Metric"].get("Dimensions") or (), "Dimensions")


def _wrong(name: str, cause: MathError) -> ValidationException:
    return ValidationException(f"Error in expression '{name}': {cause}")


def in_order(expressions: Mapping[str, Expression]) -> list[str]:
    """The ids of expressions, each behind those that it names. Raises ValidationError on rings."""
    done: dict[str, None] = {}
    open_ids: set[str] = set()

    def visit(name: str) -> None:
        if name in done:
            return
        if name in open_ids:
            raise ValidationException(f"The expression '{name}' refers to itself.")
        open_ids.add(name)
        for other in names_in(expressions[name]):
            if other in expressions:
                visit(other)
        done[name] = None

    for name in expressions:
        visit(name)
    return list(done)


async def answer_queries(
    ctx: Context, queries: Sequence[Query], begin: int, end: float, *, origin: int = 0
) -> dict[str, list[Series]]:
    """The series of each query by its id; an expression may have several. Raises ValidationError.

    Periods are counted from `origin`: alarms count them back from the end of their window, all
    others from the epoch, so that a period of five minutes begins with five minutes of the hour.
    """
    expressions = check_queries(queries)
    values: dict[str, Value] = {}
    for query in queries:
        if stat := query.get("MetricStat"):
            first = begin - (begin - origin) % stat["Period"]
            figures = await read_figures(ctx, stat, first, end)
            label = query.get("Label") or stat["Metric"]["MetricName"]
            values[query["Id"]] = Series(figures.values, stat["Period"], label)
    metrics = tuple(values)
    periods = [one.period for one in values.values() if isinstance(one, Series)]
    by_id = {query["Id"]: query for query in queries}
    for name in in_order(expressions):
        own = by_id[name].get("Period")
        period = own or max(periods, default=60)
        try:
            rules = await _rule_metrics(ctx, expressions[name], begin, end, period, origin)
            shelf = Shelf(values, metrics, begin, math.ceil(end), period, origin, rules)
            values[name] = evaluate_expression(expressions[name], shelf)
        except MathError as cause:
            raise _wrong(name, cause) from None
    return {name: _as_series(by_id[name], value) for name, value in values.items()}


async def _rule_metrics(
    ctx: Context, expression: Expression, begin: int, end: float, period: int, origin: int
) -> dict[tuple[str, str], Series]:
    """The metrics of rules of Contributor Insights that an expression names. Raises MathError."""
    found: dict[tuple[str, str], Series] = {}
    first = begin - (begin - origin) % period
    for call in calls_in(expression, "INSIGHT_RULE_METRIC"):
        match call.given:
            case (Text(rule), Text(figure)):
                found[rule, figure] = await rule_series(
                    ctx, rule, figure, first, math.ceil(end), period
                )
    return found


def _as_series(query: Query, value: Value) -> list[Series]:
    label = query.get("Label") or query["Id"]
    if isinstance(value, Series):
        is_own = "MetricStat" in query and query["MetricStat"] is not None
        return [value if is_own else value._replace(label=label)]
    if isinstance(value, list):
        return [one._replace(label=f"{label} {one.label}".strip()) for one in value]
    if query.get("ReturnData", True):
        raise ValidationException(
            f"Error in expression '{query['Id']}': the value is not a time series."
        )
    return []
