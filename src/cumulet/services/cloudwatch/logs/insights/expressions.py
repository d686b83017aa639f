"""Expressions of queries: read from words into functions of a row. Pure."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import regex

from cumulet.services.cloudwatch.logs.insights.functions import FUNCTIONS, TIMES
from cumulet.services.cloudwatch.logs.insights.rows import Row, Value, number_of
from cumulet.services.cloudwatch.logs.insights.words import QueryError, Words

Compute: TypeAlias = Callable[[Row], Value]

MATCH_SECONDS_MAX = 0.05
"""One comparison with a regular expression; such take microseconds unless they go back again."""
_PATTERN_MAX = 2_000
_DEPTH_MAX = 50
_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_SIGNS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
    "^": operator.pow,
}


class Named(NamedTuple):
    """An expression with the name that its values have, and whether they are times."""

    name: str
    compute: Compute
    is_time: bool = False


def compile_regex(text: str) -> Any:
    """A pattern whose comparisons can be ended. Raises QueryError."""
    if len(text) > _PATTERN_MAX or regex.search(r"\{\d*,?\d{4,}", text):
        raise QueryError("the regular expression is too long")
    try:
        return regex.compile(text, regex.VERSION0)
    except (regex.error, RecursionError, OverflowError, ValueError) as cause:
        raise QueryError(f"invalid regular expression: {cause}") from None


def searched(pattern: Any, text: str) -> Any:
    """The first match, or None. Raises QueryError when it takes too long."""
    try:
        return pattern.search(text, timeout=MATCH_SECONDS_MAX)
    except TimeoutError:
        raise QueryError("a regular expression took too long") from None


def read_named(words: Words) -> Named:
    """An expression, and the name that `as` gives it, or else its own text."""
    begin = words.peek().begin
    compute, is_time = read_expression(words)
    name = words.query[begin : words.at].strip().strip("`")
    if words.take_name("as"):
        name = words.need_name()
    return Named(name, compute, is_time)


def read_expression(words: Words, depth: int = 0) -> tuple[Compute, bool]:
    """An expression; whether its values are times."""
    begin = words.at
    compute = _either(words, depth)
    head = words.query[begin : words.at].strip().partition("(")[0].lower()
    return compute, head in TIMES


def _either(words: Words, depth: int) -> Compute:
    if depth > _DEPTH_MAX:
        raise QueryError("the query is too deeply nested")
    left = _both(words, depth)
    while words.take_name("or"):
        left = _or(left, _both(words, depth))
    return left


def _or(left: Compute, right: Compute) -> Compute:
    return lambda row: bool(left(row)) or bool(right(row))


def _both(words: Words, depth: int) -> Compute:
    left = _not(words, depth)
    while words.take_name("and"):
        left = _and(left, _not(words, depth))
    return left


def _and(left: Compute, right: Compute) -> Compute:
    return lambda row: bool(left(row)) and bool(right(row))


def _not(words: Words, depth: int) -> Compute:
    if words.take_name("not"):
        if depth > _DEPTH_MAX:
            raise QueryError("the query is too deeply nested")
        inner = _not(words, depth + 1)
        return lambda row: not inner(row)
    return _comparison(words, depth)


def _comparison(words: Words, depth: int) -> Compute:
    left = _sum(words, depth)
    if words.take_op("=~"):
        return _like(words, left)
    negated = False
    if words.peek().text.lower() == "not" and words.peek().kind == "name":
        words.take()
        negated = True
    if words.take_name("like"):
        test = _like(words, left)
    elif words.take_name("in"):
        test = _in(words, left)
    elif negated:
        raise QueryError("expected 'like' or 'in' after 'not'")
    elif sign := words.take_op("=", "!=", "<", ">", "<=", ">="):
        return _compared(sign, left, _sum(words, depth))
    else:
        return left
    return (lambda row: not test(row)) if negated else test


def _compared(sign: str, left: Compute, right: Compute) -> Compute:
    compare = _COMPARED[sign]

    def holds(row: Row) -> bool:
        a, b = left(row), right(row)
        if a is None or b is None:
            # What is not there is unlike everything.
            return sign == "!=" and a is not b
        first, second = number_of(a), number_of(b)
        if first is not None and second is not None:
            return compare(first, second)
        return compare(str(a), str(b))

    return holds


def _like(words: Words, left: Compute) -> Compute:
    text = words.take_regex()
    if text is not None:
        pattern = compile_regex(text)
        return lambda row: searched(pattern, _text(left(row))) is not None
    word = words.take()
    if word.kind != "text":
        raise QueryError("expected a text or a regular expression after 'like'")
    part = word.text
    return lambda row: part in _text(left(row))


def _text(value: Value) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _in(words: Words, left: Compute) -> Compute:
    words.need_op("[")
    items: list[Value] = []
    while True:
        word = words.take()
        if word.kind not in ("text", "number"):
            raise QueryError("expected a text or a number in the list")
        items.append(float(word.text) if word.kind == "number" else word.text)
        if words.take_op(",") is None:
            break
    words.need_op("]")
    numbers = {number for one in items if (number := number_of(one)) is not None}
    texts = {str(one) for one in items}

    def holds(row: Row) -> bool:
        value = left(row)
        number = number_of(value)
        return value is not None and (number in numbers or str(value) in texts)

    return holds


def _sum(words: Words, depth: int) -> Compute:
    left = _product(words, depth)
    while sign := words.take_op("+", "-"):
        left = _calculated(sign, left, _product(words, depth))
    return left


def _product(words: Words, depth: int) -> Compute:
    left = _power(words, depth)
    while sign := words.take_op("*", "/", "%"):
        left = _calculated(sign, left, _power(words, depth))
    return left


def _power(words: Words, depth: int) -> Compute:
    left = _atom(words, depth)
    if words.take_op("^"):
        return _calculated("^", left, _power(words, depth + 1))
    return left


def _calculated(sign: str, left: Compute, right: Compute) -> Compute:
    run = _SIGNS[sign]

    def value(row: Row) -> Value:
        a, b = number_of(left(row)), number_of(right(row))
        if a is None or b is None:
            return None
        try:
            found = run(a, b)
        except (ZeroDivisionError, OverflowError):
            return None
        return found if isinstance(found, float) else None

    return value


def _atom(words: Words, depth: int) -> Compute:
    if depth > _DEPTH_MAX:
        raise QueryError("the query is too deeply nested")
    if words.take_op("("):
        inner = _either(words, depth + 1)
        words.need_op(")")
        return inner
    if words.take_op("-"):
        return _calculated("-", lambda row: 0.0, _atom(words, depth + 1))
    word = words.take()
    if word.kind == "number":
        number = float(word.text)
        return lambda row: number
    if word.kind == "text":
        text = word.text
        return lambda row: text
    if word.kind != "name":
        raise QueryError(f"unexpected symbol found '{word.text or 'end of query'}'")
    name = word.text
    if words.peek().text == "(" and words.peek().kind == "op":
        return _call(words, name, depth)
    return field(name)


def field(name: str) -> Compute:
    """The value of a field, None where a row has none of that name."""
    return lambda row: row.get(name)


def _call(words: Words, name: str, depth: int) -> Compute:
    words.need_op("(")
    if name.lower() in TIMES:
        return _time(words, name.lower(), depth)
    run = FUNCTIONS.get(name.lower())
    if run is None:
        raise QueryError(f"unknown function '{name}'")
    given: list[Compute] = []
    if words.take_op(")") is None:
        given.append(_either(words, depth + 1))
        while words.take_op(","):
            given.append(_either(words, depth + 1))
        words.need_op(")")
    least, most, work = run
    if not least <= len(given) <= most:
        raise QueryError(f"the function '{name}' is given too many or too few values")
    return lambda row: work([one(row) for one in given])


def _time(words: Words, name: str, depth: int) -> Compute:
    """`bin(5m)`, `datefloor(@timestamp, 1h)`, `dateceil(@timestamp, 1d)`."""
    of = field("@timestamp")
    if name != "bin":
        of = _either(words, depth + 1)
        words.need_op(",")
    word = words.take()
    if word.kind != "span":
        raise QueryError(f"expected a span of time such as 5m at '{word.text}'")
    words.need_op(")")
    step = span_ms(word.text)
    up = step if name == "dateceil" else 0

    def value(row: Row) -> Value:
        number = number_of(of(row))
        if number is None:
            return None
        floor = number // step * step
        return floor + up if up and floor < number else floor

    return value


_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def span_ms(text: str) -> int:
    """The milliseconds of a span such as `5m`. Raises QueryError."""
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = _UNITS.get(text[len(digits) :])
    if unit is None or not 0 < int(digits) < 10**9:
        raise QueryError(f"the span {text} is not supported by Cumulet")
    return int(digits) * unit
