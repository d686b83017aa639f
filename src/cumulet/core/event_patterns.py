"""Event patterns: which JSON events match, as EventBridge rules and event source filters ask it.

Follows https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
Pure; a pattern is compiled once and asked often.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

Test = Callable[[Any], bool]
"""Says whether an event, or a value in it, matches."""

PATTERN_CHARACTERS_MAX = 4_096
_OR_COMBINATIONS_MAX = 1_000
_NUMBER_MAX = 5_000_000_000.0
_ABSENT = object()


class InvalidPattern(ValueError):
    """The text is no pattern; the message says why."""


def compile_pattern(text: str) -> Test:
    """The test of a pattern in JSON. Raises InvalidPattern."""
    if len(text) > PATTERN_CHARACTERS_MAX:
        raise InvalidPattern(f"the pattern is longer than {PATTERN_CHARACTERS_MAX} characters")
    try:
        pattern = json.loads(text)
    except ValueError as cause:
        raise InvalidPattern("the pattern is not valid JSON") from cause
    if not isinstance(pattern, dict):
        raise InvalidPattern("Filter is not an object")
    if _combinations(pattern) > _OR_COMBINATIONS_MAX:
        raise InvalidPattern(f"$or makes more than {_OR_COMBINATIONS_MAX} combinations")
    return _object(pattern)


def _combinations(pattern: Mapping[str, Any]) -> int:
    count = 1
    for name, value in pattern.items():
        if name == "$or" and isinstance(value, list):
            count *= sum(_combinations(one) for one in value if isinstance(one, dict))
        elif isinstance(value, dict):
            count *= _combinations(value)
        if count > _OR_COMBINATIONS_MAX:
            break
    return count


def _object(pattern: Mapping[str, Any]) -> Test:
    if not pattern:
        raise InvalidPattern("Empty objects are not allowed")
    tests: list[tuple[str, Test]] = []
    choices: list[list[Test]] = []
    for name, value in pattern.items():
        if name == "$or" and isinstance(value, list):
            choices.append(_choices(value))
        elif isinstance(value, dict):
            tests.append((name, _nested(_object(value), _wants_absence(value))))
        elif isinstance(value, list):
            tests.append((name, _field(value)))
        else:
            raise InvalidPattern(f'"{name}" must be an object or an array')

    def matches(event: Any) -> bool:
        if not isinstance(event, dict):
            return False
        for name, test in tests:
            if not test(event.get(name, _ABSENT)):
                return False
        return all(any(test(event) for test in some) for some in choices)

    return matches


def _choices(value: list[Any]) -> list[Test]:
    if len(value) < 2 or not all(isinstance(one, dict) for one in value):
        raise InvalidPattern("$or must have two objects or more")
    return [_object(one) for one in value]


def _nested(test: Test, wants_absence: bool) -> Test:
    """A nested object; what is not there matches only where all that is asked for is absence."""

    def matches(value: Any) -> bool:
        if isinstance(value, list):
            return any(test(one) for one in value)
        if value is _ABSENT or not isinstance(value, dict):
            return wants_absence and test({})
        return test(value)

    return matches


def _wants_absence(pattern: Mapping[str, Any]) -> bool:
    return all(
        value == [{"exists": False}] or (isinstance(value, dict) and _wants_absence(value))
        for value in pattern.values()
    )


def _field(alternatives: list[Any]) -> Test:
    """A list of alternatives: one of them must match the value, or one of a list of values."""
    if not alternatives:
        raise InvalidPattern("Empty arrays are not allowed")
    plain = [one for one in alternatives if not isinstance(one, dict)]
    if any(isinstance(one, list) for one in plain):
        raise InvalidPattern("Arrays may not hold arrays")
    tests = [_operator(one) for one in alternatives if isinstance(one, dict)]
    wants_absence = {"exists": False} in alternatives

    def one_matches(value: Any) -> bool:
        return any(_equal(value, one) for one in plain) or any(test(value) for test in tests)

    def matches(value: Any) -> bool:
        if value is _ABSENT:
            return wants_absence
        if isinstance(value, dict):
            # An object is there, which is all that can be asked of it.
            return {"exists": True} in alternatives
        if isinstance(value, list):
            return any(one_matches(one) for one in value)
        return one_matches(value)

    return matches


def _equal(value: Any, wanted: Any) -> bool:
    if isinstance(value, bool) or isinstance(wanted, bool) or value is None or wanted is None:
        return value is wanted
    if isinstance(value, str) or isinstance(wanted, str):
        return type(value) is type(wanted) and bool(value == wanted)
    return bool(value == wanted)


def _operator(given: Mapping[str, Any]) -> Test:
    if len(given) != 1:
        raise InvalidPattern("an operator is an object with one member")
    [(name, operand)] = given.items()
    make = _OPERATORS.get(name)
    if make is None:
        raise InvalidPattern(f"Unrecognized match type {name}")
    return make(operand)


def _text_operand(operand: Any, operator: str) -> str:
    if not isinstance(operand, str):
        raise InvalidPattern(f"{operator} match pattern must be a string")
    return operand


def _prefix(operand: Any) -> Test:
    if isinstance(operand, dict) and set(operand) == {"equals-ignore-case"}:
        folded = _text_operand(operand["equals-ignore-case"], "prefix").lower()
        return lambda value: isinstance(value, str) and value.lower().startswith(folded)
    text = _text_operand(operand, "prefix")
    return lambda value: isinstance(value, str) and value.startswith(text)


def _suffix(operand: Any) -> Test:
    if isinstance(operand, dict) and set(operand) == {"equals-ignore-case"}:
        folded = _text_operand(operand["equals-ignore-case"], "suffix").lower()
        return lambda value: isinstance(value, str) and value.lower().endswith(folded)
    text = _text_operand(operand, "suffix")
    return lambda value: isinstance(value, str) and value.endswith(text)


def _ignoring_case(operand: Any) -> Test:
    folded = _text_operand(operand, "equals-ignore-case").lower()
    return lambda value: isinstance(value, str) and value.lower() == folded


def _wildcard(operand: Any) -> Test:
    """`*` stands for any characters, `\\*` for itself. Matched part by part: no backtracking."""
    text = _text_operand(operand, "wildcard")
    if "**" in text:
        raise InvalidPattern("Consecutive wildcard characters are not allowed")
    parts = [re.sub(r"\\(.)", r"\1", part) for part in re.split(r"(?<!\\)\*", text)]

    def matches(value: Any) -> bool:
        if not isinstance(value, str):
            return False
        if len(parts) == 1:
            return value == parts[0]
        if not value.startswith(parts[0]):
            return False
        at = len(parts[0])
        for part in parts[1:-1]:
            found = value.find(part, at)
            if found < 0:
                return False
            at = found + len(part)
        return len(value) - at >= len(parts[-1]) and value.endswith(parts[-1])

    return matches


def _cidr(operand: Any) -> Test:
    try:
        network = ipaddress.ip_network(_text_operand(operand, "cidr"), strict=False)
    except ValueError as cause:
        raise InvalidPattern("Malformed CIDR") from cause

    def matches(value: Any) -> bool:
        try:
            return isinstance(value, str) and ipaddress.ip_address(value) in network
        except ValueError:
            return False

    return matches


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
    "=": lambda value, bound: value == bound,
}


def _numeric(operand: Any) -> Test:
    if not isinstance(operand, list) or len(operand) not in (2, 4):
        raise InvalidPattern("Value of numeric must be an array of one or two comparisons")
    bounds: list[tuple[Callable[[float, float], bool], float]] = []
    for sign, bound in zip(operand[::2], operand[1::2], strict=True):
        if not isinstance(sign, str) or sign not in _COMPARISONS:
            raise InvalidPattern(f"Unrecognized numeric range operator: {sign}")
        if isinstance(bound, bool) or not isinstance(bound, int | float):
            raise InvalidPattern(f"Value of {sign} must be numeric")
        if abs(bound) > _NUMBER_MAX:
            raise InvalidPattern("Value must be between -5.0e9 and +5.0e9, inclusive")
        bounds.append((_COMPARISONS[sign], float(bound)))

    def matches(value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return all(compare(value, bound) for compare, bound in bounds)

    return matches


def _exists(operand: Any) -> Test:
    if not isinstance(operand, bool):
        raise InvalidPattern("exists match pattern must be either true or false.")
    return lambda value: operand


_NEGATED = ("prefix", "suffix", "equals-ignore-case", "wildcard")


def _anything_but(operand: Any) -> Test:
    if isinstance(operand, dict):
        if len(operand) != 1 or (name := next(iter(operand))) not in _NEGATED:
            raise InvalidPattern("Unsupported anything-but pattern")
        inner = operand[name]
        tests = [_OPERATORS[name](one) for one in (inner if isinstance(inner, list) else [inner])]
        return lambda value: not any(test(value) for test in tests)
    values = operand if isinstance(operand, list) else [operand]
    if not values or any(isinstance(one, bool | list | dict) for one in values):
        raise InvalidPattern("Value of anything-but must be strings or numbers")
    return lambda value: not any(_equal(value, one) for one in values)


_OPERATORS: dict[str, Callable[[Any], Test]] = {
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _ignoring_case,
    "wildcard": _wildcard,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "cidr": _cidr,
    "exists": _exists,
}
