"""One write of an item as planned: its condition, what it makes of the item, and what it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cumulet.kv.contract import Transaction
from cumulet.services.dynamodb.errors import (
    InvalidItem,
    ResourceNotFoundException,
    ValidationException,
)
from cumulet.services.dynamodb.expressions.acting import LegacyUpdate, Update
from cumulet.services.dynamodb.expressions.evaluating import Test
from cumulet.services.dynamodb.expressions.legacy import check_operator, read_expected, read_updates
from cumulet.services.dynamodb.expressions.substitutions import Substitutions, refuse_mixture
from cumulet.services.dynamodb.items.packing import pack_item, unpack_item
from cumulet.services.dynamodb.items.values import Item, Value, check_item
from cumulet.services.dynamodb.limits import ITEM_BYTES_MAX
from cumulet.services.dynamodb.store.items import Replaced, load_item, replace_item
from cumulet.services.dynamodb.tables.view import TableView
from cumulet.services.dynamodb.tables.views import NO_TABLE

_NOTHING: Mapping[str, Any] = {}


class ConditionFailed(Exception):
    """The condition of a write does not hold for the item that is there (None for no item)."""

    def __init__(self, old: Item | None) -> None:
        super().__init__()
        self.old = old


@dataclass(slots=True)
class Outcome:
    """What a write found and left; both None when nothing was or is there."""

    old: bytes | None
    new: Item | None
    replaced: Replaced


class Write:
    """A put, update, delete or check of one item. `keep` is what an update begins a new item as,
    `named` the key, or the whole item, that the request gives.
    """

    __slots__ = (
        *("keep", "named", "new", "packed", "primary"),
        *("test", "update", "values", "view"),
    )

    def __init__(
        self,
        view: TableView,
        test: Test | None = None,
        values: Mapping[str, Value] = _NOTHING,
    ) -> None:
        self.view = view
        self.primary = b""
        self.test = test
        self.values = values
        self.new: Item | None = None
        self.packed: bytes | None = None
        self.update: Update | LegacyUpdate | None = None
        self.keep: Item | None = None
        self.named: Item = {}

    async def check(self, tx: Transaction) -> tuple[bytes | None, Item | None]:
        """The item that is there. Raises ConditionFailed."""
        old = await load_item(tx, self.view, self.primary)
        if self.test is None:
            return old, None
        item = None if old is None else unpack_item(old)
        if not self.test(_NOTHING if item is None else item, self.values):
            raise ConditionFailed(item)
        return old, item

    async def carry_out(self, tx: Transaction, now: float, order: int = 0) -> Outcome:
        """Check and write. Raises ConditionFailed, ValidationException."""
        old, item = await self.check(tx)
        return await self.apply(tx, old, item, now, order)

    async def apply(
        self, tx: Transaction, old: bytes | None, item: Item | None, now: float, order: int = 0
    ) -> Outcome:
        """Write, after `check` gave `old` and `item`. Raises ValidationException."""
        if self.update is None:
            replaced = await replace_item(
                tx,
                self.view,
                self.primary,
                old,
                self.packed,
                now,
                old_item=item,
                new_item=self.new,
                order=order,
            )
            return Outcome(old, self.new, replaced)
        if old is None and not self.update.makes_items:
            return Outcome(None, None, Replaced(0, 0, ()))
        new, packed, item = self.made_of(old, item)
        replaced = await replace_item(
            tx,
            self.view,
            self.primary,
            old,
            packed,
            now,
            old_item=item,
            new_item=new,
            order=order,
        )
        return Outcome(old, new, replaced)

    def made_of(self, old: bytes | None, item: Item | None) -> tuple[Item, bytes, Item | None]:
        """What an update makes of an item. Raises ValidationException."""
        assert self.update is not None
        assert self.keep is not None
        if item is None and old is not None:
            item = unpack_item(old)
        new = self.update.apply(_NOTHING if item is None else item, self.keep, self.values)
        size = check_item(new)
        if size > ITEM_BYTES_MAX:
            raise ValidationException("Item size to update has exceeded the maximum allowed size")
        self.view.check_index_keys(new)
        return new, pack_item(new, size), item


def plan_put(view: TableView | None, request: Mapping[str, Any]) -> Write:
    """A PutItem. Raises ValidationException."""
    refuse_mixture(request)
    item: Item = request["Item"]
    substitutions = Substitutions(request, ("ConditionExpression",))
    size = checked_item(item)
    test = _plan_condition(request, substitutions)
    substitutions.finish()
    write = Write(required(view), test, substitutions.values)
    _set_item(write, item, size)
    return write


def plan_put_of(view: TableView, item: Item) -> Write:
    """A put without condition, as in a batch. Raises ValidationException."""
    write = Write(view)
    _set_item(write, item, checked_item(item))
    return write


def checked_item(item: Item) -> int:
    """The size of a new item. Raises ValidationException."""
    size = check_item(item)
    if size > ITEM_BYTES_MAX:
        raise InvalidItem("Item size has exceeded the maximum allowed size")
    return size


def _set_item(write: Write, item: Item, size: int) -> None:
    write.primary = write.view.check_item_key(item)
    write.view.check_index_keys(item)
    write.new = write.named = item
    write.packed = pack_item(item, size)


def plan_delete(view: TableView | None, request: Mapping[str, Any]) -> Write:
    """A DeleteItem. Raises ValidationException."""
    refuse_mixture(request)
    substitutions = Substitutions(request, ("ConditionExpression",))
    check_item(request["Key"])
    test = _plan_condition(request, substitutions)
    substitutions.finish()
    write = Write(required(view), test, substitutions.values)
    write.primary = write.view.check_key(request["Key"])
    write.named = request["Key"]
    return write


def plan_delete_of(view: TableView, key: Item) -> Write:
    """A delete without condition, as in a batch. Raises ValidationException."""
    write = Write(view)
    check_item(key)
    write.primary = view.check_key(key)
    write.named = key
    return write


def plan_update(view: TableView | None, request: Mapping[str, Any]) -> Write:
    """An UpdateItem. Raises ValidationException."""
    refuse_mixture(request)
    substitutions = Substitutions(request, ("UpdateExpression", "ConditionExpression"))
    check_item(request["Key"])
    text = request.get("UpdateExpression")
    update: Update | LegacyUpdate
    if text is not None:
        update = substitutions.update("UpdateExpression", text).update
    else:
        update = read_updates(request.get("AttributeUpdates") or {})
    test = _plan_condition(request, substitutions)
    substitutions.finish()
    write = Write(required(view), test, substitutions.values)
    write.primary = write.view.check_key(request["Key"])
    write.update = update
    write.keep = write.named = request["Key"]
    for path in update.paths:
        if path.parts[0] in write.view.key_names:
            raise ValidationException(
                "One or more parameter values were invalid: Cannot update attribute "
                f"{path.parts[0]}. This attribute is part of the key"
            )
    return write


def _plan_condition(request: Mapping[str, Any], substitutions: Substitutions) -> Test | None:
    text = request.get("ConditionExpression")
    if text is not None:
        return substitutions.condition("ConditionExpression", text).test
    check_operator(request, "Expected")
    expected = request.get("Expected")
    return read_expected(expected, request.get("ConditionalOperator")) if expected else None


def required(view: TableView | None) -> TableView:
    """The table, which is looked for once the request is known to be well formed."""
    if view is None or view.record.filling:
        raise ResourceNotFoundException(NO_TABLE)
    return view
