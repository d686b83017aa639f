"""Conditions made into functions of an item and the values of the placeholders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cumulet.services.dynamodb.expressions.tree import (
    Between,
    Both,
    Call,
    Compare,
    Condition,
    Either,
    Negation,
    Operand,
    Path,
    Sum,
    ValueRef,
    Within,
)
from cumulet.services.dynamodb.items.comparing import (
    begins_with,
    compare,
    contains,
    equal,
    size_of,
)
from cumulet.services.dynamodb.items.values import Value

Items = Mapping[str, Any]
Test = Callable[[Items, Items], bool]
"""Whether an item (empty when there is none) meets a condition, given the values."""

Read = Callable[[Items, Items], "Value | None"]


def make_test(condition: Condition) -> Test:
    """A condition as a function."""
    match condition:
        case Compare(operator, left, right):
            return _compare(operator, make_read(left), make_read(right))
        case Between(operand, low, high):
            return _between(make_read(operand), make_read(low), make_read(high))
        case Within(operand, options):
            return _within(make_read(operand), tuple(map(make_read, options)))
        case Both(conditions):
            tests = tuple(map(make_test, conditions))
            return lambda item, values: all(test(item, values) for test in tests)
        case Either(conditions):
            tests = tuple(map(make_test, conditions))
            return lambda item, values: any(test(item, values) for test in tests)
        case Negation(inner):
            test = make_test(inner)
            return lambda item, values: not test(item, values)
        case Call():
            return _call(condition)


def _compare(operator: str, left: Read, right: Read) -> Test:
    if operator == "=":
        return lambda item, values: equal(left(item, values), right(item, values))
    return lambda item, values: compare(operator, left(item, values), right(item, values))


def _between(operand: Read, low: Read, high: Read) -> Test:
    def test(item: Items, values: Items) -> bool:
        value = operand(item, values)
        return compare(">=", value, low(item, values)) and compare("<=", value, high(item, values))

    return test


def _within(operand: Read, options: tuple[Read, ...]) -> Test:
    def test(item: Items, values: Items) -> bool:
        value = operand(item, values)
        return any(equal(value, option(item, values)) for option in options)

    return test


def _call(call: Call) -> Test:
    reads = tuple(map(make_read, call.arguments))
    first = reads[0]
    match call.name:
        case "attribute_exists":
            return lambda item, values: first(item, values) is not None
        case "attribute_not_exists":
            return lambda item, values: first(item, values) is None
        case "begins_with":
            return lambda item, values: begins_with(first(item, values), reads[1](item, values))
        case "contains":
            return lambda item, values: contains(first(item, values), reads[1](item, values))
        case "attribute_type":
            return _has_type(first, reads[1])
    raise ValueError(f"{call.name} is not a condition")


def _has_type(operand: Read, kind: Read) -> Test:
    def test(item: Items, values: Items) -> bool:
        value, wanted = operand(item, values), kind(item, values)
        return value is not None and wanted is not None and wanted.get("S") in value

    return test


def make_read(operand: Operand) -> Read:
    """An operand as a function that gives its value, or None when there is none."""
    match operand:
        case Path(parts):
            return read_path(parts)
        case ValueRef(name):
            return lambda item, values: values[name]
        case Call("size", (inner,)):
            read = make_read(inner)
            return lambda item, values: size_of(read(item, values))
        case Call() | Sum():
            return lambda item, values: None


def read_path(parts: tuple[str | int, ...]) -> Read:
    """What lies at a document path, as a function."""
    first, rest = str(parts[0]), parts[1:]
    if not rest:
        return lambda item, values: item.get(first)
    return lambda item, values: follow(item.get(first), rest)


def follow(value: Value | None, parts: tuple[str | int, ...]) -> Value | None:
    """What lies at `parts` within a value."""
    for part in parts:
        if value is None:
            return None
        if type(part) is int:
            inside = value.get("L")
            value = inside[part] if inside is not None and part < len(inside) else None
        else:
            inside = value.get("M")
            value = None if inside is None else inside.get(part)
    return value
