"""JSON Schema draft 4, compiled to plain functions. Pure.

References reach `#/definitions/…` of the same schema and other models of the API by their URL,
`https://apigateway.amazonaws.com/restapis/{api}/models/{name}`.
https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings-models.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sized
from typing import Any
from urllib.parse import unquote

from cumulet.services.apigateway.rules.patterns import BadPattern, compile_pattern, is_in

Check = Callable[[Any, int], bool]

DEPTH_MAX = 64
"""Nesting of documents that are checked, and of schemas."""

_MODEL_URL = re.compile(
    r"https?://apigateway\.amazonaws\.com/restapis/[^/]+/models/([^/#]+)(#.*)?\Z"
)
_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: _is_number(value),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
}


class BadSchema(ValueError):
    """The schema is not one of draft 4."""


def compile_schema(name: str, models: Mapping[str, str]) -> Callable[[Any], bool]:
    """A function that tells whether a document fits the model `name`. Raises BadSchema.

    `models` are the schemas of the API by name, as JSON text.
    """
    check = _Compiler(models).model(name, "#")
    return lambda document: check(document, 0)


class _Compiler:
    """Compiles each schema once, so that those which refer to themselves are possible."""

    def __init__(self, models: Mapping[str, str]) -> None:
        self._models = models
        self._roots: dict[str, Any] = {}
        self._made: dict[tuple[str, str], Check] = {}
        self._depth = 0

    def model(self, name: str, pointer: str) -> Check:
        """The check of a place in a model."""
        key = (name, pointer)
        if key in self._made:
            return self._made[key]

        # While it is being compiled, a reference to it goes through the table.
        self._made[key] = lambda value, depth: self._made[key](value, depth)
        self._made[key] = self.schema(name, self._find(name, pointer))
        return self._made[key]

    def _find(self, name: str, pointer: str) -> Any:
        if name not in self._roots:
            text = self._models.get(name)
            if text is None:
                raise BadSchema(f"there is no model {name}")
            try:
                self._roots[name] = json.loads(text)
            except ValueError as cause:
                raise BadSchema(f"the model {name} is not JSON") from cause
        place: Any = self._roots[name]
        for part in pointer.removeprefix("#").split("/")[1:]:
            part = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(place, list) and part.isdigit() and int(part) < len(place):
                place = place[int(part)]
            elif isinstance(place, dict) and part in place:
                place = place[part]
            else:
                raise BadSchema(f"{pointer} leads nowhere in the model {name}")
        return place

    def _refer(self, name: str, reference: Any) -> Check:
        if not isinstance(reference, str):
            raise BadSchema("$ref is a text")
        found = _MODEL_URL.match(reference)
        if found is not None:
            return self.model(found[1], found[2] or "#")
        if reference.startswith("#"):
            return self.model(name, reference)
        raise BadSchema(f"$ref {reference} is not reached")

    def schema(self, name: str, schema: Any) -> Check:
        """The check of one schema object."""
        if not isinstance(schema, dict):
            raise BadSchema("a schema is an object")
        if "$ref" in schema:
            return self._refer(name, schema["$ref"])
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise BadSchema(f"more than {DEPTH_MAX} levels of nesting")
        try:
            checks = [*_value_checks(schema), *self._inner_checks(name, schema)]
        except (TypeError, KeyError, AttributeError, BadPattern) as cause:
            raise BadSchema(f"a keyword has a value of another type: {cause}") from cause
        self._depth -= 1
        return _every(checks)

    def _inner_checks(self, name: str, schema: Mapping[str, Any]) -> Iterable[Check]:
        if any(
            word in schema for word in ("properties", "patternProperties", "additionalProperties")
        ):
            yield self._members(name, schema)
        if "items" in schema:
            yield self._items(name, schema)
        if "dependencies" in schema:
            yield self._dependencies(name, schema["dependencies"])
        if "allOf" in schema:
            yield _every([self.schema(name, one) for one in schema["allOf"]])
        if "anyOf" in schema:
            some = [self.schema(name, one) for one in schema["anyOf"]]
            yield lambda value, depth: any(check(value, depth) for check in some)
        if "oneOf" in schema:
            one_of = [self.schema(name, one) for one in schema["oneOf"]]
            yield lambda value, depth: sum(check(value, depth) for check in one_of) == 1
        if "not" in schema:
            inner = self.schema(name, schema["not"])
            yield lambda value, depth: not inner(value, depth)

    def _members(self, name: str, schema: Mapping[str, Any]) -> Check:
        known = {key: self.schema(name, one) for key, one in schema.get("properties", {}).items()}
        patterns = [
            (compile_pattern(pattern, dots_match_all=False), self.schema(name, one))
            for pattern, one in schema.get("patternProperties", {}).items()
        ]
        rest = schema.get("additionalProperties", True)
        other = self.schema(name, rest) if isinstance(rest, dict) else None

        def check(value: Any, depth: int) -> bool:
            if not isinstance(value, dict):
                return True
            for key, item in value.items():
                checks = [found for pattern, found in patterns if is_in(pattern, key)]
                if key in known:
                    checks.append(known[key])
                if not checks:
                    if rest is False:
                        return False
                    if other is not None:
                        checks = [other]
                if not all(one(item, depth + 1) for one in checks):
                    return False
            return True

        return check

    def _items(self, name: str, schema: Mapping[str, Any]) -> Check:
        given, rest = schema["items"], schema.get("additionalItems", True)
        if isinstance(given, dict):
            each = self.schema(name, given)
            return lambda value, depth: (
                not isinstance(value, list) or all(each(item, depth + 1) for item in value)
            )
        places = [self.schema(name, one) for one in given]
        other = self.schema(name, rest) if isinstance(rest, dict) else None

        def check(value: Any, depth: int) -> bool:
            if not isinstance(value, list):
                return True
            if rest is False and len(value) > len(places):
                return False
            pairs = zip(places, value, strict=False)
            return all(one(item, depth + 1) for one, item in pairs) and (
                other is None or all(other(item, depth + 1) for item in value[len(places) :])
            )

        return check

    def _dependencies(self, name: str, given: Mapping[str, Any]) -> Check:
        needs = {key: one for key, one in given.items() if isinstance(one, list)}
        shapes = {key: self.schema(name, one) for key, one in given.items() if key not in needs}

        def check(value: Any, depth: int) -> bool:
            if not isinstance(value, dict):
                return True
            return all(
                key not in value or all(one in value for one in wanted)
                for key, wanted in needs.items()
            ) and all(key not in value or one(value, depth) for key, one in shapes.items())

        return check


def _every(checks: list[Check]) -> Check:
    def check(value: Any, depth: int) -> bool:
        return depth <= DEPTH_MAX and all(one(value, depth) for one in checks)

    return check


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _same(left: Any, right: Any) -> bool:
    """Equality of JSON values: `1` is `1.0`, and neither is `true`."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return bool(left == right)


def _value_checks(schema: Mapping[str, Any]) -> Iterable[Check]:
    if "type" in schema:
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        kinds = [_TYPES[name] for name in names]
        yield lambda value, _: any(kind(value) for kind in kinds)
    if "enum" in schema:
        allowed = list(schema["enum"])
        yield lambda value, _: any(_same(value, one) for one in allowed)
    if "required" in schema:
        needed = list(schema["required"])
        yield lambda value, _: not isinstance(value, dict) or all(key in value for key in needed)
    if "pattern" in schema:
        pattern = compile_pattern(schema["pattern"], dots_match_all=False)
        yield lambda value, _: not isinstance(value, str) or is_in(pattern, value)
    if schema.get("uniqueItems"):
        yield lambda value, _: not isinstance(value, list) or _are_unique(value)
    yield from _size_checks(schema)
    yield from _number_checks(schema)


def _are_unique(items: list[Any]) -> bool:
    return not any(_same(one, other) for at, one in enumerate(items) for other in items[:at])


_SIZES: tuple[tuple[str, type[Sized]], ...] = (
    ("Length", str),
    ("Items", list),
    ("Properties", dict),
)


def _size_checks(schema: Mapping[str, Any]) -> Iterable[Check]:
    for noun, kind in _SIZES:
        least, most = schema.get(f"min{noun}", 0), schema.get(f"max{noun}")
        if least or most is not None:
            yield _size_check(kind, int(least), None if most is None else int(most))


def _size_check(kind: type[Sized], least: int, most: int | None) -> Check:
    def check(value: Any, _: int) -> bool:
        if not isinstance(value, kind):
            return True
        size = len(value)
        return least <= size and (most is None or size <= most)

    return check


def _number_checks(schema: Mapping[str, Any]) -> Iterable[Check]:
    if (least := schema.get("minimum")) is not None:
        above = bool(schema.get("exclusiveMinimum"))
        yield lambda value, _: not _is_number(value) or (value > least if above else value >= least)
    if (most := schema.get("maximum")) is not None:
        below = bool(schema.get("exclusiveMaximum"))
        yield lambda value, _: not _is_number(value) or (value < most if below else value <= most)
    if (step := schema.get("multipleOf")) is not None:
        yield lambda value, _: not _is_number(value) or _divides(step, value)


def _divides(step: float, value: float) -> bool:
    if isinstance(step, int) and isinstance(value, int):
        return value % step == 0
    quotient = value / step
    return abs(quotient - round(quotient)) < 1e-9
