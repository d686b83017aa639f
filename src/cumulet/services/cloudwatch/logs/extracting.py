"""Values out of log events: what metric filters measure, and what TestMetricFilter shows. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringPolicyExamples.html
"""

from __future__ import annotations

import json
import math
import re
from functools import lru_cache
from typing import Any

from cumulet.services.cloudwatch.logs.filters import (
    Matches,
    columns_of,
    parse_filter,
    select_in,
    steps_of,
)

_PATH = re.compile(r"\$(?:\.[\w*-]+|\[(?:\d+|\*|'[^']*'|\"[^\"]*\")\])+")
_NAME = re.compile(r"\s*([\w-]+)")
_FILTERS_REMEMBERED = 1_000


@lru_cache(_FILTERS_REMEMBERED)
def filter_of(pattern: str) -> Matches:
    """A pattern as a test of a message, kept for who asks for it often. Raises ValueError."""
    return parse_filter(pattern)


@lru_cache(_FILTERS_REMEMBERED)
def selectors_of(pattern: str) -> tuple[str, ...]:
    """What a pattern names in an event: paths of JSON, or columns."""
    text = pattern.strip()
    if text.startswith("{"):
        return tuple(dict.fromkeys(_PATH.findall(text)))
    if text.startswith("["):
        return tuple(f"${name}" for name in _columns(text) if name)
    return ()


def _columns(text: str) -> list[str]:
    """The names of the columns in their order; "" for those without, "..." for any number."""
    found = []
    for part in text[1:-1].split(","):
        if part.strip() == "...":
            found.append("...")
            continue
        name = _NAME.match(part)
        found.append(name[1] if name else "")
    return found


def is_selector(text: str) -> bool:
    """Whether a text names a part of an event, and is no value by itself."""
    return text.startswith("$")


def values_in(pattern: str, selectors: tuple[str, ...], message: str) -> dict[str, str]:
    """What the selectors find in a message that the pattern matches."""
    text = pattern.strip()
    if text.startswith("["):
        named = _named_columns(text, message)
        return {one: named[one[1:]] for one in selectors if one[1:] in named}
    if not text.startswith("{"):
        return {}
    try:
        document = json.loads(message)
    except (ValueError, RecursionError):
        return {}
    found: dict[str, str] = {}
    for one in selectors:
        for value in select_in(document, steps_of(one))[:1]:
            found[one] = value if isinstance(value, str) else json.dumps(value)
    return found


def _named_columns(pattern: str, message: str) -> dict[str, str]:
    names, values = _columns(pattern), columns_of(message)
    if "..." in names:
        at = names.index("...")
        more = len(values) - (len(names) - 1)
        names = names[:at] + [""] * max(0, more) + names[at + 1 :]
    return {name: value for name, value in zip(names, values, strict=False) if name}


def measured(transformation: dict[str, Any], pattern: str, message: str) -> _Measured | None:
    """The value and dimensions of a matching event; None when it lacks one of them."""
    value = transformation["metricValue"]
    dimensions: dict[str, str] = transformation.get("dimensions") or {}
    wanted = tuple(one for one in (value, *dimensions.values()) if is_selector(one))
    found = values_in(pattern, wanted, message) if wanted else {}
    number = _number(found.get(value) if is_selector(value) else value)
    if number is None or any(one not in found for one in dimensions.values()):
        return None
    pairs = tuple(sorted((name, found[path][:1_024]) for name, path in dimensions.items()))
    return None if any(not text for _, text in pairs) else (number, pairs)


_Measured = tuple[float, tuple[tuple[str, str], ...]]


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None
