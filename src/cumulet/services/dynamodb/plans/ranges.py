"""Where in the store a query or scan reads: from which key to which, and from where it goes on."""

from __future__ import annotations

from collections.abc import Mapping

from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.expressions.key_conditions import KeyCondition, KeyPlan
from cumulet.services.dynamodb.items.keys import (
    PARTITION_BYTES,
    after_start,
    inner_bytes,
    partition_bytes,
    sort_bytes,
    start_bytes,
)
from cumulet.services.dynamodb.items.values import Item, Value, check_item
from cumulet.services.dynamodb.tables.view import IndexView, TableView

_BAD_START = "The provided starting key is invalid"


def _behind(raw: bytes) -> bytes:
    end = after_start(raw)
    assert end is not None, "every key begins with a readable prefix"
    return end


def query_range(view: TableView, index: IndexView | None, plan: KeyPlan) -> tuple[bytes, bytes]:
    """Begin and end of what a query's key conditions allow."""
    base = view.base if index is None else index.base
    prefix = base + partition_bytes(plan.partition)
    if index is None:
        return _table_range(prefix, plan)
    for value in plan.equal:
        prefix += inner_bytes(value)
    if plan.last is None:
        return prefix, _behind(prefix)
    return _index_range(prefix, plan.last)


def _table_range(prefix: bytes, plan: KeyPlan) -> tuple[bytes, bytes]:
    """The sort key is the end of a table's keys, so it needs no mark of its own end."""
    if plan.equal:
        at = prefix + sort_bytes(plan.equal[0])
        return at, at + b"\0"
    if plan.last is None:
        return prefix, _behind(prefix)
    first = prefix + sort_bytes(plan.last.values[0])
    match plan.last.operator:
        case "<":
            return prefix, first
        case "<=":
            return prefix, first + b"\0"
        case ">":
            return first + b"\0", _behind(prefix)
        case ">=":
            return first, _behind(prefix)
        case "begins_with":
            return first, _behind(first)
    return first, prefix + sort_bytes(plan.last.values[1]) + b"\0"


def _index_range(prefix: bytes, condition: KeyCondition) -> tuple[bytes, bytes]:
    first = prefix + inner_bytes(condition.values[0])
    match condition.operator:
        case "<":
            return prefix, first
        case "<=":
            return prefix, _behind(first)
        case ">":
            return _behind(first), _behind(prefix)
        case ">=":
            return first, _behind(prefix)
        case "begins_with":
            start = prefix + start_bytes(condition.values[0])
            return start, _behind(start)
    return first, _behind(prefix + inner_bytes(condition.values[1]))


def check_bounds(plan: KeyPlan) -> None:
    """A range between two values must not be upside down. Raises ValidationException."""
    last = plan.last
    if last is not None and last.operator == "between":
        low, high = last.values
        if sort_bytes(low) > sort_bytes(high):
            raise ValidationException(
                "Invalid KeyConditionExpression: The BETWEEN operator requires upper bound to be "
                "greater than or equal to lower bound; lower bound operand: AttributeValue: "
                f"{_told(low)}, upper bound operand: AttributeValue: {_told(high)}"
            )


def _told(value: Value) -> str:
    ((kind, content),) = value.items()
    return f"{{{kind}:{content}}}"


def scan_range(
    view: TableView, index: IndexView | None, segment: int, segments: int
) -> tuple[bytes, bytes]:
    """Begin and end of one of several segments of a table or index."""
    base = view.base if index is None else index.base
    whole = 1 << (8 * PARTITION_BYTES)
    begin = (segment * whole // segments).to_bytes(PARTITION_BYTES, "big")
    if segment + 1 == segments:
        return base + begin, _behind(base)
    return base + begin, base + ((segment + 1) * whole // segments).to_bytes(PARTITION_BYTES, "big")


def start_key(view: TableView, index: IndexView | None, given: Item) -> bytes:
    """The place of an ExclusiveStartKey. Raises ValidationException."""
    try:
        check_item(given)
    except ValidationException as error:
        raise ValidationException(f"{_BAD_START}: {error.message}") from None
    wanted = dict((view.hash, *view.ranges))
    if index is not None:
        wanted |= dict((*index.hashes, *index.ranges))
    if given.keys() != wanted.keys() or any(kind not in given[n] for n, kind in wanted.items()):
        if index is None:
            raise ValidationException(
                f"{_BAD_START}: The provided key element does not match the schema"
            )
        raise ValidationException(_BAD_START)
    primary = view.primary_of(given)
    if index is None:
        return view.base + primary
    found = index.entry_key(given, primary)
    assert found is not None
    return found


def last_key(view: TableView, index: IndexView | None, item: Mapping[str, Value]) -> Item:
    """The LastEvaluatedKey that an item makes."""
    names = view.key_names if index is None else index.names
    return {name: item[name] for name in names}
