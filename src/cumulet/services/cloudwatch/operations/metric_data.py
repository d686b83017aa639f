"""What was measured: statistics of one metric, and of many at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.kit.pages import make_token, read_token
from cumulet.kit.service import operation
from cumulet.services.cloudwatch.metrics import store
from cumulet.services.cloudwatch.metrics.asking import Span, is_period, resolution_for, split
from cumulet.services.cloudwatch.metrics.distribution import Statistic, Summary, parse_statistic
from cumulet.services.cloudwatch.metrics.errors import (
    InvalidNextToken,
    InvalidParameterCombinationException,
    InvalidParameterValueException,
    MissingRequiredParameterException,
    ValidationException,
)
from cumulet.services.cloudwatch.metrics.limits import (
    DATAPOINTS_MAX,
    QUERIES_MAX,
    SCAN_POINTS,
    STATISTICS_POINTS_MAX,
)
from cumulet.services.cloudwatch.metrics.model import Point, series_id
from cumulet.services.cloudwatch.metrics.putting import parse_dimensions

Request = dict[str, Any]


@operation("GetMetricStatistics")
async def get_metric_statistics(ctx: Context, request: Request) -> dict[str, Any]:
    """Statistics of one metric by period, one datapoint for each unit that was used."""
    span = _statistics_span(request, ctx.clock.now())
    names = [*(request.get("Statistics") or ()), *(request.get("ExtendedStatistics") or ())]
    if not names:
        raise MissingRequiredParameterException(
            "At least one of the parameters Statistics or ExtendedStatistics must be specified."
        )
    if request.get("Statistics") and request.get("ExtendedStatistics"):
        raise InvalidParameterCombinationException(
            "The parameters Statistics and ExtendedStatistics are mutually exclusive and you "
            "have specified both."
        )
    statistics = {name: _statistic(name, "ExtendedStatistics") for name in names}
    measured = await _measured(ctx, request, request["Namespace"], span, request.get("Unit"))
    datapoints = [
        _datapoint(start, unit, summary, statistics, bool(request.get("ExtendedStatistics")))
        for unit, by_start in measured.items()
        for start, summary in sorted(by_start.items())
    ]
    return {"Label": request["MetricName"], "Datapoints": datapoints}


def _statistics_span(request: Request, now: float) -> Span:
    begin, end, period = float(request["StartTime"]), float(request["EndTime"]), request["Period"]
    if begin >= end:
        raise InvalidParameterValueException(
            "The parameter StartTime must be less than the parameter EndTime."
        )
    if not is_period(period):
        raise InvalidParameterValueException(
            "The parameter Period must be a multiple of 60, or one of 1, 5, 10, 20 and 30."
        )
    resolution = resolution_for(begin, period, now)
    period = max(period, resolution)
    points = math.ceil((end - begin) / period)
    if points > STATISTICS_POINTS_MAX:
        raise InvalidParameterCombinationException(
            f"You have requested up to {points} datapoints, which exceeds the limit of "
            f"{STATISTICS_POINTS_MAX}. You may reduce the datapoints requested by increasing "
            "Period, or decreasing the time range."
        )
    first = int(begin) - int(begin) % resolution
    return Span(first, math.ceil(end), period, resolution)


def _statistic(name: str, where: str) -> Statistic:
    found = parse_statistic(name)
    if found is None:
        raise InvalidParameterValueException(f"The value {name} for parameter {where} is invalid.")
    return found


def _datapoint(
    start: int, unit: str, summary: Summary, statistics: Mapping[str, Statistic], extended: bool
) -> dict[str, Any]:
    figures = {name: statistic(summary) for name, statistic in statistics.items()}
    told = {name: figure for name, figure in figures.items() if figure is not None}
    point: dict[str, Any] = {"Timestamp": start, "Unit": unit}
    return {**point, "ExtendedStatistics": told} if extended else {**point, **told}


async def _measured(
    ctx: Context, metric: Mapping[str, Any], namespace: str, span: Span, unit: str | None
) -> dict[str, dict[int, Summary]]:
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


@operation("GetMetricData")
async def get_metric_data(ctx: Context, request: Request) -> dict[str, Any]:
    """Statistics of up to 500 metrics by period."""
    queries = request["MetricDataQueries"]
    begin, end = float(request["StartTime"]), float(request["EndTime"])
    if begin >= end:
        raise ValidationException(
            "The parameter StartTime must be less than the parameter EndTime."
        )
    _check_queries(queries)
    descending = request.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    results = []
    for query in queries:
        if not query.get("ReturnData", True):
            continue
        pairs = await _series_of(ctx, query["MetricStat"], begin, end)
        pairs.sort(reverse=descending)
        results.append((query, pairs))
    most = request.get("MaxDatapoints", DATAPOINTS_MAX)
    return _paged(results, most, request.get("NextToken"))


def _check_queries(queries: list[dict[str, Any]]) -> None:
    if not queries or len(queries) > QUERIES_MAX:
        raise ValidationException(
            f"The collection MetricDataQueries must have a size between 1 and {QUERIES_MAX}."
        )
    if len({query["Id"] for query in queries}) < len(queries):
        raise ValidationException(
            "The values for parameter id in MetricDataQueries must be unique."
        )
    for query in queries:
        if query.get("Expression") is not None:
            raise ValidationException(
                "Metric math is not supported by Cumulet yet: leave out the Expression of "
                f"{query['Id']}."
            )
        if query.get("AccountId") is not None:
            raise ValidationException("Metrics of linked accounts are not supported by Cumulet.")
        stat = query.get("MetricStat")
        if stat is None:
            raise ValidationException(
                f"Either MetricStat or Expression must be specified for {query['Id']}."
            )
        if not is_period(stat["Period"]):
            raise ValidationException(f"The Period of {query['Id']} must be a multiple of 60.")
        if parse_statistic(stat["Stat"]) is None:
            raise ValidationException(f"The Stat of {query['Id']} is invalid: {stat['Stat']}.")


async def _series_of(
    ctx: Context, stat: Mapping[str, Any], begin: float, end: float
) -> list[tuple[int, float]]:
    metric = stat["Metric"]
    period = stat["Period"]
    resolution = resolution_for(begin, period, ctx.clock.now())
    period = max(period, resolution)
    first = int(begin) - int(begin) % period
    span = Span(first, math.ceil(end), period, resolution)
    measured = await _measured(ctx, metric, metric["Namespace"], span, stat.get("Unit"))
    statistic = _statistic(stat["Stat"], "Stat")
    pairs = []
    # Without a unit, AWS answers the series of one; here that with the most measurements.
    by_start = max(measured.values(), key=_weight, default={})
    for start, summary in by_start.items():
        figure = statistic(summary)
        if figure is not None:
            pairs.append((start, figure))
    return pairs


def _weight(by_start: Mapping[int, Summary]) -> float:
    return math.fsum(summary.samples for summary in by_start.values())


def _paged(
    results: list[tuple[dict[str, Any], list[tuple[int, float]]]], most: int, token: str | None
) -> dict[str, Any]:
    try:
        skipped = 0 if token is None else int(read_token(token)[0])
    except (ValueError, TypeError, LookupError) as cause:
        raise InvalidNextToken("The value of NextToken is invalid.") from cause
    place, answers = 0, []
    for query, pairs in results:
        part = pairs[max(0, skipped - place) : max(0, skipped + most - place)]
        place += len(pairs)
        answers.append(
            {
                "Id": query["Id"],
                "Label": query.get("Label") or query["MetricStat"]["Metric"]["MetricName"],
                "Timestamps": [start for start, _ in part],
                "Values": [value for _, value in part],
                "StatusCode": "Complete" if place <= skipped + most else "PartialData",
            }
        )
    answer: dict[str, Any] = {"MetricDataResults": answers, "Messages": []}
    if place > skipped + most:
        answer["NextToken"] = make_token([skipped + most])
    return answer
