"""Measurements of tables, as CloudWatch has them: gathered here, and told every second.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

from cumulet.core.context import Context, Platform
from cumulet.core.identity import Scope
from cumulet.core.usage import READ_UNITS, WRITE_UNITS, Used
from cumulet.kit.ports import Metrics, Usage
from cumulet.kit.workers.regularly import Regularly
from cumulet.services.dynamodb.model import Stream, Table
from cumulet.services.dynamodb.tables.throttling import spend
from cumulet.services.dynamodb.tables.view import TableView

TELL_SECONDS = 1.0
VALUES_MAX = 5_000
"""Values of one operation on one table that wait to be told."""

_LATENCY_DECIMALS = 2
_SPACE = "AWS/DynamoDB"
_Key = tuple[Scope, str, str]


class Units(Protocol):
    """What was used of a table and its global indexes."""

    is_write: bool
    table: float
    local: dict[str, float]
    global_: dict[str, float]


class Series:
    """What one operation on one table came to, of which CloudWatch has not heard yet."""

    __slots__ = ("arn", "charged", "failed", "indexes", "is_write", "latency", "returned", "units")

    def __init__(self, arn: str, *, is_write: bool) -> None:
        self.arn = arn
        self.is_write = is_write
        self.charged = 0.0
        self.units: list[float] = []
        self.latency: list[float] = []
        self.returned: list[float] = []
        self.failed = 0
        self.indexes: dict[str, list[float]] = {}


class Measures(Regularly):
    """Gathers what is measured, and tells it every second and at the end."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform.clock, TELL_SECONDS, "measures of tables", self.tell)
        self._platform = platform
        self._series: dict[_Key, Series] = {}

    def series(self, view: TableView, operation: str, *, is_write: bool) -> Series:
        """Where the values of an operation on a table are gathered for now."""
        key = (view.record.scope, view.record.name, operation)
        found = self._series.get(key)
        if found is None:
            found = self._series[key] = Series(view.record.arn, is_write=is_write)
        elif len(found.units) >= VALUES_MAX:
            self.tell()
            found = self._series[key] = Series(view.record.arn, is_write=is_write)
        return found

    def tell(self) -> None:
        """Tell CloudWatch all that waits."""
        told, self._series = self._series, {}
        for (scope, name, operation), series in told.items():
            self._tell(scope, name, operation, series)

    def _tell(self, scope: Scope, name: str, operation: str, series: Series) -> None:
        if series.charged:
            kind = WRITE_UNITS if series.is_write else READ_UNITS
            self._platform.need(Usage).used(scope, series.arn, kind, series.charged)
        record = self._platform.need(Metrics).record_all
        table = (("TableName", name),)
        both = (*table, ("Operation", operation))
        consumed = "ConsumedWriteCapacityUnits" if series.is_write else "ConsumedReadCapacityUnits"
        record(scope, _SPACE, consumed, table, series.units)
        for index, units in series.indexes.items():
            record(scope, _SPACE, consumed, (*table, ("GlobalSecondaryIndexName", index)), units)
        # Thousands of different values a second would cost more than what they tell.
        latency = [round(one, _LATENCY_DECIMALS) for one in series.latency]
        record(scope, _SPACE, "SuccessfulRequestLatency", both, latency, "Milliseconds")
        record(scope, _SPACE, "ReturnedItemCount", both, series.returned)
        failed = [1.0] * series.failed
        record(scope, _SPACE, "ConditionalCheckFailedRequests", table, failed)


def measure(
    ctx: Context,
    view: TableView,
    operation: str,
    used: Units,
    *,
    failed: bool = False,
    returned: int | None = None,
) -> None:
    """Note what an operation used, how long it took and how many items it returned."""
    series = ctx.need(Measures).series(view, operation, is_write=used.is_write)
    units = used.table + sum(used.local.values()) if used.local else used.table
    series.units.append(units)
    if used.global_:
        for index, number in used.global_.items():
            series.indexes.setdefault(index, []).append(number)
    if view.record.billing == "PAY_PER_REQUEST":
        total = units + sum(used.global_.values()) if used.global_ else units
        series.charged += total
        kind = WRITE_UNITS if used.is_write else READ_UNITS
        ctx.trace.add_used(Used(view.record.scope.region, series.arn, kind, total))
    if view.is_throttled:
        spend(ctx, view, units, used.global_, is_write=used.is_write)
    if failed:
        series.failed += 1
        return
    series.latency.append((time.perf_counter() - ctx.trace.started) * 1_000)
    if returned is not None:
        series.returned.append(float(returned))


def measure_expiry(platform: Platform, table: Table, deleted: int) -> None:
    """Note how many items of a table were deleted as their time had come."""
    if deleted:
        name = "TimeToLiveDeletedItemCount"
        record = platform.need(Metrics).record
        record(table.scope, _SPACE, name, (("TableName", table.name),), float(deleted))


def measure_records(ctx: Context, stream: Stream, sizes: Sequence[int]) -> None:
    """Note what one read of a stream returned, if anything: the size in bytes of each record."""
    if sizes:
        scope = Scope(stream.account, stream.region)
        told = (
            ("Operation", "GetRecords"),
            ("StreamLabel", stream.label),
            ("TableName", stream.table),
        )
        record = ctx.need(Metrics).record
        record(scope, _SPACE, "ReturnedRecordsCount", told, float(len(sizes)))
        record(scope, _SPACE, "ReturnedBytes", told, float(sum(sizes)), "Bytes")
