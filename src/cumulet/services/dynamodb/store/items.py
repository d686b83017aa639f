"""Items with their index entries, counters and changes, kept together in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from zlib import compress

import orjson

from cumulet.kv.contract import Transaction
from cumulet.services.dynamodb.items.comparing import equal
from cumulet.services.dynamodb.items.packing import (
    PLAIN_BYTES_MAX,
    pack_item,
    packed_size,
    unpack_item,
)
from cumulet.services.dynamodb.items.values import Item, Value, check_item
from cumulet.services.dynamodb.store.history import note_before
from cumulet.services.dynamodb.tables.view import IndexView, TableView
from cumulet.services.dynamodb.tables.views import TableChanged

SERVICE_IDENTITY = {"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"}
"""Whose a change is that comes of an item's time to live."""

SUFFIX_BYTES = 2


class IndexUse(NamedTuple):
    """Bytes that a write put into, or took out of, an index."""

    name: str
    size_bytes: int


class Replaced(NamedTuple):
    """What a write did; sizes are in bytes, 0 for no item."""

    old_size: int
    new_size: int
    indexes: tuple[IndexUse, ...]


async def require_same(tx: Transaction, view: TableView) -> None:
    """Raise TableChanged unless the table is still what the operation was planned for."""
    if await tx.get(view.key) != view.raw:
        raise TableChanged


async def load_item(tx: Transaction, view: TableView, primary: bytes) -> bytes | None:
    """A stored item, or None."""
    return await tx.get(view.base + primary)


async def replace_item(
    tx: Transaction,
    view: TableView,
    primary: bytes,
    old: bytes | None,
    new: bytes | None,
    now: float,
    *,
    old_item: Item | None = None,
    new_item: Item | None = None,
    order: int = 0,
    by_service: bool = False,
) -> Replaced:
    """Put `new` in the place of `old` (either may be None), with all that follows from it.

    `old_item` and `new_item` are the same unpacked, where the caller has them. `order` tells the
    changes of one transaction apart.
    """
    at = view.base + primary
    if new is None:
        if old is None:
            return Replaced(0, 0, ())
        tx.clear(at)
    else:
        tx.set(at, new)
    old_size = 0 if old is None else packed_size(old)
    new_size = 0 if new is None else packed_size(new)
    _count(tx, view.counts, (new is not None) - (old is not None), new_size - old_size)
    if not view.follows_writes:
        return Replaced(old_size, new_size, ())
    if view.history_prefix and old != new:
        note_before(tx, view.history_prefix, primary, old, now, order)
    before = old_item if old_item is not None or old is None else unpack_item(old)
    after = new_item if new_item is not None or new is None else unpack_item(new)
    uses: list[IndexUse] = []
    for index in view.maintained:
        uses += await _move_entry(tx, index, primary, before, after)
    if view.record.expiry is not None:
        move_expiry(tx, view, primary, before, after)
    if view.stream_prefix and old != new and not _is_same(before, after):
        change = _change(view, before, after, now, old_size + new_size, by_service)
        tx.stamp(view.stream_prefix, order.to_bytes(SUFFIX_BYTES, "big"), change)
    return Replaced(old_size, new_size, tuple(uses))


def _is_same(before: Item | None, after: Item | None) -> bool:
    """Whether two items are equal though they are spelt in another order."""
    return before is not None and after is not None and equal({"M": before}, {"M": after})


def _count(tx: Transaction, keys: tuple[bytes, bytes], items: int, size: int) -> None:
    if items:
        tx.count(keys[0], items)
    if size:
        tx.count(keys[1], size)


async def _move_entry(
    tx: Transaction,
    index: IndexView,
    primary: bytes,
    before: Mapping[str, Value] | None,
    after: Mapping[str, Value] | None,
) -> list[IndexUse]:
    """Move an item's entry in an index from where it was to where it belongs."""
    old_key = None if before is None else index.entry_key(before, primary)
    new_key = None if after is None else index.entry_key(after, primary)
    if old_key is None and new_key is None:
        return []
    if index.record.is_building and old_key is not None and await tx.get(old_key) is None:
        # The item was there before the index, and its entry was not made yet.
        old_key = None
        if new_key is None:
            return []
    name = index.record.name
    old_shown = index.shown(before) if before is not None and old_key is not None else None
    new_shown = index.shown(after) if after is not None and new_key is not None else None
    if old_key == new_key and old_shown == new_shown:
        return []
    old_size = 0 if old_shown is None else check_item(old_shown)
    new_size = 0 if new_shown is None else check_item(new_shown)
    if old_key is not None and old_key != new_key:
        tx.clear(old_key)
    if new_key is not None and new_shown is not None:
        tx.set(new_key, pack_item(new_shown, new_size))
    _count(tx, index.counts, (new_key is not None) - (old_key is not None), new_size - old_size)
    if old_key == new_key:
        return [IndexUse(name, max(old_size, new_size))]
    sizes = [size for key, size in ((old_key, old_size), (new_key, new_size)) if key is not None]
    return [IndexUse(name, size) for size in sizes]


async def build_entry(
    tx: Transaction, view: TableView, index: IndexView, primary: bytes, packed: bytes
) -> None:
    """Give an item that was there before an index its entry in it, unless it has one already."""
    item = unpack_item(packed)
    key = index.entry_key(item, primary)
    if key is None or await tx.get(key) is not None:
        return
    shown = index.shown(item)
    size = check_item(shown)
    tx.set(key, pack_item(shown, size))
    _count(tx, index.counts, 1, size)


def expiry_prefix(view: TableView) -> bytes:
    """With what the keys begin that order a table's items by their expiry."""
    expiry = view.record.expiry
    assert expiry is not None
    return view.base[:-2] + expiry.number.to_bytes(2, "big")


def expiry_of(view: TableView, item: Mapping[str, Value] | None) -> int | None:
    """When an item expires, in epoch seconds; None when never."""
    expiry = view.record.expiry
    if item is None or expiry is None:
        return None
    text = item.get(expiry.attribute, {}).get("N")
    if text is None or "-" in text or len(text.partition(".")[0]) > 15:
        return None
    return int(text.partition(".")[0])


def move_expiry(
    tx: Transaction,
    view: TableView,
    primary: bytes,
    before: Mapping[str, Value] | None,
    after: Mapping[str, Value] | None,
) -> None:
    """Keep the order of expiries."""
    old, new = expiry_of(view, before), expiry_of(view, after)
    if old == new:
        return
    base = expiry_prefix(view)
    if old is not None:
        tx.clear(base + old.to_bytes(8, "big") + primary)
    if new is not None:
        tx.set(base + new.to_bytes(8, "big") + primary, b"")


def _change(
    view: TableView,
    before: Mapping[str, Value] | None,
    after: Mapping[str, Value] | None,
    now: float,
    size: int,
    by_service: bool,
) -> bytes:
    """The record of a change: eight bytes of milliseconds, then JSON without what its key tells,
    compressed when it is long.
    """
    some = after if after is not None else before
    assert some is not None
    name = "MODIFY"
    if before is None or after is None:
        name = "INSERT" if before is None else "REMOVE"
    shape = view.record.stream_view
    record: dict[str, Any] = {
        "eventName": name,
        "Keys": {key: some[key] for key in view.key_names},
        "SizeBytes": size,
    }
    if after is not None and shape in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES"):
        record["NewImage"] = after
    if before is not None and shape in ("OLD_IMAGE", "NEW_AND_OLD_IMAGES"):
        record["OldImage"] = before
    if by_service:
        record["userIdentity"] = SERVICE_IDENTITY
    content = orjson.dumps(record)
    if len(content) > PLAIN_BYTES_MAX:
        content = compress(content)
    return round(now * 1000).to_bytes(8, "big") + content
