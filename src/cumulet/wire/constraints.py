"""The constraints of service models: required, length, range, pattern and enum, as AWS says them.

The sentences follow AWS's own validation errors, for instance
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from cumulet.core.errors import ConstraintViolation
from cumulet.wire.model import OperationModel, Shape
from cumulet.wire.values.constraint_styles import (
    TOLD_VALUES,
    Checker,
    Violations,
    document_check,
    named_check,
    placed_check,
)
from cumulet.wire.values.patterns import Pattern, pattern_of

VIOLATIONS_MAX = 10
"""Violations told in one message."""

SHOWN_CHARACTERS_MAX = 2_000
"""Characters of a wrong value that are told."""

TEXTS_KNOWN_MAX = 1_024
TEXT_KNOWN_CHARACTERS_MAX = 256
"""Texts of one shape that are remembered to keep its pattern: names are sent again and again."""

_STYLES = {
    "apigateway": "placed",
    "apigatewaymanagementapi": "silent",
    "apigatewayv2": "silent",
    "s3": "documents",
    "sns": "named",
    "sqs": "named",
}
"""`silent` services check for themselves, in words of their own; `placed` ones speak as below, with
the input's name before the members of the body, but not of what is required; `named` ones only say
which required parameter is missing; `documents` ones that a body is missing or not by the schema;
all others speak as below.
"""

_BATCH = "Entries"
"""A batch of SQS: in its query protocol an empty one looks like none, and SQS says so itself."""

_LEFT_TO_SERVICE = {"dynamodb": frozenset(("AttributeName",))}
"""Shapes whose limits a service tells in its own words, so that large values are not walked."""


def check(operation: OperationModel, request: Any) -> None:
    """Raise ConstraintViolation, with AWS's sentence, unless the input keeps the model's rules."""
    run = checker_of(operation)
    if run is not None:
        run(request)


def checker_of(operation: OperationModel) -> Callable[[Any], None] | None:
    """What `check` runs for an operation; None when its model has no rules."""
    run: Callable[[Any], None] | None = operation.compiled.get("check", _MISSING)
    if run is _MISSING:
        run = operation.compiled["check"] = _compile(operation)
    return run


_MISSING = object()


def _compile(operation: OperationModel) -> Callable[[Any], None] | None:
    shape = operation.input
    style = _STYLES.get(operation.service.name, "full")
    if shape is None or style == "silent":
        return None
    if style == "named":
        return named_check([name for name in shape.required if name != _BATCH])
    if style == "documents":
        return document_check(operation, shape)
    if style == "placed":
        return placed_check(operation.name, shape, _checker, _told)
    checker = _checker(shape)
    if checker is None:
        return None

    def run(request: Any) -> None:
        violations: Violations = []
        checker(request, "", violations)
        if violations:
            raise _told(violations)

    return run


def _told(violations: Violations) -> ConstraintViolation:
    count = len(violations)
    noun = "error" if count == 1 else "errors"
    told = "; ".join(violations[:VIOLATIONS_MAX])
    return ConstraintViolation(f"{count} validation {noun} detected: {told}")


def _checker(shape: Shape) -> Checker | None:
    """The checker of a shape, or None when nothing within it is constrained."""
    compiled = shape.service.compiled
    key = ("check", shape.name)
    if key not in compiled:
        if not _is_constrained(shape, set()):
            compiled[key] = None
        else:
            compiled[key] = lambda value, path, violations: compiled[key](value, path, violations)
            compiled[key] = _MAKERS.get(shape.type, _scalar_checker)(shape)
    found: Checker | None = compiled[key]
    return found


def _is_constrained(shape: Shape, seen: set[str]) -> bool:
    if shape.name in seen or shape.is_document or shape.is_event_stream:
        return False
    seen.add(shape.name)
    if shape.name in _LEFT_TO_SERVICE.get(shape.service.name, ()):
        return False
    if any(trait in shape.traits for trait in ("min", "max", "pattern", "enum")):
        return True
    match shape.type:
        case "structure":
            return bool(shape.required) or any(
                _is_constrained(member, seen) for member in shape.members.values()
            )
        case "list":
            return _is_constrained(shape.member, seen)
        case "map":
            return _is_constrained(shape.key, seen) or _is_constrained(shape.value, seen)
    return False


def _structure_checker(shape: Shape) -> Checker:
    required = [(name, name[:1].lower() + name[1:]) for name in shape.required]
    members = {
        name: (name[:1].lower() + name[1:], found)
        for name, member in shape.members.items()
        if (found := _checker(member)) is not None
    }

    def run(value: Any, path: str, violations: Violations) -> None:
        for name, spelled in required:
            if value.get(name) is None:
                place = f"{path}.{spelled}" if path else spelled
                violations.append(
                    f"Value null at '{place}' failed to satisfy constraint: Member must not be null"
                )
        for name, item in value.items():
            known = members.get(name)
            if known is not None and item is not None:
                spelled, checker = known
                checker(item, f"{path}.{spelled}" if path else spelled, violations)

    return run


def _list_checker(shape: Shape) -> Checker:
    item_checker = _checker(shape.member)
    is_plain = shape.member.type not in ("structure", "list", "map")
    sizes = _rules(shape)
    inner = _rules(shape.member) if is_plain else []

    def run(value: Any, path: str, violations: Violations) -> None:
        for holds, sentence in sizes:
            if not holds(value):
                violations.append(_violation(shape, value, path, sentence))
        if item_checker is None:
            return
        if is_plain:
            if inner and not all(holds(item) for item in value for holds, _ in inner):
                told = ", ".join(sentence for _, sentence in inner)
                sentence = f"Member must satisfy constraint: [{told}]"
                violations.append(_violation(shape, value, path, sentence))
            return
        for place, item in enumerate(value, 1):
            if item is not None:
                item_checker(item, f"{path}.{place}.member", violations)

    return run


def _map_checker(shape: Shape) -> Checker:
    sizes = _rules(shape)
    keys = _rules(shape.key)
    is_plain = shape.value.type not in ("structure", "list", "map")
    values = _rules(shape.value)
    value_checker = None if is_plain else _checker(shape.value)

    def run(value: Any, path: str, violations: Violations) -> None:
        for holds, sentence in sizes:
            if not holds(value):
                violations.append(_violation(shape, value, path, sentence))
        if keys and not all(holds(key) for key in value for holds, _ in keys):
            told = ", ".join(sentence for _, sentence in keys)
            sentence = f"Map keys must satisfy constraint: [{told}]"
            violations.append(_violation(shape, value, path, sentence))
        if values and not all(holds(item) for item in value.values() for holds, _ in values):
            told = ", ".join(sentence for _, sentence in values)
            sentence = f"Map value must satisfy constraint: [{told}]"
            violations.append(_violation(shape, value, path, sentence))
        if value_checker is not None and shape.value.type == "structure":
            for key, item in value.items():
                if item is not None:
                    value_checker(item, f"{path}.{key}.member", violations)

    return run


def _scalar_checker(shape: Shape) -> Checker:
    rules = _rules(shape)

    def run(value: Any, path: str, violations: Violations) -> None:
        for holds, sentence in rules:
            if not holds(value):
                violations.append(_violation(shape, value, path, sentence))

    if shape.type != "string" or shape.traits.get("enum") or not rules:
        return run
    _, low, high = _bounds_of(shape)
    source = shape.traits.get("pattern")
    pattern = pattern_of(source) if source else None
    shortest, longest = low or 0, high if high is not None else sys.maxsize
    if pattern is None:

        def run_over_length(value: Any, path: str, violations: Violations) -> None:
            if not shortest <= len(value) <= longest:
                run(value, path, violations)

        return run_over_length
    remembers = not shape.traits.get("sensitive")
    known: set[str] = set()

    def run_over_text(value: Any, path: str, violations: Violations) -> None:
        # Nearly every text keeps its rules: which one is broken is asked only when one is.
        if value in known:
            return
        if not shortest <= len(value) <= longest or not pattern.allows(value):
            run(value, path, violations)
        elif remembers and len(value) <= TEXT_KNOWN_CHARACTERS_MAX:
            if len(known) >= TEXTS_KNOWN_MAX:
                known.clear()
            known.add(value)

    return run_over_text


_MAKERS: dict[str, Callable[[Shape], Checker]] = {
    "structure": _structure_checker,
    "list": _list_checker,
    "map": _map_checker,
}


def _violation(shape: Shape, value: Any, path: str, sentence: str) -> str:
    told = "" if shape.traits.get("sensitive") else f" '{_shown(value)[:SHOWN_CHARACTERS_MAX]}'"
    return f"Value{told} at '{path}' failed to satisfy constraint: {sentence}"


def _shown(value: Any) -> str:
    """A value as AWS's messages spell it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        size = len(value)
        return f"java.nio.HeapByteBuffer[pos=0 lim={size} cap={size}]"
    if isinstance(value, list):
        return f"[{', '.join(_shown(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}={_shown(item)}' for key, item in value.items())}}}"
    return str(value)


Rule = tuple[Callable[[Any], bool], str]


def _rules(shape: Shape) -> list[Rule]:
    """What must hold for the value itself, with the sentence when it does not."""
    if shape.name in _LEFT_TO_SERVICE.get(shape.service.name, ()):
        return []
    traits = shape.traits
    rules: list[Rule] = []
    if traits.get("enum"):
        allowed = frozenset(traits["enum"])
        known = TOLD_VALUES.get(shape.service.name, {}).get(shape.name)
        told = known or ", ".join(traits["enum"])
        rules.append((allowed.__contains__, f"Member must satisfy enum value set: [{told}]"))
        return rules
    kind, low, high = _bounds_of(shape)
    if high is not None:
        rules.append(
            (_at_most(shape, high), f"Member must have {kind} less than or equal to {high}")
        )
    if low is not None:
        rules.append(
            (_at_least(shape, low), f"Member must have {kind} greater than or equal to {low}")
        )
    source = traits.get("pattern")
    if source and shape.type == "string" and (pattern := pattern_of(source)) is not None:
        sentence = f"Member must satisfy regular expression pattern: {source}"
        rules.append((_matches(pattern, high), sentence))
    return rules


def _matches(pattern: Pattern, high: int | None) -> Callable[[Any], bool]:
    """Text beyond its length is refused already: it is not given to patterns that backtrack."""
    if high is None or pattern.is_simple:
        return pattern.allows
    return lambda text: len(text) > high or pattern.allows(text)


def _bounds_of(shape: Shape) -> tuple[str, Any, Any]:
    low, high = shape.traits.get("min"), shape.traits.get("max")
    if shape.type in ("integer", "long", "float", "double"):
        return "value", low, high
    return "length", low if low else None, high


def _at_most(shape: Shape, high: Any) -> Callable[[Any], bool]:
    if shape.type in ("integer", "long", "float", "double"):
        return lambda value: value <= high
    if shape.type == "blob":
        return lambda value: not isinstance(value, bytes) or len(value) <= high
    return lambda value: len(value) <= high


def _at_least(shape: Shape, low: Any) -> Callable[[Any], bool]:
    if shape.type in ("integer", "long", "float", "double"):
        return lambda value: value >= low
    if shape.type == "blob":
        return lambda value: not isinstance(value, bytes) or len(value) >= low
    return lambda value: len(value) >= low
