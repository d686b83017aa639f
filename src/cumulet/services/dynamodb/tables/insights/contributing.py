"""Counts the use of keys for tables and indexes with Contributor Insights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cumulet.core.context import Context
from cumulet.kit.ports import Contributors
from cumulet.services.dynamodb.items.packing import unpack_item
from cumulet.services.dynamodb.items.values import Item, Value
from cumulet.services.dynamodb.tables.insights.rules import CountedKeys
from cumulet.services.dynamodb.tables.view import TableView

if TYPE_CHECKING:
    from cumulet.services.dynamodb.plans.capacity import Used
    from cumulet.services.dynamodb.plans.search import Search
    from cumulet.services.dynamodb.plans.writes import Outcome, Write


def count_read(ctx: Context, view: TableView, key: Item, units: float) -> None:
    """An item of the table was read by its key."""
    for counted in view.insights:
        if not counted.place:
            _count(ctx, view, counted, "C", _parts(counted, key), units)


def count_search(ctx: Context, search: Search, used: Used) -> None:
    """A partition of the table, or of an index, was searched; a scan has none."""
    if not search.partition:
        return
    name = "" if search.index is None else search.index.record.name
    for counted in search.view.insights:
        if counted.place == name:
            units = used.global_.get(name, 0.0) if name else used.table
            parts = (_text(search.partition), "")
            _count(ctx, search.view, counted, "C", parts, units)


def partition_of(search: Search) -> tuple[Item, ...]:
    """The partition key that a search reads, as the beginning of a key; none for a scan."""
    hashes = search.view.hashes if search.index is None else search.index.hashes
    if not search.partition:
        return ()
    return ({name: value for (name, _), value in zip(hashes, search.partition, strict=True)},)


def count_write(ctx: Context, write: Write, outcome: Outcome | None, used: Used) -> None:
    """An item was written, with its entries in indexes; `outcome` is None when it was refused."""
    for counted in write.view.insights:
        if not counted.place:
            _count(ctx, write.view, counted, "C", _parts(counted, write.named), used.table)
            continue
        units = used.global_.get(counted.place, 0.0)
        if outcome is None or not units:
            continue
        item = outcome.new
        if item is None or any(name not in item for name in counted.hashes):
            item = None if outcome.old is None else unpack_item(outcome.old)
        if item is not None:
            _count(ctx, write.view, counted, "C", _parts(counted, item), units)


def count_throttled(ctx: Context, view: TableView, index: str, keys: Sequence[Item]) -> None:
    """Requests for these keys, or items, were refused because capacity was used up."""
    for counted in view.insights:
        if counted.place == index:
            for key in keys:
                _count(ctx, view, counted, "T", _parts(counted, key), 1.0)


def _parts(counted: CountedKeys, item: Mapping[str, Value]) -> tuple[str, str]:
    """Partition key and sort key as they are shown; empty for one that the item has not."""
    return _of(counted.hashes, item), _of(counted.ranges, item)


def _of(names: Sequence[str], item: Mapping[str, Value]) -> str:
    values = [item[name] for name in names if name in item]
    return _text(values) if len(values) == len(names) else ""


def _text(values: Sequence[Value]) -> str:
    return ",".join(str(next(iter(value.values()))) for value in values)


def _count(
    ctx: Context,
    view: TableView,
    counted: CountedKeys,
    use: str,
    parts: tuple[str, str],
    units: float,
) -> None:
    contribute = ctx.need(Contributors).contribute
    partition, sort = parts
    if (rule := counted.rules.get(f"PK{use}")) and partition:
        contribute(view.record.scope, rule, (partition,), units)
    if (rule := counted.rules.get(f"SK{use}")) and partition and sort:
        contribute(view.record.scope, rule, parts, units)
