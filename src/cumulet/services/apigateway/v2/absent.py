"""The sentences for parts of an API that are not there."""

from __future__ import annotations

from cumulet.services.apigateway.errors import NotFoundException


def no_part(kind: str, part_id: str) -> NotFoundException:
    """The API has no such part; `kind` is in AWS's spelling, as `Route`."""
    return NotFoundException(f"Invalid {kind} identifier specified {part_id}", ResourceType=kind)


def no_stage() -> NotFoundException:
    """The API has no such stage."""
    return NotFoundException("Invalid stage identifier specified", ResourceType="Stage")


def no_route_settings(key: str) -> NotFoundException:
    """Settings are given for a route key that the API does not have."""
    return NotFoundException(f"Unable to find Route by key {key} within the provided RouteSettings")
