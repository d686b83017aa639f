"""The functions that expressions of queries can call. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from cumulet.services.cloudwatch.logs.insights.rows import Value, number_of

Work: TypeAlias = Callable[[Sequence[Value]], Value]
TIMES = ("bin", "datefloor", "dateceil")
_TEXT_MAX = 100_000


def _numeric(run: Callable[[float], float]) -> Work:
    def work(given: Sequence[Value]) -> Value:
        number = number_of(given[0])
        try:
            return None if number is None else float(run(number))
        except (ValueError, OverflowError):
            return None

    return work


def _of_numbers(run: Callable[[list[float]], float]) -> Work:
    def work(given: Sequence[Value]) -> Value:
        numbers = [number for one in given if (number := number_of(one)) is not None]
        return run(numbers) if numbers else None

    return work


def text_of(value: Value) -> str:
    """The text of a value; "" for none."""
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return "" if value is None else str(value)


def _textual(run: Callable[[str], Value]) -> Work:
    return lambda given: None if given[0] is None else run(text_of(given[0]))


def _substr(given: Sequence[Value]) -> Value:
    begin = int(number_of(given[1]) or 0)
    count = number_of(given[2]) if len(given) > 2 else None
    text = text_of(given[0])[max(0, begin) :]
    return text if count is None else text[: max(0, int(count))]


def _replace(given: Sequence[Value]) -> Value:
    text, old, new = (text_of(one) for one in given)
    return text.replace(old, new)[:_TEXT_MAX] if old else text


FUNCTIONS: Mapping[str, tuple[int, int, Work]] = {
    "abs": (1, 1, _numeric(abs)),
    "ceil": (1, 1, _numeric(math.ceil)),
    "floor": (1, 1, _numeric(math.floor)),
    "log": (1, 1, _numeric(math.log)),
    "sqrt": (1, 1, _numeric(math.sqrt)),
    "greatest": (1, 20, _of_numbers(max)),
    "least": (1, 20, _of_numbers(min)),
    "ispresent": (1, 1, lambda given: given[0] is not None),
    "coalesce": (1, 20, lambda given: next((one for one in given if one is not None), None)),
    "isempty": (1, 1, lambda given: given[0] is None or given[0] == ""),
    "isblank": (1, 1, lambda given: not text_of(given[0]).strip()),
    "concat": (2, 20, lambda given: "".join(text_of(one) for one in given)[:_TEXT_MAX]),
    "ltrim": (1, 2, lambda given: text_of(given[0]).lstrip(*map(text_of, given[1:]))),
    "rtrim": (1, 2, lambda given: text_of(given[0]).rstrip(*map(text_of, given[1:]))),
    "trim": (1, 2, lambda given: text_of(given[0]).strip(*map(text_of, given[1:]))),
    "strlen": (1, 1, _textual(lambda text: float(len(text)))),
    "toupper": (1, 1, _textual(str.upper)),
    "tolower": (1, 1, _textual(str.lower)),
    "substr": (2, 3, _substr),
    "replace": (3, 3, _replace),
    "strcontains": (2, 2, lambda given: float(text_of(given[1]) in text_of(given[0]))),
    "tomillis": (1, 1, lambda given: number_of(given[0])),
    "frommillis": (1, 1, lambda given: number_of(given[0])),
}
