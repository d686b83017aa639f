"""One closure for a shape and purpose, shared by all operations of a service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cumulet.wire.model import Shape


def shared(kind: str, shape: Shape, make: Callable[[], Any]) -> Any:
    """The shape's closure of that kind, made once; a recursive shape finds itself by name."""
    compiled = shape.service.compiled
    key = (kind, shape.name)
    found = compiled.get(key)
    if found is None:

        def forward(*values: Any) -> Any:
            return compiled[key](*values)

        compiled[key] = forward
        found = compiled[key] = make()
    return found
