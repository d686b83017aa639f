"""Literals of PartiQL as attribute values, with the parameters in them filled in later."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.items.numbers import canonical_number
from cumulet.services.dynamodb.items.values import Value
from cumulet.services.dynamodb.limits import NUMBER_CHARACTERS_MAX
from cumulet.services.dynamodb.plans.partiql.tree import Given
from cumulet.services.dynamodb.plans.partiql.words import NOT_WELL_FORMED

_SCALE_MAX = (1 << 31) - 1
_EXPONENT = re.compile(r"(?:\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?\Z", re.ASCII)
_SETS = {"S": "SS", "N": "NS", "B": "BS"}


def number_literal(text: str, path: str) -> Value:
    """A number as an attribute value. Raises ValidationException."""
    found = _EXPONENT.match(text.lstrip("-"))
    if found is not None and len(text) <= NUMBER_CHARACTERS_MAX:
        exponent = int(found[2] or "0")
        scale = len(found[1] or "") - exponent
        if abs(exponent) > _SCALE_MAX or abs(scale) > _SCALE_MAX:
            raise ValidationException(NOT_WELL_FORMED)
        if abs(exponent) > NUMBER_CHARACTERS_MAX:
            # Beyond every bound on either side, and needless to be written out.
            text = re.sub(r"[eE].*", "e999" if exponent > 0 else "e-999", text)
    try:
        return {"N": canonical_number(text)}
    except ValidationException as error:
        raise ValidationException(f"{error.message} under {path}") from None


def set_literal(members: Sequence[Any]) -> Value:
    """A set of values of one kind. Raises ValidationException."""
    if not members:
        raise ValidationException("Empty bags are not supported")
    kinds = {next(iter(one)) for one in members if not isinstance(one, Given)}
    if any(isinstance(one, Given) for one in members):
        return {"bag": list(members)}
    return make_set(members, kinds)


def make_set(members: Sequence[Value], kinds: set[str]) -> Value:
    """A set of values without parameters. Raises ValidationException."""
    if len(kinds) != 1 or not kinds <= _SETS.keys():
        raise ValidationException(
            "Bags must have members of one kind: strings, numbers or binary values"
        )
    (kind,) = kinds
    texts = [one[kind] for one in members]
    if len(set(texts)) != len(texts):
        raise ValidationException(
            "One or more parameter values were invalid: Input collection "
            f"[{', '.join(map(str, texts))}] contains duplicates."
        )
    return {_SETS[kind]: texts}


def fill(template: Any, parameters: Sequence[Value]) -> Value:
    """A literal with its parameters. Raises ValidationException."""
    if isinstance(template, Given):
        return parameters[template.number]
    ((kind, content),) = template.items()
    if kind == "L":
        return {"L": [fill(one, parameters) for one in content]}
    if kind == "M":
        return {"M": {name: fill(one, parameters) for name, one in content.items()}}
    if kind == "bag":
        members = [fill(one, parameters) for one in content]
        return make_set(members, {next(iter(one)) for one in members})
    if isinstance(content, list):
        return {kind: list(content)}
    return {kind: content}
