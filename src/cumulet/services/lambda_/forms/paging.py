"""Markers of Lambda's lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.kit.pages import make_token, read_token
from cumulet.services.lambda_.errors import InvalidParameterValueException


def read_marker(request: Mapping[str, Any]) -> list[str | int] | None:
    """The place where the page begins; None for the first one."""
    marker = request.get("Marker")
    if not marker:
        return None
    try:
        place = read_token(marker)
    except ValueError:
        place = None
    if not isinstance(place, list) or not place:
        raise InvalidParameterValueException("Invalid Marker")
    return place


def write_marker(*place: str | int) -> str:
    """The marker of the page that begins behind this place."""
    return make_token(list(place))
