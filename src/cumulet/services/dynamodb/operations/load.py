"""Rows loaded in batches: what `cumulet import` does. AWS has no such operation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.dynamodb import permissions
from cumulet.services.dynamodb.copies.limits import LOAD_AHEAD_MAX, LOAD_ROWS_MAX
from cumulet.services.dynamodb.copies.loading import (
    Row,
    distinct,
    groups_of,
    item_of,
    read_lines,
    write_rows,
)
from cumulet.services.dynamodb.copies.model import Load
from cumulet.services.dynamodb.copies.records import LOADS
from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.plans.capacity import Used, write_units
from cumulet.services.dynamodb.plans.writes import required
from cumulet.services.dynamodb.store.items import require_same
from cumulet.services.dynamodb.tables.metering import measure
from cumulet.services.dynamodb.tables.throttling import admit
from cumulet.services.dynamodb.tables.view import TableView
from cumulet.services.dynamodb.tables.views import (
    PLANS_MAX,
    TableChanged,
    TableViews,
    keeps_changing,
    place_of,
)

Request = Mapping[str, Any]
_ID = re.compile(r"[A-Za-z0-9_\-]{8,64}\Z", re.ASCII)


async def _keys(ctx: Context, request: Request) -> dict[str, Any]:
    """The condition keys of the same rows in a BatchWriteItem."""
    puts = []
    for line in request["Lines"].split(b"\n"):
        try:
            puts += [{"PutRequest": {"Item": item_of(line)}}] if line else []
        except ValueError:
            # The operation tells what is wrong; nothing is written then.
            continue
    return await permissions.batch_keys(ctx, {"RequestItems": {request["TableName"]: puts}})


@operation(
    "LoadItems",
    action="dynamodb:BatchWriteItem",
    resource=permissions.table,
    resource_policy=permissions.policy_of_table,
    conditions=_keys,
)
async def load_items(ctx: Context, request: Request) -> dict[str, Any]:
    """Write a batch of rows once, however often it comes; or tell how far a load came."""
    views, place = ctx.need(TableViews), place_of(ctx, request["TableName"])
    if not _ID.match(request["Load"]):
        raise ValidationException("load must be 8 to 64 letters, digits, _ or -")
    batch = request["Batch"]
    for _ in range(PLANS_MAX):
        now = ctx.clock.now()
        view = required(await views.find(place))
        if batch is None:
            return _told(await ctx.transact(_load, view, request["Load"]))
        rows = read_lines(view, request["Lines"])
        if len(rows) > LOAD_ROWS_MAX:
            raise ValidationException(f"A batch has at most {LOAD_ROWS_MAX} rows")
        admit(ctx, view, is_write=True)
        try:
            found = await _write(ctx, view, rows, Load(view.record.id, request["Load"]), batch, now)
        except TableChanged:
            continue
        used = Used(view, is_write=True)
        used.table = sum(write_units(len(row.packed)) for row in rows)
        measure(ctx, view, "BatchWriteItem", used)
        return _told(found)
    raise keeps_changing(place[2])


def _told(load: Load) -> dict[str, Any]:
    return {"done": load.done, "ahead": list(load.ahead), "rows": load.rows}


async def _load(tx: Transaction, scope: Scope, view: TableView, load: str) -> Load:
    found = await LOADS.load(tx, scope, view.record.id, load)
    return Load(view.record.id, load) if found is None else found


async def _write(
    ctx: Context, view: TableView, rows: list[Row], load: Load, batch: int, now: float
) -> Load:
    groups = list(groups_of(view, distinct(rows)))
    if len(groups) > 1 and (found := await ctx.transact(_load, view, load.id)).has(batch):
        return found
    for group in groups[:-1]:
        await ctx.transact(_write_group, view, group, now)
    return await ctx.transact(_write_last, view, groups[-1], load.id, batch, len(rows), now)


async def _write_group(
    tx: Transaction, scope: Scope, view: TableView, rows: list[Row], now: float
) -> None:
    await require_same(tx, view)
    await write_rows(tx, view, rows, now)


async def _write_last(
    tx: Transaction,
    scope: Scope,
    view: TableView,
    rows: list[Row],
    load_id: str,
    batch: int,
    count: int,
    now: float,
) -> Load:
    """The rows with the note that they are there."""
    await require_same(tx, view)
    load = await _load(tx, scope, view, load_id)
    if load.has(batch):
        return load
    if batch > load.done + LOAD_AHEAD_MAX:
        raise ValidationException(f"Batch {batch} is too far ahead of batch {load.done}")
    await write_rows(tx, view, rows, now)
    changed = load.with_batch(batch, count, now)
    await LOADS.save(tx, scope, changed)
    return changed
