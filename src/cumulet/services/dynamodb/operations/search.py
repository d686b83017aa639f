"""Many items in order: Query and Scan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.dynamodb import permissions
from cumulet.services.dynamodb.plans.answers import show, show_list
from cumulet.services.dynamodb.plans.capacity import Used, read_units
from cumulet.services.dynamodb.plans.ranges import last_key
from cumulet.services.dynamodb.plans.search import Search, plan_query, plan_scan
from cumulet.services.dynamodb.store.pages import Page, read_page
from cumulet.services.dynamodb.tables.insights.contributing import count_search, partition_of
from cumulet.services.dynamodb.tables.metering import measure
from cumulet.services.dynamodb.tables.throttling import admit
from cumulet.services.dynamodb.tables.views import TableViews, place_of

Request = Mapping[str, Any]


@operation(
    "Query",
    resource=permissions.table_or_index,
    resource_policy=permissions.policy_of_table,
    conditions=permissions.item_keys,
)
async def query(ctx: Context, request: Request) -> dict[str, Any]:
    """Read the items of one partition, in the order of the sort key."""
    view = await ctx.need(TableViews).find(place_of(ctx, request["TableName"]))
    return await _answer(ctx, request, plan_query(view, request), "Query")


@operation(
    "Scan",
    resource=permissions.table_or_index,
    resource_policy=permissions.policy_of_table,
    conditions=permissions.item_keys,
)
async def scan(ctx: Context, request: Request) -> dict[str, Any]:
    """Read all items of a table or index, or of one segment of it."""
    view = await ctx.need(TableViews).find(place_of(ctx, request["TableName"]))
    return await _answer(ctx, request, plan_scan(view, request), "Scan")


async def _answer(ctx: Context, request: Request, search: Search, name: str) -> dict[str, Any]:
    index = "" if search.index is None else search.index.record.name
    admit(ctx, search.view, is_write=False, index=index, keys=partition_of(search))
    page = await ctx.transact(_read, search)
    answer: dict[str, Any] = {"Count": page.count, "ScannedCount": page.scanned}
    if not search.counts_only:
        answer["Items"] = show_list(ctx, page.items)
    if page.last is not None:
        answer["LastEvaluatedKey"] = show(ctx, last_key(search.view, search.index, page.last))
    used = _used(search, page)
    measure(ctx, search.view, name, used, returned=page.count)
    if search.view.insights:
        count_search(ctx, search, used)
    mode = request.get("ReturnConsumedCapacity")
    if mode in ("TOTAL", "INDEXES"):
        answer["ConsumedCapacity"] = used.told(mode, search.view.record.name)
    return answer


async def _read(tx: Transaction, scope: Scope, search: Search) -> Page:
    return await read_page(tx, search)


def _used(search: Search, page: Page) -> Used:
    used = Used(search.view, is_write=False)
    units = read_units(page.size_bytes, consistent=search.consistent)
    if search.index is None:
        used.table = units
    else:
        used.add_index(search.index.record.name, units)
        used.table = sum(
            read_units(size, consistent=search.consistent) for size in page.followed_bytes
        )
    return used
