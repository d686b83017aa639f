"""What a write used of a table's and its indexes' capacity."""

from __future__ import annotations

from cumulet.services.dynamodb.items.values import Item, check_item
from cumulet.services.dynamodb.plans.capacity import Used, write_units
from cumulet.services.dynamodb.store.items import Replaced
from cumulet.services.dynamodb.tables.view import TableView


def use_write(
    view: TableView, replaced: Replaced | None, kept: Item | None, *, factor: float = 1.0
) -> Used:
    """The units of a write, or of one that failed its condition on the item `kept`."""
    used = Used(view, is_write=True)
    if replaced is None:
        used.table = write_units(0 if kept is None else check_item(kept), factor=factor)
        return used
    used.table = write_units(max(replaced.old_size, replaced.new_size), factor=factor)
    for index in replaced.indexes:
        used.add_index(index.name, write_units(index.size_bytes, factor=factor))
    return used
