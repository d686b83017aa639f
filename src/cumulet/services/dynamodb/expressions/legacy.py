"""The parameters before expressions: conditions, filters and updates as maps, as the same trees.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.expressions.acting import LegacyUpdate
from cumulet.services.dynamodb.expressions.evaluating import Test
from cumulet.services.dynamodb.items.comparing import begins_with, compare, contains, equal
from cumulet.services.dynamodb.items.values import Value, check_names, check_value, kind_of

_INVALID = "One or more parameter values were invalid: "
_COMPARATORS = {"EQ": "=", "NE": "<>", "LT": "<", "LE": "<=", "GT": ">", "GE": ">="}
_COUNTS: dict[str, tuple[int, int]] = {
    "EQ": (1, 1),
    "NE": (1, 1),
    "LT": (1, 1),
    "LE": (1, 1),
    "GT": (1, 1),
    "GE": (1, 1),
    "CONTAINS": (1, 1),
    "NOT_CONTAINS": (1, 1),
    "BEGINS_WITH": (1, 1),
    "BETWEEN": (2, 2),
    "IN": (1, 1_000),
    "NULL": (0, 0),
    "NOT_NULL": (0, 0),
}
_SCALARS = frozenset("SNB")
_KINDS_FOR = {
    "LT": _SCALARS,
    "LE": _SCALARS,
    "GT": _SCALARS,
    "GE": _SCALARS,
    "BETWEEN": _SCALARS,
    "IN": _SCALARS,
    "BEGINS_WITH": frozenset("SB"),
    "CONTAINS": frozenset(("S", "N", "B", "BOOL", "NULL")),
    "NOT_CONTAINS": frozenset(("S", "N", "B", "BOOL", "NULL")),
}


def check_arguments(operator: str, values: list[Value]) -> None:
    """Number and datatypes of a comparison's arguments. Raises ValidationException."""
    low, high = _COUNTS[operator]
    if not low <= len(values) <= high:
        raise ValidationException(
            f"{_INVALID}Invalid number of argument(s) for the {operator} ComparisonOperator"
        )
    for value in values:
        check_value(value)
    kinds = _KINDS_FOR.get(operator)
    for value in values:
        kind = kind_of(value)
        if kinds is not None and kind not in kinds:
            raise ValidationException(
                f"{_INVALID}ComparisonOperator {operator} is not valid for {kind} "
                "AttributeValue type"
            )
    if operator == "IN" and len({kind_of(value) for value in values}) > 1:
        raise ValidationException(
            f"{_INVALID}AttributeValues inside AttributeValueList must all be of the same type"
        )
    if operator == "BETWEEN":
        if kind_of(values[0]) != kind_of(values[1]):
            raise ValidationException(
                f"{_INVALID}AttributeValues inside AttributeValueList must be of same type"
            )
        if compare(">", values[0], values[1]):
            raise ValidationException(
                "The BETWEEN condition was provided a range where the lower bound is greater than "
                "the upper bound"
            )


def _one(operator: str, values: list[Value]) -> Callable[[Value | None], bool]:
    """A comparison of an attribute's value, or of its absence."""
    if operator in _COMPARATORS:
        sign, other = _COMPARATORS[operator], values[0]
        return lambda value: compare(sign, value, other)
    match operator:
        case "NULL":
            return lambda value: value is None
        case "NOT_NULL":
            return lambda value: value is not None
        case "CONTAINS":
            return lambda value: contains(value, values[0])
        case "NOT_CONTAINS":
            return lambda value: value is not None and not contains(value, values[0])
        case "BEGINS_WITH":
            return lambda value: begins_with(value, values[0])
        case "IN":
            return lambda value: any(equal(value, one) for one in values)
    low, high = values
    return lambda value: compare(">=", value, low) and compare("<=", value, high)


def _all_or_any(
    tests: list[tuple[str, Callable[[Value | None], bool]]], operator: str | None
) -> Test:
    if operator == "OR":
        return lambda item, values: any(test(item.get(name)) for name, test in tests)
    return lambda item, values: all(test(item.get(name)) for name, test in tests)


def check_operator(request: Mapping[str, Any], parameter: str) -> None:
    """`ConditionalOperator` has a use only with conditions. Raises ValidationException."""
    if request.get("ConditionalOperator") is None:
        return
    conditions = request.get(parameter)
    if conditions is None:
        raise ValidationException(
            f"{_INVALID}ConditionalOperator cannot be used without Filter or Expected"
        )
    if len(conditions) < 2:
        raise ValidationException(
            f"{_INVALID}ConditionalOperator can only be used when Filter or Expected has two or "
            "more elements"
        )


def read_filter(conditions: Mapping[str, Any], operator: str | None) -> Test:
    """`QueryFilter` or `ScanFilter`. Raises ValidationException."""
    tests = []
    for name, condition in conditions.items():
        values = condition.get("AttributeValueList") or []
        check_arguments(condition["ComparisonOperator"], values)
        tests.append((name, _one(condition["ComparisonOperator"], values)))
    return _all_or_any(tests, operator)


def read_expected(expected: Mapping[str, Any], operator: str | None) -> Test:
    """`Expected`. Raises ValidationException."""
    return _all_or_any(
        [(name, _expectation(name, one)) for name, one in expected.items()], operator
    )


def _expectation(name: str, one: Mapping[str, Any]) -> Callable[[Value | None], bool]:
    operator, exists = one.get("ComparisonOperator"), one.get("Exists")
    value, listed = one.get("Value"), one.get("AttributeValueList")
    if operator is not None:
        if exists is not None:
            raise _together("Exists and ComparisonOperator", name)
        if value is not None and listed is not None:
            raise _together("Value and AttributeValueList", name)
        values = [value] if value is not None else listed or []
        check_arguments(operator, values)
        return _one(operator, values)
    if listed is not None:
        raise ValidationException(
            f"{_INVALID}AttributeValueList can only be used with a ComparisonOperator for "
            f"Attribute: {name}"
        )
    if exists is False:
        if value is not None:
            raise ValidationException(
                f"{_INVALID}Value cannot be used when Exists is false for Attribute: {name}"
            )
        return _one("NULL", [])
    if value is None:
        told = "null" if exists is None else "true"
        raise ValidationException(
            f"{_INVALID}Value must be provided when Exists is {told} for Attribute: {name}"
        )
    check_value(value)
    return _one("EQ", [value])


def _together(parts: str, name: str) -> ValidationException:
    return ValidationException(f"{_INVALID}{parts} cannot be used together for Attribute: {name}")


def read_updates(updates: Mapping[str, Any]) -> LegacyUpdate:
    """`AttributeUpdates`. Raises ValidationException."""
    check_names(updates)
    changes: dict[str, tuple[str, Value | None]] = {}
    for name, one in updates.items():
        action, value = one.get("Action") or "PUT", one.get("Value")
        if value is None:
            if action != "DELETE":
                raise ValidationException(
                    f"{_INVALID}Only DELETE action is allowed when no attribute value is specified"
                )
        else:
            check_value(value)
            kind = kind_of(value)
            if action == "DELETE" and kind not in ("SS", "NS", "BS"):
                raise ValidationException(
                    f"{_INVALID}DELETE action with value is not supported for the type {kind}"
                )
            if action == "ADD" and kind not in ("N", "SS", "NS", "BS", "L"):
                raise ValidationException(
                    f"{_INVALID}ADD action is not supported for the type {kind}"
                )
        changes[name] = (action, value)
    return LegacyUpdate(changes)
