"""Values that a template may have before everything is made: known, not yet known, and none."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final


class _NoValue:
    """What `Ref: AWS::NoValue` gives: the property is as if it had not been written."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "NO_VALUE"


NO_VALUE: Final = _NoValue()


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that is known only after these `Logical` or `Logical.Attribute` exist."""

    causes: frozenset[str]


def unknown_in(value: Any) -> Unknown | None:
    """All causes for which a part of `value` is not known yet, or None when all is known."""
    causes: set[str] = set()
    _collect(value, causes)
    return Unknown(frozenset(causes)) if causes else None


def _collect(value: Any, causes: set[str]) -> None:
    if isinstance(value, Unknown):
        causes.update(value.causes)
    elif isinstance(value, dict):
        for item in value.values():
            _collect(item, causes)
    elif isinstance(value, list | tuple):
        for item in value:
            _collect(item, causes)


def without_none(value: Any) -> Any:
    """`value` with every member and item that is NO_VALUE left out."""
    if isinstance(value, dict):
        return {k: without_none(v) for k, v in value.items() if v is not NO_VALUE}
    if isinstance(value, list):
        return [without_none(item) for item in value if item is not NO_VALUE]
    return value


def as_text(value: Any) -> str | None:
    """A scalar as text in CloudFormation's way, or None when it is no scalar."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return json.dumps(value)
    return None


def to_json(value: Any) -> str:
    """Compact JSON, with the members in their order."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
