"""Values of HTTP APIs' mappings: static text with `$request.…`, `$context.…` and the like. Pure.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeAlias, cast

from cumulet.services.apigateway.rules.mapping import bad_mapping
from cumulet.services.apigateway.templates import BadPath, find

Side = Literal["request", "response"]
Place = Literal["header", "querystring", "path", "body", "context", "stageVariables"]

_NAME = r"[A-Za-z0-9_.\[\]*!#%&'^`|~+:-]+"
_VARIABLE = re.compile(
    rf"\$(?:(?P<side>request|response)\.(?P<place>header|querystring|path|body)(?:\.(?P<name>{_NAME})|(?P<index>\[[^\]\s]*\][^\s]*))?"
    rf"|(?P<scope>context|stageVariables)\.(?P<variable>{_NAME}))\Z"
)
_BRACED = re.compile(r"\$\{([^{}]*)\}")
_LEADING = re.compile(r"\$(?:request|response|context|stageVariables)\b")


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable; the name of a body is its JSON path from `$`, "" is the whole."""

    place: Place
    name: str


Expression: TypeAlias = tuple[str | Variable, ...]
"""Texts and variables that stand side by side."""


@lru_cache(maxsize=4_096)
def parse_expression(text: str, side: Side) -> Expression:
    """Read a value: one `$variable`, or text with `${variable}` in it. Raises BadRequestException.

    On the way in `$request.…` is known, on the way back `$response.…`.
    """
    if _LEADING.match(text) and not any(mark in text for mark in " {}"):
        return (_variable(text, side),)
    pieces: list[str | Variable] = []
    at = 0
    for found in _BRACED.finditer(text):
        pieces += [text[at : found.start()], _variable(f"${found[1]}", side)]
        at = found.end()
    pieces.append(text[at:])
    return tuple(piece for piece in pieces if piece != "")


def _variable(text: str, side: Side) -> Variable:
    found = _VARIABLE.match(text)
    if found is None or found["side"] not in (None, side):
        raise bad_mapping(f"Invalid mapping expression specified: {text}")
    if found["scope"]:
        return Variable(cast(Place, found["scope"]), found["variable"])
    place = cast(Place, found["place"])
    name = found["name"] or ""
    if side == "response" and place in ("querystring", "path"):
        raise bad_mapping(f"Invalid mapping expression specified: {text}")
    if place in ("header", "querystring") and not name:
        raise bad_mapping(f"Invalid mapping expression specified: {text}")
    if place == "body":
        name = found["index"] or (f".{name}" if name else "")
    return Variable(place, name)


def evaluate(expression: Expression, values: Callable[[Variable], Any]) -> Any:
    """The value: one variable keeps its type, several are joined as text; None when all are."""
    if len(expression) == 1:
        piece = expression[0]
        return piece if isinstance(piece, str) else values(piece)
    found = [piece if isinstance(piece, str) else values(piece) for piece in expression]
    return "".join(text_of(value) for value in found)


def text_of(value: Any) -> str:
    """A value as it goes into a header, a query or a path."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case list() if all(not isinstance(item, list | dict) for item in value):
            return ",".join(text_of(item) for item in value)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def from_body(document: Any, path: str) -> Any:
    """What a body's JSON path finds; None when it finds nothing or is no path."""
    try:
        return find(document, f"${path}")
    except BadPath:
        return None


def dig(document: Mapping[str, Any], name: str) -> Any:
    """The value of a dotted name, such as `authorizer.claims.sub`; None when it is not there."""
    here: Any = document
    parts = name.split(".")
    for number, part in enumerate(parts):
        if not isinstance(here, Mapping):
            return None
        if (rest := ".".join(parts[number:])) in here:
            return here[rest]
        if part not in here:
            return None
        here = here[part]
    return here
