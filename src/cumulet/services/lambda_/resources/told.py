"""What the resource types share: copying members, and errors that mean nothing is left to do."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from typing import Any

from cumulet.core.errors import AwsError


def chosen(props: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The given properties among these."""
    return {name: props[name] for name in names if props.get(name) is not None}


async def unless_gone(act: Awaitable[Any]) -> Any:
    """The answer; None when what it is about does not exist."""
    try:
        return await act
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise
        return None
