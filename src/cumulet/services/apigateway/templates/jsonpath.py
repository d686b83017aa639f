"""JSONPath as API Gateway reads it: a definite path gives its value, any other a list.

Covers names, indexes, slices, unions, wildcards, descent and filters that compare one member.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cumulet.services.apigateway.templates.values import JsonList

STEPS_MAX = 50
FOUND_MAX = 100_000
"""Values that one path may find."""

_NAME = re.compile(r"[^.\[\]()\s]+")
_SLICE = re.compile(r"\s*(-?\d*)\s*:\s*(-?\d*)\s*\Z")
_INTEGERS = re.compile(r"\s*-?\d+(?:\s*,\s*-?\d+)*\s*\Z")
_QUOTED = re.compile(r"\s*(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")\s*(,|\Z)")
_FILTER = re.compile(
    r"\?\(\s*@\.?([A-Za-z0-9_.\-]*)\s*(?:(==|!=|<=|>=|<|>)\s*(.+?))?\s*\)\Z", re.DOTALL
)

Step = Callable[[Any], Iterator[Any]]


class BadPath(ValueError):
    """The text is not a path that is known here."""


@dataclass(frozen=True, slots=True)
class Path:
    """A parsed path; a definite one finds at most one value."""

    steps: tuple[Step, ...]
    is_definite: bool


def find(document: Any, path: str) -> Any:
    """What `path` finds: its value or None when definite, else a list. Raises BadPath."""
    parsed = parse_path(path)
    found = [document]
    for step in parsed.steps:
        found = [value for owner in found for value in step(owner)]
        if len(found) > FOUND_MAX:
            raise BadPath(f"the path finds more than {FOUND_MAX} values")
    if parsed.is_definite:
        return found[0] if found else None
    return JsonList(found)


@lru_cache(maxsize=1_000)
def parse_path(text: str) -> Path:
    """Read a path that begins with `$`. Raises BadPath."""
    text = text.strip()
    if not text.startswith("$"):
        text = "$." + text
    at, definite = 1, True
    steps: list[Step] = []
    while at < len(text):
        if len(steps) >= STEPS_MAX:
            raise BadPath(f"the path has more than {STEPS_MAX} steps")
        if text.startswith("..", at):
            steps.append(_descend)
            definite = False
            at += 2
            if text.startswith("[", at):
                continue
        elif text.startswith(".", at):
            at += 1
        elif text.startswith("[", at):
            end = _closing(text, at)
            step, one = _bracket(text[at + 1 : end])
            steps.append(step)
            definite = definite and one
            at = end + 1
            continue
        else:
            raise BadPath(f"unexpected text in the path at {at}")
        name = _NAME.match(text, at)
        if name is None:
            raise BadPath(f"a name is missing in the path at {at}")
        at = name.end()
        if text.startswith("()", at) and name[0] in ("length", "size"):
            at += 2
            steps.append(_length)
        elif name[0] == "*":
            steps.append(_all)
            definite = False
        else:
            steps.append(_member(name[0]))
    return Path(tuple(steps), definite)


def _closing(text: str, at: int) -> int:
    quote = ""
    for index in range(at + 1, len(text)):
        character = text[index]
        if quote:
            if character == quote and text[index - 1] != "\\":
                quote = ""
        elif character in "'\"":
            quote = character
        elif character == "]":
            return index
    raise BadPath("a bracket of the path does not close")


def _bracket(inner: str) -> tuple[Step, bool]:
    """The step in brackets, and whether it finds at most one value."""
    if inner.strip() == "*":
        return _all, False
    if inner.lstrip().startswith("?"):
        return _filter(inner.strip()), False
    if _INTEGERS.match(inner):
        indexes = [int(part) for part in inner.split(",")]
        return _indexes(indexes), len(indexes) == 1
    if (found := _SLICE.match(inner)) is not None:
        begin, end = (int(part) if part else None for part in found.groups())
        return _slice(begin, end), False
    names = _quoted_names(inner)
    return _members(names), len(names) == 1


def _quoted_names(inner: str) -> list[str]:
    at = 0
    names: list[str] = []
    while at < len(inner) or not names:
        found = _QUOTED.match(inner, at)
        if found is None:
            raise BadPath("unknown text in the brackets of a path")
        names.append(re.sub(r"\\(.)", r"\1", found[1] if found[1] is not None else found[2]))
        at = found.end()
    return names


def _member(name: str) -> Step:
    return _members([name])


def _members(names: list[str]) -> Step:
    def step(owner: Any) -> Iterator[Any]:
        if isinstance(owner, dict):
            for name in names:
                if name in owner:
                    yield owner[name]

    return step


def _indexes(indexes: list[int]) -> Step:
    def step(owner: Any) -> Iterator[Any]:
        if isinstance(owner, list):
            for index in indexes:
                if -len(owner) <= index < len(owner):
                    yield owner[index]

    return step


def _slice(begin: int | None, end: int | None) -> Step:
    def step(owner: Any) -> Iterator[Any]:
        if isinstance(owner, list):
            yield from owner[begin:end]

    return step


def _all(owner: Any) -> Iterator[Any]:
    if isinstance(owner, dict):
        yield from owner.values()
    elif isinstance(owner, list):
        yield from owner


def _length(owner: Any) -> Iterator[Any]:
    if isinstance(owner, (list, dict, str)):
        yield len(owner)


def _descend(owner: Any) -> Iterator[Any]:
    waiting = [owner]
    for _ in range(FOUND_MAX):
        if not waiting:
            return
        value = waiting.pop()
        yield value
        waiting.extend(reversed(list(_all(value))))


def _filter(text: str) -> Step:
    found = _FILTER.match(text)
    if found is None:
        raise BadPath("unknown filter in a path")
    names = [name for name in found[1].split(".") if name]
    operator, literal = found[2], found[3]
    wanted = _literal(literal) if operator else None

    def step(owner: Any) -> Iterator[Any]:
        for item in _all(owner):
            value: Any = item
            for name in names:
                value = value.get(name, _MISSING) if isinstance(value, dict) else _MISSING
            if value is not _MISSING and (not operator or _holds(operator, value, wanted)):
                yield item

    return step


_MISSING = object()


def _literal(text: str) -> Any:
    text = text.strip()
    if text.startswith("'") and text.endswith("'") and len(text) > 1:
        return text[1:-1]
    try:
        return json.loads(text)
    except ValueError as cause:
        raise BadPath("unknown value in a filter of a path") from cause


def _holds(operator: str, left: Any, right: Any) -> bool:
    if operator in ("==", "!="):
        return bool((left == right) == (operator == "=="))
    if type(left) is not type(right) and not (
        isinstance(left, (int, float)) and isinstance(right, (int, float))
    ):
        return False
    if not isinstance(left, (int, float, str)):
        return False
    match operator:
        case "<":
            return bool(left < right)
        case ">":
            return bool(left > right)
        case "<=":
            return bool(left <= right)
    return bool(left >= right)
