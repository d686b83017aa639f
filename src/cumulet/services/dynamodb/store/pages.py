"""Pages of items: read in order, filtered, up to a number of items or a megabyte."""

from __future__ import annotations

from dataclasses import dataclass, field

from cumulet.kv.contract import Transaction
from cumulet.services.dynamodb.expressions.projection import project
from cumulet.services.dynamodb.items.packing import (
    pack_item,
    packed_size,
    packed_sizes,
    unpack_item,
)
from cumulet.services.dynamodb.items.values import Item
from cumulet.services.dynamodb.limits import PAGE_BYTES_MAX
from cumulet.services.dynamodb.plans.search import Search

FIRST_ROWS = 32
ROWS_MAX = 2_000
"""Rows read from the store at once; the first few tell how large the others may be."""

ITEMS_MAX = 200_000
"""Items that a page without a limit looks at, however small they are."""


@dataclass(slots=True)
class Page:
    """What a page holds. `last` is the item after which the next page begins, None at the end."""

    items: list[bytes] = field(default_factory=list)
    count: int = 0
    scanned: int = 0
    size_bytes: int = 0
    followed_bytes: list[int] = field(default_factory=list)
    last: Item | None = None


async def read_page(tx: Transaction, search: Search) -> Page:
    """One page of a search."""
    page = Page()
    begin, end = search.begin, search.end
    wanted = search.limit or ITEMS_MAX
    while page.scanned < wanted and begin < end:
        rows = min(wanted - page.scanned, _rows(page))
        pairs = await tx.scan(begin, end, limit=rows, reverse=search.reverse)
        if not _take_whole(search, page, pairs):
            for _, value in pairs:
                page.size_bytes += packed_size(value)
                page.scanned += 1
                await _take(tx, search, page, value)
                if page.size_bytes >= PAGE_BYTES_MAX:
                    page.last = unpack_item(value)
                    return page
        if len(pairs) < rows:
            return page
        if search.reverse:
            end = pairs[-1][0]
        else:
            begin = pairs[-1][0] + b"\0"
        if page.scanned == wanted:
            page.last = unpack_item(pairs[-1][1])
    return page


def _take_whole(search: Search, page: Page, pairs: list[tuple[bytes, bytes]]) -> bool:
    """Take all pairs as they are, when nothing needs to be looked at and there is room."""
    if search.test is not None or search.branches is not None:
        return False
    if search.follows or search.counts_only:
        return False
    values = [value for _, value in pairs]
    size = packed_sizes(values)
    if page.size_bytes + size >= PAGE_BYTES_MAX:
        return False
    page.size_bytes += size
    page.scanned += len(pairs)
    page.count += len(pairs)
    page.items += values
    return True


def _rows(page: Page) -> int:
    if not page.scanned:
        return FIRST_ROWS
    mean = max(1, page.size_bytes // page.scanned)
    return min(ROWS_MAX, (PAGE_BYTES_MAX - page.size_bytes) // mean + 1)


async def _take(tx: Transaction, search: Search, page: Page, value: bytes) -> None:
    """Count an item that passes the filter, and keep what of it is shown."""
    item: Item | None = None
    if search.follows:
        item = unpack_item(value)
        whole = await tx.get(search.view.base + search.view.primary_of(item))
        if whole is None:
            return
        page.followed_bytes.append(packed_size(whole))
        value, item = whole, None
    if search.test is not None:
        item = unpack_item(value)
        if not search.test(item, search.values):
            return
    page.count += 1
    if search.counts_only:
        return
    if search.branches is not None:
        item = unpack_item(value) if item is None else item
        value = pack_item(project(item, search.branches), 0)
    page.items.append(value)
