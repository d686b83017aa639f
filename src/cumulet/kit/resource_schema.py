"""Holds the properties of a CloudFormation resource against its type's schema. Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

from cumulet.kit.resources import Kind

_WHOLE = re.compile(r"[+-]?[0-9]{1,30}\Z")
_WANTED = {
    "text": "of type String",
    "number": "of type Number",
    "flag": "of type Boolean",
    "list": "of type List",
    "json": "an object",
    "map": "an object",
    "struct": "an object",
}


class PropertyError(Exception):
    """A property that the type does not have, lacks, or that has the wrong form."""


def never(value: Any) -> bool:
    """Every value is known."""
    return False


def checked(kind: Kind, value: Any, is_open: Callable[[Any], bool] = never) -> Any:
    """`value` in the form that `kind` says: numbers and booleans out of texts, JSON out of text.

    A part for which `is_open` holds is not known yet, and is left as it is. Raises PropertyError
    whose message names the property.
    """
    return _checked(kind, value, is_open, "")


def _checked(kind: Kind, value: Any, is_open: Callable[[Any], bool], path: str) -> Any:
    if is_open(value):
        return value
    if value is None:
        raise PropertyError(f"Property {path} cannot be empty.")
    match kind.name:
        case "text":
            return _text(value, path)
        case "number":
            return _number(value, path)
        case "flag":
            return _flag(value, path)
        case "json":
            return _json(value, path)
        case "list":
            return _list(kind, value, is_open, path)
        case "map":
            return _map(kind, value, is_open, path)
        case "struct":
            return _struct(kind, value, is_open, path)


def _wrong(name: str, path: str) -> PropertyError:
    return PropertyError(f"Value of property {path or 'Properties'} must be {_WANTED[name]}")


def _text(value: Any, path: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return json.dumps(value)
    raise _wrong("text", path)


def _number(value: Any, path: str) -> int | float:
    if isinstance(value, bool):
        raise _wrong("number", path)
    if isinstance(value, str) and _WHOLE.match(value):
        return int(value)
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise _wrong("number", path) from None
    if not math.isfinite(number):
        raise _wrong("number", path)
    if isinstance(value, int):
        return value
    return int(number) if number.is_integer() else number


def _flag(value: Any, path: str) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise _wrong("flag", path)


def _json(value: Any, path: str) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise _wrong("json", path) from None


def _list(kind: Kind, value: Any, is_open: Callable[[Any], bool], path: str) -> list[Any]:
    if not isinstance(value, list):
        raise _wrong("list", path)
    if kind.item is None:
        return value
    return [_checked(kind.item, item, is_open, f"{path}.{n}") for n, item in enumerate(value)]


def _map(kind: Kind, value: Any, is_open: Callable[[Any], bool], path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong("map", path)
    if kind.item is None:
        return value
    return {
        name: _checked(kind.item, item, is_open, _under(path, name)) for name, item in value.items()
    }


def _struct(kind: Kind, value: Any, is_open: Callable[[Any], bool], path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong("struct", path)
    strange = [name for name in value if name not in kind.members]
    if strange:
        raise PropertyError(f"Encountered unsupported property {_under(path, strange[0])}")
    missing = sorted(name for name in kind.required if name not in value)
    if missing:
        raise PropertyError(f"Property {_under(path, missing[0])} cannot be empty.")
    return {
        name: _checked(kind.members[name], item, is_open, _under(path, name))
        for name, item in value.items()
    }


def _under(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
