"""Many rows into a table at once: checked, then written in large transactions with all that
follows from them. Loads of clients, imports and restores share it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import orjson

from cumulet.core.errors import AwsError
from cumulet.kv.contract import Transaction
from cumulet.services.dynamodb.copies.limits import GROUP_BYTES_MAX
from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.items.packing import pack_item, packed_size
from cumulet.services.dynamodb.items.values import Item, check_item
from cumulet.services.dynamodb.limits import ITEM_BYTES_MAX
from cumulet.services.dynamodb.store.items import replace_item
from cumulet.services.dynamodb.tables.view import TableView


class Row(NamedTuple):
    """An item ready to be written: its key's bytes, its stored form, and itself."""

    primary: bytes
    packed: bytes
    item: Item | None


def make_row(view: TableView, item: Item) -> Row:
    """A row of an item. Raises AwsError for one that does not fit the table."""
    size = check_item(item)
    if size > ITEM_BYTES_MAX:
        raise ValidationException("Item size has exceeded the maximum allowed size")
    primary = view.check_item_key(item)
    if view.maintained:
        view.check_index_keys(item)
    return Row(primary, pack_item(item, size), item)


def read_lines(view: TableView, content: bytes) -> list[Row]:
    """The rows of lines of DynamoDB JSON, each an item or an `Item` with one.

    Raises ValidationException, which names the line.
    """
    rows = []
    for number, line in enumerate(content.split(b"\n")):
        if not line:
            continue
        try:
            rows.append(make_row(view, item_of(line)))
        except (AwsError, ValueError) as error:
            said = error.message if isinstance(error, AwsError) else str(error)
            raise ValidationException(f"Row {number + 1}: {said}") from None
    return rows


def item_of(line: bytes | str) -> Item:
    """The item of a line of DynamoDB JSON. Raises ValueError."""
    found = orjson.loads(line)
    if type(found) is dict and len(found) == 1 and "Item" in found:
        inner = found["Item"]
        # An item may have an attribute named so, whose value then is of one datatype.
        if type(inner) is dict and not (
            len(inner) == 1 and not isinstance(next(iter(inner.values())), dict)
        ):
            found = inner
    if type(found) is not dict:
        raise ValueError("it is no item in DynamoDB JSON")
    return found


def groups_of(view: TableView, rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Rows in groups that one transaction can write."""
    group: list[Row] = []
    size = 0
    for row in rows:
        more = len(row.packed) * (2 + len(view.maintained))
        if group and size + more > GROUP_BYTES_MAX:
            yield group
            group, size = [], 0
        group.append(row)
        size += more
    yield group


def distinct(rows: Iterable[Row]) -> list[Row]:
    """Rows in the order of their keys, the last one of each key."""
    by_key = {row.primary: row for row in rows}
    return [by_key[primary] for primary in sorted(by_key)]


async def write_rows(tx: Transaction, view: TableView, rows: list[Row], now: float) -> None:
    """Put rows, whose keys are distinct, with their index entries, changes and counters."""
    if view.follows_writes:
        for order, row in enumerate(rows):
            old = await tx.get(view.base + row.primary)
            if old != row.packed:
                await replace_item(
                    tx,
                    view,
                    row.primary,
                    old,
                    row.packed,
                    now,
                    new_item=row.item,
                    order=order,
                )
        return
    base, get, put = view.base, tx.get, tx.set
    items = size = 0
    for primary, packed, _ in rows:
        at = base + primary
        old = await get(at)
        put(at, packed)
        size += packed_size(packed)
        if old is None:
            items += 1
        else:
            size -= packed_size(old)
    if items:
        tx.count(view.counts[0], items)
    if size:
        tx.count(view.counts[1], size)
