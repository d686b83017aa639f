"""INSERT, UPDATE, DELETE and EXISTS as the writes and checks of one item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.expressions.acting import Update
from cumulet.services.dynamodb.expressions.evaluating import Test, make_test
from cumulet.services.dynamodb.expressions.reading import find_overlap
from cumulet.services.dynamodb.expressions.tree import Both, Condition
from cumulet.services.dynamodb.items.values import Item
from cumulet.services.dynamodb.plans.partiql.binding import Bound
from cumulet.services.dynamodb.plans.partiql.keys import equal_keys
from cumulet.services.dynamodb.plans.partiql.tree import Change, Delete, Insert, Select
from cumulet.services.dynamodb.plans.writes import Write, plan_put_of, required
from cumulet.services.dynamodb.tables.view import TableView

_NO_KEY = "Where clause does not contain a mandatory equality on all key attributes"
NO_CHECK = "EXISTS() must contain a single item read with additional condition"


def plan_write(view: TableView | None, bound: Bound) -> tuple[Write, Item]:
    """What a statement other than a SELECT does to one item, and the item's key.

    Raises ValidationException and ResourceNotFoundException.
    """
    body = bound.body
    if isinstance(body, Insert):
        assert bound.item is not None
        table = required(view)
        write = plan_put_of(table, bound.item)
        write.test = _is_absent
        return write, {name: bound.item[name] for name in table.key_names}
    if body.source.index is not None:
        raise ValidationException(f"An index cannot be written: {body.source.index}")
    table = required(view)
    if isinstance(body, Select):
        return _plan_check(table, body, bound)
    key, left = _key_of(table, body.where, bound)
    test = _test_of(left)
    write = Write(table, None, bound.values)
    write.primary = table.check_key(key)
    write.named = key
    if isinstance(body, Delete):
        write.test = None if test is None else _if_present(test)
        return write, key
    assert isinstance(body, Change)
    for action in body.actions:
        if action.path.parts[0] in table.key_names:
            raise ValidationException(
                "One or more parameter values were invalid: Cannot update attribute "
                f"{action.path.parts[0]}. This attribute is part of the key"
            )
    overlap = find_overlap([action.path for action in body.actions])
    if overlap is not None:
        raise ValidationException(overlap)
    write.test = _only_present(test)
    write.update = Update(body.actions)
    write.keep = key
    return write, key


def _plan_check(table: TableView, body: Select, bound: Bound) -> tuple[Write, Item]:
    found = equal_keys(body.where, bound.values, table.key_names)
    test = None if found is None else _test_of(found[1])
    if found is None or test is None or body.orders:
        raise ValidationException(NO_CHECK)
    write = Write(table, _only_present(test), bound.values)
    write.primary = table.check_key(found[0])
    write.named = found[0]
    return write, found[0]


def _key_of(
    table: TableView, where: Condition | None, bound: Bound
) -> tuple[Item, tuple[Condition, ...]]:
    found = equal_keys(where, bound.values, table.key_names)
    if found is None:
        raise ValidationException(_NO_KEY)
    return found


def _test_of(conditions: tuple[Condition, ...]) -> Test | None:
    if not conditions:
        return None
    return make_test(conditions[0] if len(conditions) == 1 else Both(conditions))


def _is_absent(item: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    return not item


def _if_present(test: Test) -> Test:
    """A removal of nothing succeeds whatever its condition."""
    return lambda item, values: not item or test(item, values)


def _only_present(test: Test | None) -> Test:
    """There must be an item: statements never make one but by INSERT."""
    if test is None:
        return lambda item, values: bool(item)
    known = test
    return lambda item, values: bool(item) and known(item, values)
