"""What was measured: statistics of one metric, and of many at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.core.usage import METRICS_READ
from cumulet.kit.pages import make_token, read_token
from cumulet.kit.ports import Usage
from cumulet.kit.service import operation
from cumulet.services.cloudwatch.metrics.asking import Span, is_period, resolution_for
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
    STATISTICS_POINTS_MAX,
)
from cumulet.services.cloudwatch.metrics.reading import answer_queries, read_summaries

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
    measured = await read_summaries(ctx, request, request["Namespace"], span, request.get("Unit"))
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


@operation("GetMetricData")
async def get_metric_data(ctx: Context, request: Request) -> dict[str, Any]:
    """Statistics of up to 500 metrics by period, and math over them."""
    queries = request["MetricDataQueries"]
    begin, end = float(request["StartTime"]), float(request["EndTime"])
    if begin >= end:
        raise ValidationException(
            "The parameter StartTime must be less than the parameter EndTime."
        )
    answered = await answer_queries(ctx, queries, int(begin), end)
    asked = sum("MetricStat" in query for query in queries)
    arn = ctx.scope.arn("cloudwatch", "metrics")
    ctx.need(Usage).used(ctx.scope, arn, METRICS_READ, float(asked), ctx.trace)
    descending = request.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    results = [
        (query["Id"], series.label, sorted(series.points.items(), reverse=descending))
        for query in queries
        if query.get("ReturnData", True)
        for series in answered[query["Id"]]
    ]
    most = request.get("MaxDatapoints", DATAPOINTS_MAX)
    return _paged(results, most, request.get("NextToken"))


def _paged(
    results: list[tuple[str, str, list[tuple[int, float]]]], most: int, token: str | None
) -> dict[str, Any]:
    try:
        skipped = 0 if token is None else int(read_token(token)[0])
    except (ValueError, TypeError, LookupError) as cause:
        raise InvalidNextToken("The value of NextToken is invalid.") from cause
    place, answers = 0, []
    for name, label, pairs in results:
        part = pairs[max(0, skipped - place) : max(0, skipped + most - place)]
        place += len(pairs)
        answers.append(
            {
                "Id": name,
                "Label": label,
                "Timestamps": [start for start, _ in part],
                "Values": [value for _, value in part],
                "StatusCode": "Complete" if place <= skipped + most else "PartialData",
            }
        )
    answer: dict[str, Any] = {"MetricDataResults": answers, "Messages": []}
    if place > skipped + most:
        answer["NextToken"] = make_token([skipped + most])
    return answer
