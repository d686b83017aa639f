"""Identity sources: where in a request an authorizer looks. Pure.

https://docs.aws.amazon.com/apigateway/latest/api/API_Authorizer.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cumulet.core.http import Headers
from cumulet.services.apigateway.admission.limits import IDENTITY_SOURCES_MAX

_SOURCE = re.compile(
    r"(?:method\.request\.(?P<place>header|querystring|multivalueheader|multivaluequerystring)\."
    r"(?P<name>[A-Za-z0-9!#$%&'*+\-.^_`|~]+)"
    r"|(?P<other>stageVariables|context)\.(?P<path>[A-Za-z0-9_\-.]+))\Z"
)


class Source(NamedTuple):
    """One identity source: `place` is `header`, `querystring`, `stageVariables` or `context`."""

    place: str
    name: str


class Asked(NamedTuple):
    """What of a request identity sources are read from."""

    headers: Headers
    query: Callable[[], list[tuple[str, str]]]
    variables: Mapping[str, str] | None
    context: Callable[[], Mapping[str, Any]]


def parse_sources(text: str) -> tuple[Source, ...]:
    """The sources of a list with commas. Raises ValueError."""
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        matched = _SOURCE.match(part)
        if matched is None:
            raise ValueError(part)
        if matched["other"]:
            found.append(Source(matched["other"], matched["path"]))
        else:
            place = matched["place"].removeprefix("multivalue")
            name = matched["name"].lower() if place == "header" else matched["name"]
            found.append(Source(place, name))
    if len(found) > IDENTITY_SOURCES_MAX:
        raise ValueError(text)
    return tuple(found)


def identity_of(sources: tuple[Source, ...], asked: Asked) -> tuple[str, ...] | None:
    """The value of every source; None when one is missing or empty."""
    found = []
    for source in sources:
        value = _value_of(source, asked)
        if not value:
            return None
        found.append(value)
    return tuple(found)


def _value_of(source: Source, asked: Asked) -> str:
    match source.place:
        case "header":
            return ",".join(asked.headers.all(source.name))
        case "querystring":
            return ",".join(value for name, value in asked.query() if name == source.name)
        case "stageVariables":
            return (asked.variables or {}).get(source.name, "")
    value: Any = asked.context()
    for part in source.name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return "" if value is None else str(value)
