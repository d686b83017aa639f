"""Works out expressions of metric math. The functions themselves are in `functions.py`. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable

from cumulet.services.cloudwatch.metrics.math.functions import FUNCTIONS
from cumulet.services.cloudwatch.metrics.math.grammar import (
    Call,
    Expression,
    Listed,
    MathError,
    Name,
    Number,
    Operation,
    Text,
)
from cumulet.services.cloudwatch.metrics.math.values import Series, Shelf, Value

_WORDS = ("REPEAT", "LINEAR", "AVG", "MIN", "MAX", "SUM", "ASC", "DESC")
_NOT_HERE = (
    "SEARCH",
    "ANOMALY_DETECTION_BAND",
    "LAMBDA",
    "DB_PERF_INSIGHTS",
    "SERVICE_QUOTA",
)
_SIGNS: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "^": lambda a, b: a**b,
    "<": lambda a, b: float(a < b),
    ">": lambda a, b: float(a > b),
    "<=": lambda a, b: float(a <= b),
    ">=": lambda a, b: float(a >= b),
    "==": lambda a, b: float(a == b),
    "!=": lambda a, b: float(a != b),
    "AND": lambda a, b: float(bool(a) and bool(b)),
    "OR": lambda a, b: float(bool(a) or bool(b)),
}


def evaluate_expression(expression: Expression, shelf: Shelf) -> Value:
    """The value of an expression. Raises MathError."""
    match expression:
        case Number(value) | Text(value):
            return value
        case Name(name):
            if name in shelf.series:
                return shelf.series[name]
            if name in _WORDS:
                return name
            raise MathError(f"There is no query with the id '{name}'.")
        case Listed(items):
            return [one for item in items for one in _series_in(evaluate_expression(item, shelf))]
        case Operation(sign, left, right):
            return _operate(
                sign, evaluate_expression(left, shelf), evaluate_expression(right, shelf)
            )
        case Call(function, given):
            if function in _NOT_HERE:
                raise MathError(f"The function {function} is not supported by Cumulet.")
            run = FUNCTIONS.get(function)
            if run is None:
                raise MathError(f"There is no function {function}.")
            values = [evaluate_expression(one, shelf) for one in given]
            try:
                return run(shelf, values)
            except (IndexError, OverflowError, ValueError):
                raise MathError(f"{function} has no value here.") from None


def _series_in(value: Value) -> list[Series]:
    if isinstance(value, Series):
        return [value]
    if isinstance(value, list):
        return value
    raise MathError("A list has time series in it, and nothing else.")


def _operate(sign: str, left: Value, right: Value) -> Value:
    if isinstance(left, str) or isinstance(right, str):
        raise MathError(f"A text cannot stand beside '{sign}'.")
    if isinstance(left, list) and isinstance(right, list):
        if len(left) != len(right):
            raise MathError(f"Lists of different sizes cannot stand beside '{sign}'.")
        return [_pair(sign, a, b) for a, b in zip(left, right, strict=True)]
    if isinstance(left, list):
        return [_pair(sign, one, right) for one in left]
    if isinstance(right, list):
        return [_pair(sign, left, one) for one in right]
    if isinstance(left, Series) or isinstance(right, Series):
        return _pair(sign, left, right)
    found = _number(sign, left, right)
    if found is None:
        raise MathError("The expression has no value: it divides by zero, or is out of range.")
    return found


def _pair(sign: str, left: float | Series | list[Series], right: object) -> Series:
    """A series of which one side at least is; where a side has no value, neither has it."""
    points: dict[int, float] = {}
    if isinstance(left, Series) and isinstance(right, Series):
        for start, value in left.points.items():
            if start in right.points:
                _put(points, start, _number(sign, value, right.points[start]))
        return left.with_points(points)
    if isinstance(left, Series):
        assert isinstance(right, float | int)
        for start, value in left.points.items():
            _put(points, start, _number(sign, value, right))
        return left.with_points(points)
    assert isinstance(right, Series)
    assert isinstance(left, float | int)
    for start, value in right.points.items():
        _put(points, start, _number(sign, left, value))
    return right.with_points(points)


def _put(points: dict[int, float], start: int, value: float | None) -> None:
    if value is not None:
        points[start] = value


def _number(sign: str, left: float, right: float) -> float | None:
    """None where there is no number: a division by zero leaves a gap, as on AWS."""
    try:
        value = _SIGNS[sign](left, right)
    except (ZeroDivisionError, OverflowError):
        return None
    return value if isinstance(value, float) and math.isfinite(value) else None
