"""SELECT as searches of a table or index: one for each partition that it names, or a scan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.expressions.compiled import paths_of
from cumulet.services.dynamodb.expressions.evaluating import follow, make_test
from cumulet.services.dynamodb.expressions.key_conditions import KeyCondition, plan_key
from cumulet.services.dynamodb.expressions.projection import branches_of
from cumulet.services.dynamodb.expressions.tree import Both, Condition, Path
from cumulet.services.dynamodb.items.comparing import ordered_form
from cumulet.services.dynamodb.items.values import Item, Value
from cumulet.services.dynamodb.plans.partiql.binding import Bound, label_of
from cumulet.services.dynamodb.plans.partiql.keys import KeyUse, equal_keys, use_keys
from cumulet.services.dynamodb.plans.partiql.tree import Order, Select
from cumulet.services.dynamodb.plans.ranges import check_bounds, query_range, scan_range
from cumulet.services.dynamodb.plans.search import Search, find_index, make_search
from cumulet.services.dynamodb.plans.writes import required
from cumulet.services.dynamodb.tables.view import IndexView, TableView


@dataclass(slots=True)
class Reading:
    """A planned SELECT: its searches in order, and what of each item is shown."""

    searches: list[Search]
    paths: tuple[Path, ...] | None

    def show(self, item: Item) -> Item:
        """What of an item is answered."""
        assert self.paths is not None
        found: Item = {}
        for path in self.paths:
            value = follow(item.get(str(path.parts[0])), path.parts[1:])
            if value is not None:
                found[label_of(path)] = value
        return found


def plan_select(view: TableView | None, bound: Bound, *, consistent: bool, limit: int) -> Reading:
    """A SELECT. Raises ValidationException and ResourceNotFoundException."""
    body = bound.body
    assert isinstance(body, Select)
    table = required(view)
    request: dict[str, Any] = {"ConsistentRead": consistent, "Limit": limit}
    if body.source.index is not None:
        request["IndexName"] = body.source.index
    index = find_index(table, request)
    keys = table if index is None else index
    hashes, ranges = keys.hashes, keys.ranges
    names = [name for name, _ in hashes]
    use = use_keys(body.where, bound.values, names, [name for name, _ in ranges])
    reverse = _reverse(body.orders, use, names, [name for name, _ in ranges])
    if use is None:
        search = _make(table, index, body, request, body.where, bound)
        search.begin, search.end = scan_range(table, index, 0, 1)
        return Reading([search], body.paths)
    left = use.left[0] if len(use.left) == 1 else (Both(use.left) if use.left else None)
    searches = []
    for conditions in _sorted(use, body.orders, names):
        plan = plan_key(conditions, hashes, ranges)
        check_bounds(plan)
        search = _make(table, index, body, request, left, bound)
        search.begin, search.end = query_range(table, index, plan)
        search.reverse = reverse
        searches.append(search)
    return Reading(searches, body.paths)


def _make(
    table: TableView,
    index: IndexView | None,
    body: Select,
    request: dict[str, Any],
    condition: Condition | None,
    bound: Bound,
) -> Search:
    test = None if condition is None else make_test(condition)
    looked = (
        frozenset[str]()
        if condition is None
        else frozenset(str(path.parts[0]) for path in paths_of(condition))
    )
    projection = None
    if body.paths is not None:
        shown = frozenset(str(path.parts[0]) for path in body.paths)
        projection = (branches_of(Path((name,)) for name in shown), shown)
    search = make_search(table, index, request, (test, looked), projection)
    search.branches = None
    search.values = bound.values
    return search


def _reverse(
    orders: tuple[Order, ...], use: KeyUse | None, hashes: list[str], ranges: list[str]
) -> bool:
    """Whether items come from the end. Raises ValidationException."""
    if not orders:
        return False
    if use is None:
        raise ValidationException(
            "Must have at least one non-optional hash key condition in WHERE clause when using "
            "ORDER BY clause."
        )
    for order in orders:
        if order.name not in (*hashes, *ranges):
            raise ValidationException(
                f"Variable reference {order.name} in ORDER BY clause must be part of the primary "
                "key"
            )
    by_range = [order for order in orders if order.name in ranges]
    if len(use.partitions) > 1 and orders[0].name not in hashes:
        raise ValidationException(
            "ORDER BY of several partitions must begin with the partition key"
        )
    if [order.name for order in by_range] != ranges[: len(by_range)]:
        raise ValidationException("ORDER BY must name sort keys in the order of the key schema")
    if len({order.is_descending for order in by_range}) > 1:
        raise ValidationException("ORDER BY must have one direction for all sort keys")
    return bool(by_range) and by_range[0].is_descending


def _sorted(use: KeyUse, orders: tuple[Order, ...], hashes: list[str]) -> list[list[KeyCondition]]:
    if len(use.partitions) == 1 or not orders or orders[0].name not in hashes:
        return use.partitions

    def place(value: Value) -> tuple[str, Any]:
        ((kind, content),) = value.items()
        return kind, ordered_form(kind, content)

    return sorted(
        use.partitions,
        key=lambda one: place(one[0].values[0]),
        reverse=orders[0].is_descending,
    )


def plan_single(view: TableView | None, bound: Bound) -> tuple[TableView, bytes] | None:
    """The one item that a SELECT of a batch or transaction reads; None when it may be several.

    Raises ValidationException and ResourceNotFoundException.
    """
    body = bound.body
    assert isinstance(body, Select)
    table = required(view)
    if body.source.index is not None:
        return None
    found = equal_keys(body.where, bound.values, table.key_names)
    if found is None or found[1] or body.orders:
        return None
    return table, table.check_key(found[0])
