"""Metrics: put measurements, and list what is measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.core.usage import METRIC_REQUESTS
from cumulet.kit.pages import make_token, read_token
from cumulet.kit.ports import Usage
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.cloudwatch.metrics import store
from cumulet.services.cloudwatch.metrics.errors import InvalidParameterValueException
from cumulet.services.cloudwatch.metrics.holding import namespace_arn
from cumulet.services.cloudwatch.metrics.limits import (
    LIST_MAX,
    RECENT_SECONDS,
    RECENTLY_ACTIVE_SECONDS,
)
from cumulet.services.cloudwatch.metrics.model import Series
from cumulet.services.cloudwatch.metrics.putting import plan_put

Request = dict[str, Any]

_SCAN = 1_000


def namespace_key(_: Context, request: Request) -> Mapping[str, Any]:
    """The condition key by which a policy restricts namespaces."""
    return {"cloudwatch:namespace": request["Namespace"]}


@operation("PutMetricData", conditions=namespace_key)
async def put_metric_data(ctx: Context, request: Request) -> None:
    """Add measurements to metrics, which are made when they are new."""
    await ctx.transact(store.add, plan_put(request, ctx.clock.now()))
    arn = namespace_arn(ctx.scope, request["Namespace"])
    ctx.need(Usage).used(ctx.scope, arn, METRIC_REQUESTS, 1.0, ctx.trace)


@operation("ListMetrics")
async def list_metrics(ctx: Context, request: Request) -> dict[str, Any]:
    """The metrics that had data within two weeks, by namespace, name and dimensions."""
    if request.get("IncludeLinkedAccounts") or request.get("OwningAccount"):
        raise InvalidParameterValueException(
            "Linked accounts are not supported by Cumulet: leave out IncludeLinkedAccounts "
            "and OwningAccount."
        )
    active = request.get("RecentlyActive")
    if active not in (None, "PT3H"):
        raise InvalidParameterValueException("The parameter RecentlyActive must be PT3H.")
    since = int(ctx.clock.now()) - (RECENTLY_ACTIVE_SECONDS if active else RECENT_SECONDS)
    token = request.get("NextToken")
    try:
        after = None if token is None else tuple(read_token(token))
    except (ValueError, TypeError) as cause:
        raise InvalidParameterValueException("The value of NextToken is invalid.") from cause
    found: list[Series] = []
    while len(found) < LIST_MAX:
        page = await ctx.transact(_page, request, after)
        found += [one for one in page if one.seen_at >= since and _matches(one, request)]
        after = (page[-1].namespace, page[-1].name, page[-1].id) if page else None
        if len(page) < _SCAN:
            after = None
            break
    if len(found) > LIST_MAX:
        found = found[:LIST_MAX]
        after = (found[-1].namespace, found[-1].name, found[-1].id)
    answer: dict[str, Any] = {"Metrics": [metric_of(one) for one in found], "OwningAccounts": []}
    if after is not None:
        answer["NextToken"] = make_token(list(after))
    return answer


async def _page(
    tx: Transaction, scope: Scope, request: Request, after: tuple[str, ...] | None
) -> list[Series]:
    within: list[str] = []
    if "Namespace" in request:
        within.append(request["Namespace"])
        if "MetricName" in request:
            within.append(request["MetricName"])
    return await store.SERIES.lookup(tx, scope, "name", *within, limit=_SCAN, after=after)


def _matches(series: Series, request: Request) -> bool:
    if series.name != request.get("MetricName", series.name):
        return False
    has = dict(series.dimensions)
    return all(
        one["Name"] in has and one.get("Value", has[one["Name"]]) == has[one["Name"]]
        for one in request.get("Dimensions") or ()
    )


def metric_of(series: Series) -> dict[str, Any]:
    """The metric in AWS's spelling."""
    dimensions = [{"Name": name, "Value": value} for name, value in series.dimensions]
    return {"Namespace": series.namespace, "MetricName": series.name, "Dimensions": dimensions}
