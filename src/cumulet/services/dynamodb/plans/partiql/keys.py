"""What a WHERE clause says of keys: which partitions, which part of them, and what is left over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cumulet.services.dynamodb.expressions.key_conditions import KeyCondition
from cumulet.services.dynamodb.expressions.tree import (
    Between,
    Both,
    Call,
    Compare,
    Condition,
    Either,
    Operand,
    Path,
    ValueRef,
    Within,
)
from cumulet.services.dynamodb.items.values import Value

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}


class KeyUse(NamedTuple):
    """The conditions on key attributes, one list for each partition, and the conditions left."""

    partitions: list[list[KeyCondition]]
    left: tuple[Condition, ...]


def conjuncts(where: Condition | None) -> list[Condition]:
    """The conditions that all must hold."""
    if where is None:
        return []
    if isinstance(where, Both):
        return [part for one in where.conditions for part in conjuncts(one)]
    return [where]


def use_keys(
    where: Condition | None,
    values: Mapping[str, Value],
    hashes: Sequence[str],
    ranges: Sequence[str],
) -> KeyUse | None:
    """How a read can use a key; None when it must look at everything."""
    left = conjuncts(where)
    found: list[list[KeyCondition]] = [[]]
    for name in hashes:
        place, options = _find_options(left, name, values)
        if place is None or (len(options) > 1 and len(hashes) > 1):
            return None
        del left[place]
        found = [[*one, KeyCondition(name, "=", (value,))] for one in found for value in options]
    for name in ranges:
        condition = _take_condition(left, name, values)
        if condition is None:
            break
        found = [[*one, condition] for one in found]
        if condition.operator != "=":
            break
    return KeyUse(found, tuple(left))


def equal_keys(
    where: Condition | None, values: Mapping[str, Value], names: Sequence[str]
) -> tuple[dict[str, Value], tuple[Condition, ...]] | None:
    """The whole key that a WHERE clause names, and its other conditions; None without one."""
    left = conjuncts(where)
    key: dict[str, Value] = {}
    for name in names:
        for place, one in enumerate(left):
            condition = _condition_on(one, name, values)
            if condition is not None and condition.operator == "=":
                key[name] = condition.values[0]
                del left[place]
                break
        else:
            return None
    return key, tuple(left)


def _find_options(
    left: list[Condition], name: str, values: Mapping[str, Value]
) -> tuple[int | None, list[Value]]:
    for place, one in enumerate(left):
        options = _options(one, name, values)
        if options:
            return place, options
    return None, []


def _options(one: Condition, name: str, values: Mapping[str, Value]) -> list[Value]:
    """The values that a condition leaves an attribute; none when it is not of that kind."""
    match one:
        case Compare("="):
            condition = _condition_on(one, name, values)
            return [] if condition is None else [condition.values[0]]
        case Within(operand, options) if _is_named(operand, name):
            refs = [option.name for option in options if isinstance(option, ValueRef)]
            if len(refs) != len(options):
                return []
            return _distinct([values[ref] for ref in refs])
        case Either(conditions):
            each = [_options(condition, name, values) for condition in conditions]
            if not all(each):
                return []
            return _distinct([value for options in each for value in options])
    return []


def _distinct(found: list[Value]) -> list[Value]:
    seen: list[Value] = []
    for value in found:
        if value not in seen:
            seen.append(value)
    return seen


def _is_named(operand: Operand, name: str) -> bool:
    return isinstance(operand, Path) and operand.parts == (name,)


def _take_condition(
    left: list[Condition], name: str, values: Mapping[str, Value]
) -> KeyCondition | None:
    for place, one in enumerate(left):
        condition = _condition_on(one, name, values)
        if condition is not None:
            del left[place]
            return condition
    return None


def _condition_on(one: Condition, name: str, values: Mapping[str, Value]) -> KeyCondition | None:
    """A condition as one on a key attribute, if it is."""
    match one:
        case Compare(operator, left, right) if operator != "<>":
            if isinstance(left, ValueRef):
                left, right, operator = right, left, _FLIPPED[operator]
            if _is_named(left, name) and isinstance(right, ValueRef):
                return KeyCondition(name, operator, (values[right.name],))
        case Between(operand, ValueRef(low), ValueRef(high)) if _is_named(operand, name):
            return KeyCondition(name, "between", (values[low], values[high]))
        case Call("begins_with", (operand, ValueRef(start))) if _is_named(operand, name):
            return KeyCondition(name, "begins_with", (values[start],))
    return None
