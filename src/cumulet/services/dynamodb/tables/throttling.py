"""Provisioned capacity held to, for the tables that ask for it by the tag `cumulet:throttle`.

As AWS does, unused capacity of the last five minutes may be spent at once:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html
"""

from __future__ import annotations

from collections.abc import Iterable

from cumulet.core.context import Context
from cumulet.kit.ports import Metrics
from cumulet.services.dynamodb.errors import ProvisionedThroughputExceededException
from cumulet.services.dynamodb.items.values import Item
from cumulet.services.dynamodb.model import Throughput
from cumulet.services.dynamodb.tables.insights.contributing import count_throttled
from cumulet.services.dynamodb.tables.view import TableView

BURST_SECONDS = 300.0
BUCKETS_MAX = 10_000

_EXCEEDED = (
    "The level of configured provisioned throughput for the {place} was exceeded. Consider "
    "increasing your provisioning level with the UpdateTable API."
)


class Buckets:
    """How much capacity is left, by table, index and kind; in memory, full after a restart."""

    def __init__(self) -> None:
        self._left: dict[tuple[str, str, bool], tuple[float, float]] = {}

    def left(self, key: tuple[str, str, bool], rate: float, now: float) -> float:
        """Units that may be spent now; negative after one request spent more than was there."""
        units, at = self._left.get(key, (rate * BURST_SECONDS, now))
        return min(rate * BURST_SECONDS, units + max(0.0, now - at) * rate)

    def spend(self, key: tuple[str, str, bool], rate: float, now: float, units: float) -> None:
        """Take units away."""
        left = self.left(key, rate, now) - units
        if len(self._left) >= BUCKETS_MAX:
            self._left.clear()
        self._left[key] = (left, now)


def _rates(view: TableView, *, is_write: bool) -> list[tuple[str, float]]:
    def rate(throughput: Throughput) -> float:
        return float(throughput.write if is_write else throughput.read)

    found = [("", rate(view.record.throughput))]
    for index in view.record.indexes:
        if index.is_global:
            found.append((index.name, rate(index.throughput)))
    return found


def admit(
    ctx: Context, view: TableView, *, is_write: bool, index: str = "", keys: Iterable[Item] = ()
) -> None:
    """Raise ProvisionedThroughputExceededException when the capacity is used up.

    A write needs some of the table's and of every global index's; a read of what it reads. `keys`
    are those that are asked for, or whole items.
    """
    if not view.is_throttled:
        return
    buckets, now = ctx.need(Buckets), ctx.clock.now()
    for name, rate in _rates(view, is_write=is_write):
        if not is_write and name != index:
            continue
        if buckets.left((view.record.id, name, is_write), rate, now) <= 0:
            _tell(ctx, view, name, is_write=is_write)
            if view.insights:
                count_throttled(ctx, view, name, list(keys))
            place = f"index: {name}" if name else "table"
            raise ProvisionedThroughputExceededException(_EXCEEDED.format(place=place))


def _tell(ctx: Context, view: TableView, index: str, *, is_write: bool) -> None:
    metrics = ctx.need(Metrics)
    dimensions: tuple[tuple[str, str], ...] = (("TableName", view.record.name),)
    if index:
        dimensions = (*dimensions, ("GlobalSecondaryIndexName", index))
    kind = "WriteThrottleEvents" if is_write else "ReadThrottleEvents"
    for name in (kind, "ThrottledRequests"):
        metrics.record(view.record.scope, "AWS/DynamoDB", name, dimensions, 1.0)


def spend(
    ctx: Context, view: TableView, table: float, indexes: dict[str, float], *, is_write: bool
) -> None:
    """Count what an operation used of a table and its global indexes."""
    buckets, now = ctx.need(Buckets), ctx.clock.now()
    for name, rate in _rates(view, is_write=is_write):
        units = indexes.get(name, 0.0) if name else table
        if units:
            buckets.spend((view.record.id, name, is_write), rate, now, units)
