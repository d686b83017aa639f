"""Measurements of tables, as CloudWatch has them under AWS/DynamoDB.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
"""

from __future__ import annotations

import time
from typing import Protocol

from cumulet.core.context import Context
from cumulet.kit.ports import Metrics
from cumulet.services.dynamodb.tables.view import TableView

_SPACE = "AWS/DynamoDB"
_OPERATIONS = {"plan_put": "PutItem", "plan_delete": "DeleteItem", "plan_update": "UpdateItem"}


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
    scope, name = view.record.scope, view.record.name
    table = (("TableName", name),)
    kind = "ConsumedWriteCapacityUnits" if used.is_write else "ConsumedReadCapacityUnits"
    units = used.table + sum(used.local.values())
    metrics.record(scope, _SPACE, kind, table, units, "Count")
    for index, number in used.global_.items():
        both = (*table, ("GlobalSecondaryIndexName", index))
        metrics.record(scope, _SPACE, kind, both, number, "Count")
    if failed:
        metrics.record(scope, _SPACE, "ConditionalCheckFailedRequests", table, 1.0, "Count")
        return
    both = (*table, ("Operation", _OPERATIONS.get(operation, operation)))
    latency = (time.perf_counter() - ctx.trace.started) * 1_000
    metrics.record(scope, _SPACE, "SuccessfulRequestLatency", both, latency, "Milliseconds")
    if returned is not None:
        metrics.record(scope, _SPACE, "ReturnedItemCount", both, float(returned), "Count")
