"""Documentation parts, and the versions that keep them as they were."""

from __future__ import annotations

import msgspec


class Location(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Which part of an API is documented. `*` stands for every method, or every status code."""

    type: str
    path: str | None = None
    method: str | None = None
    status_code: str | None = None
    name: str | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What is said of one location. `properties` is the text of a JSON object."""

    api_id: str
    id: str
    location: Location
    properties: str


class Version(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A snapshot of an API's documentation; its parts are `VersionedPart`s. Epoch seconds."""

    api_id: str
    version: str
    created_date: float
    description: str | None = None


class VersionedPart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One part as it was when a version was made."""

    version: str
    part: Part
