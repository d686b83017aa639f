"""The errors of apigatewayv2 that REST APIs do not have, and the sentences for absent parts."""

from __future__ import annotations

from typing import ClassVar

from cumulet.core.errors import AwsError
from cumulet.services.apigateway.errors import NotFoundException


class TooManyRequestsException(AwsError):
    """A bound of `limits.py` would be passed; the model has no other error for it."""

    status: ClassVar[int | None] = 429


def too_many(things: str, most: int, owner: str = "this API") -> TooManyRequestsException:
    """There are as many of them as there may be."""
    return TooManyRequestsException(
        f"Maximum number of {things} ({most}) for {owner} has been reached.", LimitType=things
    )


def no_part(kind: str, part_id: str) -> NotFoundException:
    """The API has no such part; `kind` is in AWS's spelling, as `Route`."""
    return NotFoundException(f"Invalid {kind} identifier specified {part_id}", ResourceType=kind)


def no_stage() -> NotFoundException:
    """The API has no such stage."""
    return NotFoundException("Invalid stage identifier specified", ResourceType="Stage")


def no_route_settings(key: str) -> NotFoundException:
    """Settings are given for a route key that the API does not have."""
    return NotFoundException(f"Unable to find Route by key {key} within the provided RouteSettings")
