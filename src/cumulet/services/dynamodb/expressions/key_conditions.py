"""Which items a query asks for: its conditions on the key, from either kind of parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.expressions.legacy import check_arguments
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
    ValueRef,
    Within,
)
from cumulet.services.dynamodb.items.values import Value, kind_of
from cumulet.services.dynamodb.limits import EXPRESSIONS_KEPT_MAX

_IN = "Invalid operator used in KeyConditionExpression: "
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}
_LEGACY = {
    "EQ": "=",
    "LT": "<",
    "LE": "<=",
    "GT": ">",
    "GE": ">=",
    "BETWEEN": "between",
    "BEGINS_WITH": "begins_with",
}


class KeyCondition(NamedTuple):
    """One condition on a key attribute: `=`, an order, `between` or `begins_with`."""

    name: str
    operator: str
    values: tuple[Value, ...]


def read_key_expression(tree: Condition, values: Mapping[str, Value]) -> list[KeyCondition]:
    """The conditions of a KeyConditionExpression. Raises ValidationException."""
    return [
        KeyCondition(name, operator, tuple([values[ref] for ref in refs]))
        for name, operator, refs in _read_tree(tree)
    ]


_Part = tuple[str, str, tuple[str, ...]]
"""A key attribute's name, an operator, and the placeholders of its values."""


@lru_cache(EXPRESSIONS_KEPT_MAX)
def _read_tree(tree: Condition) -> tuple[_Part, ...]:
    found: list[_Part] = []
    waiting: list[Condition] = [tree]
    while waiting:
        one = waiting.pop(0)
        match one:
            case Both(conditions):
                waiting = [*conditions, *waiting]
            case Either():
                raise ValidationException(f"{_IN}OR")
            case Negation():
                raise ValidationException(f"{_IN}NOT")
            case Within():
                raise ValidationException(f"{_IN}IN")
            case _:
                found.append(_condition(one))
    if len({name for name, _, _ in found}) != len(found):
        raise ValidationException("KeyConditionExpressions must only contain one condition per key")
    return tuple(found)


def _condition(one: Condition) -> _Part:
    match one:
        case Compare(operator, left, right):
            if operator == "<>":
                raise ValidationException(f"{_IN}<>")
            if isinstance(right, Path) and not isinstance(left, Path):
                left, right, operator = right, left, _FLIPPED[operator]
            return (_name([left, right]), operator, (_value(right),))
        case Between(operand, low, high):
            name = _name([operand, low, high])
            return (name, "between", (_value(low), _value(high)))
        case Call("begins_with", (first, second)):
            name = _name([first, second])
            return (name, "begins_with", (_value(second),))
        case Call(name):
            raise ValidationException(f"{_IN}{name}")
    raise ValueError("a condition that no tree has")


def _name(operands: Sequence[Operand]) -> str:
    if any(isinstance(operand, Call) for operand in operands):
        raise ValidationException("KeyConditionExpressions cannot contain nested operations")
    paths = [operand for operand in operands if isinstance(operand, Path)]
    if not paths:
        raise ValidationException(
            "Invalid condition in KeyConditionExpression: No key attribute specified"
        )
    if len(paths) > 1:
        raise ValidationException(
            "Invalid condition in KeyConditionExpression: Multiple attribute names used in one "
            "condition"
        )
    if operands[0] is not paths[0]:
        raise ValidationException("Query key condition not supported")
    if len(paths[0].parts) > 1:
        raise ValidationException(
            "KeyConditionExpressions cannot have conditions on nested attributes"
        )
    return str(paths[0].parts[0])


def _value(operand: Operand) -> str:
    assert isinstance(operand, ValueRef)
    return operand.name


def read_legacy_conditions(conditions: Mapping[str, Any]) -> list[KeyCondition]:
    """The conditions of `KeyConditions`. Raises ValidationException."""
    found = []
    for name, condition in conditions.items():
        operator = condition["ComparisonOperator"]
        listed = condition.get("AttributeValueList") or []
        check_arguments(operator, listed)
        if operator not in _LEGACY:
            raise ValidationException(
                f"Attempted conditional constraint is not an indexable operation: {operator}"
            )
        found.append(KeyCondition(name, _LEGACY[operator], tuple(listed)))
    return found


class KeyPlan(NamedTuple):
    """The partition that a query reads, and what it asks of the sort key.

    `equal` are the values of the sort key's first attributes; `last` is the condition on the next.
    """

    partition: tuple[Value, ...]
    equal: tuple[Value, ...]
    last: KeyCondition | None


Schema = Sequence[tuple[str, str]]
"""Names and datatypes of key attributes."""


def plan_key(conditions: list[KeyCondition], hashes: Schema, ranges: Schema) -> KeyPlan:
    """Match the conditions with a key schema. Raises ValidationException."""
    by_name = {condition.name: condition for condition in conditions}
    if len(hashes) > 1 or len(ranges) > 1:
        _check_several(by_name, hashes, ranges)
    if len(conditions) > 2 and len(hashes) + len(ranges) <= 2:
        raise ValidationException("Conditions can be of length 1 or 2 only")
    partition = []
    for name, kind in hashes:
        condition = by_name.pop(name, None)
        if condition is None:
            raise ValidationException(f"Query condition missed key schema element: {name}")
        _check_kinds(condition, kind)
        if condition.operator != "=":
            raise ValidationException("Query key condition not supported")
        partition.append(condition.values[0])
    equal: list[Value] = []
    last: KeyCondition | None = None
    for name, kind in ranges:
        condition = by_name.pop(name, None)
        if condition is None:
            break
        _check_kinds(condition, kind)
        if condition.operator != "=":
            last = condition
            break
        equal.append(condition.values[0])
    if by_name:
        missed = ranges[len(equal)][0] if len(ranges) > len(equal) else next(iter(by_name))
        if last is not None or not ranges:
            raise ValidationException("Query key condition not supported")
        raise ValidationException(f"Query condition missed key schema element: {missed}")
    return KeyPlan(tuple(partition), tuple(equal), last)


def _check_several(by_name: Mapping[str, KeyCondition], hashes: Schema, ranges: Schema) -> None:
    """What holds for keys of several attributes. Raises ValidationException."""
    for name, _ in hashes:
        condition = by_name.get(name)
        if condition is None or condition.operator != "=":
            raise ValidationException(
                "Query key condition not supported: all HASH key attributes need an equality "
                f"condition: {name}"
            )
    is_over = False
    for name, _ in ranges:
        condition = by_name.get(name)
        if condition is not None and is_over:
            raise ValidationException(
                "Query key condition not supported: RANGE key attributes must be given from the "
                f"left, and all but the last with an equality condition: {name}"
            )
        is_over = is_over or condition is None or condition.operator != "="


def _check_kinds(condition: KeyCondition, kind: str) -> None:
    if condition.operator == "begins_with" and kind == "N":
        raise ValidationException(
            "One or more parameter values were invalid: ComparisonOperator BEGINS_WITH is not "
            "valid for N AttributeValue type"
        )
    for value in condition.values:
        if kind_of(value) != kind:
            raise ValidationException(
                "One or more parameter values were invalid: Condition parameter type does not "
                "match schema type"
            )
        if value.get(kind) == "":
            raise ValidationException(
                "One or more parameter values are not valid. The AttributeValue for a key "
                f"attribute cannot contain an empty {'string' if kind == 'S' else 'binary'} value. "
                f"Key: {condition.name}"
            )
