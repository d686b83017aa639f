"""Measurements of tables, as CloudWatch has them under AWS/DynamoDB.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
"""

from __future__ import annotations

import time
from typing import Protocol

from cumulet.core.context import Context
from cumulet.kit.ports import Metrics
from cumulet.services.dynamodb.tables.throttling import spend
from cumulet.services.dynamodb.tables.view import TableView

_SPACE = "AWS/DynamoDB"


class Units(Protocol):
    """What was used of a table and its global indexes."""

    is_write: bool
    table: float
    local: dict[str, float]
    global_: dict[str, float]


def measure(
    ctx: Context,
    view: TableView,
    operation: str,
    used: Units,
    *,
    failed: bool = False,
    returned: int | None = None,
) -> None:
    """Record what an operation used, how long it took and how many items it returned."""
    metrics = ctx.need(Metrics)  # type: ignore[type-abstract]
    scope, dimensions = view.record.scope, view.dimensions
    table, both = dimensions.get("") or _named(view, ""), dimensions.get(operation)
    if both is None:
        both = _named(view, operation)
    kind = "ConsumedWriteCapacityUnits" if used.is_write else "ConsumedReadCapacityUnits"
    units = used.table + sum(used.local.values()) if used.local else used.table
    metrics.record(scope, _SPACE, kind, table, units)
    spend(ctx, view, units, used.global_, is_write=used.is_write)
    for index, number in used.global_.items():
        metrics.record(scope, _SPACE, kind, (*table, ("GlobalSecondaryIndexName", index)), number)
    if failed:
        metrics.record(scope, _SPACE, "ConditionalCheckFailedRequests", table, 1.0)
        return
    latency = (time.perf_counter() - ctx.trace.started) * 1_000
    metrics.record(scope, _SPACE, "SuccessfulRequestLatency", both, latency, "Milliseconds")
    if returned is not None:
        metrics.record(scope, _SPACE, "ReturnedItemCount", both, float(returned))


def _named(view: TableView, operation: str) -> tuple[tuple[str, str], ...]:
    """The dimensions of a table, with an operation unless it is ""; kept with the table."""
    found: tuple[tuple[str, str], ...] = (("TableName", view.record.name),)
    if operation:
        found = (*found, ("Operation", operation))
    view.dimensions[operation] = found
    return found
