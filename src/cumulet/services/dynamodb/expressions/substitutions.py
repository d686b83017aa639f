"""The placeholders of a request: which are given, which are used, and which parameters exclude
each other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.expressions.compiled import (
    CompiledCondition,
    CompiledProjection,
    CompiledUpdate,
    Names,
    Uses,
    compile_condition,
    compile_projection,
    compile_update,
)
from cumulet.services.dynamodb.items.values import Value, check_value
from cumulet.services.dynamodb.limits import ATTRIBUTE_NAME_BYTES_MAX, PLACEHOLDER_CHARACTERS_MAX

_NAME = re.compile(r"#[A-Za-z0-9_]+\Z", re.ASCII)
_VALUE = re.compile(r":[A-Za-z0-9_]+\Z", re.ASCII)
NAMES = "ExpressionAttributeNames"
VALUES = "ExpressionAttributeValues"

LEGACY: tuple[str, ...] = (
    "AttributesToGet",
    "AttributeUpdates",
    "Expected",
    "ConditionalOperator",
    "QueryFilter",
    "ScanFilter",
)
EXPRESSIONS = (
    "ProjectionExpression",
    "UpdateExpression",
    "ConditionExpression",
    "FilterExpression",
    "KeyConditionExpression",
)


_LEGACY_NAMES = frozenset((*LEGACY, "KeyConditions"))


def refuse_mixture(request: Mapping[str, Any]) -> None:
    """Raise ValidationException when expressions and legacy parameters come together.

    `KeyConditions` may come with any expression but its own.
    """
    if _LEGACY_NAMES.isdisjoint(request):
        return
    legacy = [name for name in LEGACY if request.get(name) is not None]
    if request.get("KeyConditions") is not None and request.get("KeyConditionExpression"):
        legacy.append("KeyConditions")
    if not legacy:
        return
    modern = [name for name in EXPRESSIONS if request.get(name) is not None]
    if modern:
        raise ValidationException(
            "Can not use both expression and non-expression parameters in the same request: "
            f"Non-expression parameters: {{{', '.join(legacy)}}} "
            f"Expression parameters: {{{', '.join(modern)}}}"
        )


class Substitutions:
    """The names and values of one request, with what its expressions use of them.

    Raises ValidationException for placeholders that are not well formed, and, when `expressions`
    (the parameters that may hold expressions) are all absent, for placeholders without use.
    """

    __slots__ = ("_names", "_names_used", "_values_used", "given", "values")

    def __init__(self, request: Mapping[str, Any], expressions: Sequence[str]) -> None:
        names: Mapping[str, str] | None = request.get(NAMES)
        values: Mapping[str, Value] | None = request.get(VALUES)
        self.given = names or {}
        self.values = values or {}
        self._names: Names = ()
        self._names_used: set[str] = set()
        self._values_used: set[str] = set()
        if names is None and values is None:
            return
        has_any = any(request.get(name) is not None for name in expressions)
        if names is not None:
            _check_names(names, has_any)
            self._names = tuple(names.items())
        if values is not None:
            _check_values(values, has_any, expressions)

    def condition(self, parameter: str, text: str) -> CompiledCondition:
        """The condition of a parameter. Raises ValidationException."""
        compiled = compile_condition(parameter, text, self._names)
        self._use(compiled.uses)
        return compiled

    def update(self, parameter: str, text: str) -> CompiledUpdate:
        """The update of a parameter. Raises ValidationException."""
        compiled = compile_update(parameter, text, self._names)
        self._use(compiled.uses)
        return compiled

    def projection(self, parameter: str, text: str) -> CompiledProjection:
        """The projection of a parameter. Raises ValidationException."""
        compiled = compile_projection(parameter, text, self._names)
        self._use(compiled.uses)
        return compiled

    def _use(self, uses: Uses) -> None:
        values = self.values
        for name in uses.values:
            if name not in values:
                raise ValidationException(
                    f"Invalid {uses.parameter}: An expression attribute value used in expression "
                    f"is not defined; attribute value: {name}"
                )
        for check in uses.late:
            said = check(values)
            if said is not None:
                raise ValidationException(f"Invalid {uses.parameter}: {said}")
        self._names_used |= uses.names
        self._values_used.update(uses.values)

    def finish(self) -> None:
        """Raise ValidationException when a placeholder was given and is not used."""
        for parameter, given, used in (
            (NAMES, self.given, self._names_used),
            (VALUES, self.values, self._values_used),
        ):
            if len(used) != len(given):
                unused = ", ".join(name for name in given if name not in used)
                raise ValidationException(
                    f"Value provided in {parameter} unused in expressions: keys: {{{unused}}}"
                )


def _check_names(names: Mapping[str, str], has_any: bool) -> None:
    if not has_any:
        raise ValidationException(f"{NAMES} can only be specified when using expressions")
    if not names:
        raise ValidationException(f"{NAMES} must not be empty")
    for placeholder, name in names.items():
        if not _NAME.match(placeholder) or len(placeholder) > PLACEHOLDER_CHARACTERS_MAX:
            raise ValidationException(
                f'{NAMES} contains invalid key: Syntax error; key: "{placeholder}"'
            )
        if not name:
            raise ValidationException(
                f"{NAMES} contains invalid value: Empty attribute name for key {placeholder}"
            )
        if len(name.encode()) > ATTRIBUTE_NAME_BYTES_MAX:
            raise ValidationException(
                f"{NAMES} contains invalid value: Attribute name is too large, must be less than "
                f"{ATTRIBUTE_NAME_BYTES_MAX + 1} bytes for key {placeholder}"
            )


def _check_values(values: Mapping[str, Value], has_any: bool, expressions: Sequence[str]) -> None:
    if not has_any:
        told = " and ".join(name for name in expressions if name != "ProjectionExpression")
        are = "are" if " and " in told else "is"
        raise ValidationException(
            f"{VALUES} can only be specified when using expressions: {told} {are} null"
        )
    if not values:
        raise ValidationException(f"{VALUES} must not be empty")
    for placeholder, value in values.items():
        if not _VALUE.match(placeholder) or len(placeholder) > PLACEHOLDER_CHARACTERS_MAX:
            raise ValidationException(
                f'{VALUES} contains invalid key: Syntax error; key: "{placeholder}"'
            )
        try:
            check_value(value)
        except ValidationException as error:
            raise ValidationException(
                f"{VALUES} contains invalid value: {error.message} for key {placeholder}"
            ) from None
