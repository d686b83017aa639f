"""How calls went over time."""

from __future__ import annotations

import re
from typing import Any

from cumulet.core.context import Context
from cumulet.kit.service import operation
from cumulet.services.xray.errors import InvalidRequestException
from cumulet.services.xray.graph import Counted, calls_of
from cumulet.services.xray.limits import GRAPH_SECONDS_MAX, SERIES_PERIODS
from cumulet.services.xray.operations.group import find_group
from cumulet.services.xray.operations.trace import matching, read_expression, span_of

Request = dict[str, Any]

_SERVICE = re.compile(r'\s*service\(\s*"(?P<name>[^"\\]+)"\s*\)\s*\Z')


def _service(request: Request) -> str:
    """The service that is asked about; empty for all calls between services."""
    text = request.get("EntitySelectorExpression") or ""
    if not text:
        return ""
    found = _SERVICE.match(text)
    if found is None:
        raise InvalidRequestException(
            'An EntitySelectorExpression other than service("name") is not supported by Cumulet.'
        )
    return found["name"]


@operation("GetTimeSeriesServiceStatistics")
async def get_time_series_service_statistics(ctx: Context, request: Request) -> Request:
    """How the calls of each minute, or of five, went: all of them, or those of one service."""
    begin, end = span_of(request, GRAPH_SECONDS_MAX)
    period = request.get("Period") or SERIES_PERIODS[0]
    if period not in SERIES_PERIODS:
        raise InvalidRequestException("Period must be 60 or 300 seconds.")
    if request.get("ForecastStatistics"):
        raise InvalidRequestException("ForecastStatistics is not supported by Cumulet.")
    name = _service(request)
    test = read_expression((await find_group(ctx, request)).expression)
    counts: dict[int, Counted] = {}
    async for documents in matching(ctx, begin, end, test):
        for caller, node, part in calls_of(documents):
            if node[0] == name if name else caller is not None:
                at = int(part.began // period * period)
                counts.setdefault(at, Counted()).add(part)
    member = "ServiceSummaryStatistics" if name else "EdgeSummaryStatistics"
    return {
        "TimeSeriesServiceStatistics": [
            {
                "Timestamp": at,
                member: counted.told()["SummaryStatistics"],
                "ResponseTimeHistogram": counted.told()["ResponseTimeHistogram"],
            }
            for at, counted in sorted(counts.items())
        ],
        "ContainsOldGroupVersions": False,
    }
