"""Reading the fields of a body: each has a type, and what is not known is refused by its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cumulet.services.bedrock.errors import ValidationException
from cumulet.services.bedrock.limits import BODY_DEPTH_MAX
from cumulet.services.bedrock.model import Json

_AGAIN = "please reformat your input and try again."


def malformed(words: str) -> ValidationException:
    """A body that is not of the family's form."""
    return ValidationException(f"Malformed input request: {words}, {_AGAIN}")


def check_depth(value: Any, depth: int = 0) -> None:
    """Raise ValidationException when objects and lists are nested too deeply."""
    if depth > BODY_DEPTH_MAX:
        raise malformed("it is nested too deeply")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        check_depth(one, depth + 1)


def check_known(body: Json, known: Sequence[str], where: str = "#") -> None:
    """Raise ValidationException for a field that is not one of these."""
    for name in body:
        if name not in known:
            raise malformed(f"{where}: extraneous key [{name}] is not permitted")


def text_field(body: Json, name: str, *, needed: bool = False) -> str:
    """A text; empty when it is not there and need not be."""
    value = body.get(name)
    if value is None:
        if needed:
            raise malformed(f"#: required key [{name}] not found")
        return ""
    if not isinstance(value, str):
        raise malformed(f"#/{name}: expected type: String")
    return value


def whole_field(body: Json, name: str, least: int = 1) -> int | None:
    """A whole number, or None."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise malformed(f"#/{name}: expected type: Integer")
    if value < least:
        raise malformed(f"#/{name}: {value} is not greater or equal to {least}")
    return value


def number_field(body: Json, name: str, most: float = 1.0) -> float | None:
    """A number from 0 to `most`, or None."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise malformed(f"#/{name}: expected type: Number")
    if not 0 <= value <= most:
        raise malformed(f"#/{name}: {value} is not between 0 and {most:g}")
    return float(value)


def list_field(body: Json, name: str, *, needed: bool = False) -> list[Any]:
    """A list; empty when it is not there and need not be."""
    value = body.get(name)
    if value is None and not needed:
        return []
    if not isinstance(value, list) or (needed and not value):
        raise malformed(f"#/{name}: expected a list of at least one element")
    return value


def object_field(body: Json, name: str) -> Json:
    """An object; empty when it is not there."""
    value = body.get(name)
    if value is None:
        return {}
    return an_object(value, f"#/{name}")


def an_object(value: Any, where: str) -> Json:
    """The value, which must be an object."""
    if not isinstance(value, dict):
        raise malformed(f"{where}: expected type: JSONObject")
    return value
