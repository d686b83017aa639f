"""Costs and usage by time and group."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import orjson

from cumulet.core.context import Context
from cumulet.kit.pages import make_token, read_token
from cumulet.kit.service import operation
from cumulet.services.ce import store
from cumulet.services.ce.asking import (
    Group,
    Period,
    Test,
    is_cost,
    parse_filter,
    parse_groups,
    parse_metrics,
    parse_period,
)
from cumulet.services.ce.errors import (
    InvalidNextTokenException,
    LimitExceededException,
    RequestChangedException,
)
from cumulet.services.ce.gather import UsageGatherer
from cumulet.services.ce.limits import PAGE_GROUPS, RECORDS_READ_MAX, SCAN_RECORDS
from cumulet.services.ce.model import Amount, day_at, month_start
from cumulet.services.ce.pricing import FALLBACK, find_price
from cumulet.services.ce.reckoning import Line, Reckoner
from cumulet.services.ce.sums import Sums

Request = dict[str, Any]
_Item = tuple[tuple[str, str], tuple[str, ...], Sums]


@operation("GetCostAndUsage")
async def get_cost_and_usage(ctx: Context, request: Request) -> dict[str, Any]:
    """What was used and would have cost, by day or month and by up to two groups."""
    return await _answer(ctx, request, by_resource=False)


@operation("GetCostAndUsageWithResources")
async def get_cost_and_usage_with_resources(ctx: Context, request: Request) -> dict[str, Any]:
    """The same, also by resource (its ARN)."""
    return await _answer(ctx, request, by_resource=True)


async def _answer(ctx: Context, request: Request, *, by_resource: bool) -> dict[str, Any]:
    today = day_at(ctx.clock.now())
    period = parse_period(request["TimePeriod"], request["Granularity"], today)
    metrics = parse_metrics(request.get("Metrics") or (["UnblendedCost"] if by_resource else None))
    groups = parse_groups(request.get("GroupBy"), by_resource=by_resource)
    test = parse_filter(request.get("Filter"), by_resource=by_resource)
    begin = _position(request)
    lines = [line async for line in lines_of(ctx, period, test)]
    items = _summed(period, groups, lines)
    page = items[begin : begin + PAGE_GROUPS]
    answer: dict[str, Any] = {
        "ResultsByTime": _results(period, page, groups, metrics),
        "DimensionValueAttributes": _attributes(groups, lines),
    }
    if groups:
        answer["GroupDefinitions"] = [one.definition for one in groups]
    if begin + PAGE_GROUPS < len(items):
        answer["NextPageToken"] = make_token([_digest(request), begin + PAGE_GROUPS])
    return answer


async def lines_of(ctx: Context, period: Period, test: Test) -> AsyncIterator[Line]:
    """The lines of a time that the test takes. Raises LimitExceededException."""
    # What was told in the last second is waiting still.
    await ctx.need(UsageGatherer).flush()
    amounts: list[Amount] = []
    after: Amount | None = None
    while True:
        page = await ctx.transact(store.scan_days, month_start(period.begin), period.end, after)
        amounts += page
        if len(page) < SCAN_RECORDS:
            break
        if len(amounts) >= RECORDS_READ_MAX:
            raise LimitExceededException("There is too much data: ask for a shorter time.")
        after = page[-1]
    for line in Reckoner(ctx.scope.account).lines(amounts):
        if line.day >= period.begin and test(line):
            yield line


def _summed(period: Period, groups: Sequence[Group], lines: Sequence[Line]) -> list[_Item]:
    """Sums by step and group, in the order of time, then of the groups' names."""
    steps = period.steps()
    found: dict[tuple[int, tuple[str, ...]], Sums] = {}
    at = 0
    for line in lines:
        while line.day >= steps[at][1]:
            at += 1
        key = (at, tuple(group.key(line) for group in groups))
        if key not in found:
            found[key] = Sums()
        found[key].add(line)
    if not groups:
        for index in range(len(steps)):
            found.setdefault((index, ()), Sums())
    return [(steps[index], names, found[index, names]) for index, names in sorted(found)]


def _results(
    period: Period, page: Sequence[_Item], groups: Sequence[Group], metrics: Sequence[str]
) -> list[dict[str, Any]]:
    results = {
        step: {
            "TimePeriod": {"Start": step[0], "End": step[1]},
            "Total": {},
            "Groups": [],
            "Estimated": True,
        }
        for step in period.steps()
    }
    for step, names, sums in page:
        shown = {name: _metric(name, sums) for name in metrics}
        if groups:
            results[step]["Groups"].append({"Keys": list(names), "Metrics": shown})  # type: ignore[attr-defined]  # the values are of several types
        else:
            results[step]["Total"] = shown
    return list(results.values())


def _metric(name: str, sums: Sums) -> dict[str, str]:
    if is_cost(name):
        return {"Amount": shown_amount(sums.cost), "Unit": "USD"}
    if name == "UsageQuantity":
        return {"Amount": shown_amount(sums.amount), "Unit": sums.unit or "N/A"}
    return {"Amount": "0", "Unit": "N/A"}


def shown_amount(value: float) -> str:
    """A number as Cost Explorer writes it: plain, with at most twelve decimals."""
    return f"{value:.12f}".rstrip("0").rstrip(".") or "0"


def _attributes(groups: Sequence[Group], lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Of what dates the prices of each service are, where results are by service or usage type."""
    by_value: dict[str, set[tuple[str, str, str]]] = {}
    for group in groups:
        if group.definition["Key"] in ("SERVICE", "USAGE_TYPE"):
            for line in lines:
                kind = (line.region, line.service, line.plain_type)
                by_value.setdefault(group.key(line), set()).add(kind)
    return [
        {"Value": value, "Attributes": price_attributes(kinds)}
        for value, kinds in sorted(by_value.items())
    ]


def price_attributes(kinds: set[tuple[str, str, str]]) -> dict[str, str]:
    """The dates of the prices of these regions, services and usage types, and their standing."""
    found = {kind: find_price(*kind) for kind in kinds}
    priced = {kind: one for kind, one in found.items() if one is not None}
    dates = sorted(one.price.date for one in priced.values())
    attributes = {
        "prices": str(len(priced)),
        "unchecked": str(sum(not one.price.checked for one in priced.values())),
        "elsewhere": str(sum(one.region != (kind[0] or FALLBACK) for kind, one in priced.items())),
        "unpriced": str(len(found) - len(priced)),
    }
    if dates:
        attributes |= {"pricesFrom": dates[0], "pricesTo": dates[-1]}
    return attributes


def _digest(request: Request) -> str:
    asked = {name: value for name, value in request.items() if name != "NextPageToken"}
    text = orjson.dumps(asked, option=orjson.OPT_SORT_KEYS, default=str)
    return hashlib.sha256(text).hexdigest()[:32]


def _position(request: Request) -> int:
    token = request.get("NextPageToken")
    if not token:
        return 0
    try:
        digest, position = read_token(token)
    except (ValueError, TypeError):
        raise InvalidNextTokenException("Invalid next page token.") from None
    if not isinstance(position, int) or position < 0:
        raise InvalidNextTokenException("Invalid next page token.")
    if digest != _digest(request):
        raise RequestChangedException("The request changed between pages.")
    return position
