"""Item collections: all items of one partition, whose size tables with local indexes can tell."""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.services.dynamodb.items.keys import after_start, partition_bytes
from cumulet.services.dynamodb.items.packing import packed_size
from cumulet.services.dynamodb.items.values import Item
from cumulet.services.dynamodb.plans.answers import show
from cumulet.services.dynamodb.tables.view import TableView

ROWS = 1_000
ROWS_MAX = 10_000
"""Items of a partition that are counted; a larger one is told as at least that large."""

_GIGABYTE = 1 << 30


async def told_collection(ctx: Context, view: TableView, key: Item) -> dict[str, Any] | None:
    """`ItemCollectionMetrics` of an item's partition; None for tables without local indexes."""
    if all(index.record.is_global for index in view.maintained):
        return None
    name = view.hash[0]
    size = await ctx.transact(_size, view, partition_bytes((key[name],)))
    low = int(size / _GIGABYTE * 2) / 2
    shown = {name: key[name]}
    return {
        "ItemCollectionKey": show(ctx, shown),
        "SizeEstimateRangeGB": [low, low + 1.0],
    }


async def _size(tx: Transaction, scope: Scope, view: TableView, partition: bytes) -> int:
    total = 0
    bases = [view.base, *(one.base for one in view.maintained if not one.record.is_global)]
    for base in bases:
        begin = base + partition
        end = after_start(begin)
        assert end is not None
        seen = 0
        while seen < ROWS_MAX:
            pairs = await tx.scan(begin, end, limit=ROWS)
            total += sum(packed_size(value) for _, value in pairs)
            seen += len(pairs)
            if len(pairs) < ROWS:
                break
            begin = pairs[-1][0] + b"\0"
    return total
