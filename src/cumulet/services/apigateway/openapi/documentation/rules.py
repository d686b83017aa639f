"""What may be documented, and how documents hold it. Pure.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-documenting-api-content-representation.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from cumulet.services.apigateway.errors import BadRequestException
from cumulet.services.apigateway.openapi.documentation.limits import PROPERTIES_BYTES_MAX
from cumulet.services.apigateway.openapi.documentation.model import Location, Part
from cumulet.services.apigateway.rules.names import HTTP_METHODS

EXTENSION = "x-amazon-apigateway-documentation"

_METHOD = ("path", "method")
_RESPONSE = (*_METHOD, "statusCode")
_FIELDS: dict[str, tuple[str, ...]] = {
    "API": (),
    "AUTHORIZER": ("name",),
    "MODEL": ("name",),
    "RESOURCE": ("path",),
    "METHOD": _METHOD,
    "PATH_PARAMETER": (*_METHOD, "name"),
    "QUERY_PARAMETER": (*_METHOD, "name"),
    "REQUEST_HEADER": (*_METHOD, "name"),
    "REQUEST_BODY": _METHOD,
    "RESPONSE": _RESPONSE,
    "RESPONSE_HEADER": (*_RESPONSE, "name"),
    "RESPONSE_BODY": _RESPONSE,
}
_DEFAULTS = {"path": "/", "method": "*", "statusCode": "*"}


def parse_location(given: Mapping[str, Any]) -> Location:
    """A location with AWS's defaults. Raises BadRequestException."""
    kind = str(given.get("type") or "").upper()
    if kind not in _FIELDS:
        raise BadRequestException(f"Invalid documentation part location type: {kind}")
    said = {key: str(value) for key, value in given.items() if key != "type" and value is not None}
    if strange := sorted(set(said) - set(_FIELDS[kind])):
        raise BadRequestException(
            f"The documentation part location of type {kind} has no field {strange[0]}"
        )
    fields = {key: said.get(key, _DEFAULTS.get(key)) for key in _FIELDS[kind]}
    if "name" in fields and not fields["name"]:
        raise BadRequestException(f"The documentation part location of type {kind} requires a name")
    path, method = fields.get("path"), fields.get("method")
    if path is not None and not path.startswith("/"):
        raise BadRequestException("The documentation part location's path must begin with /")
    if method is not None:
        fields["method"] = method = method.upper()
        if method not in (*HTTP_METHODS, "ANY", "*"):
            raise BadRequestException(f"Invalid documentation part location method: {method}")
    return msgspec.convert({"type": kind, **fields}, Location)


def parse_properties(text: str) -> str:
    """The properties of a part: the text of a JSON object. Raises BadRequestException."""
    if len(text.encode()) > PROPERTIES_BYTES_MAX:
        raise BadRequestException(
            f"Documentation part properties are larger than {PROPERTIES_BYTES_MAX} bytes."
        )
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as cause:
        raise BadRequestException("Documentation part properties must be JSON.") from cause
    if not isinstance(said, dict) or not said:
        raise BadRequestException("Documentation part properties must be a non-empty JSON object.")
    return text


Said = tuple[Location, str]


def read_parts(document: Mapping[str, Any]) -> list[Said]:
    """The documentation that an OpenAPI document's extension holds. Raises BadRequestException."""
    extension = document.get(EXTENSION)
    listed = extension.get("documentationParts") if isinstance(extension, Mapping) else None
    found: dict[Location, str] = {}
    for given in listed if isinstance(listed, list) else ():
        properties = given.get("properties") if isinstance(given, Mapping) else None
        if not isinstance(given, Mapping) or not isinstance(given.get("location"), Mapping):
            raise BadRequestException("A documentation part has no location.")
        text = properties if isinstance(properties, str) else json.dumps(properties)
        found[parse_location(given["location"])] = parse_properties(text)
    return list(found.items())


def write_parts(parts: Iterable[Part], version: str | None) -> dict[str, Any]:
    """The extension that holds these parts."""
    extension: dict[str, Any] = {
        "documentationParts": [
            {
                "location": msgspec.to_builtins(part.location),
                "properties": json.loads(part.properties),
            }
            for part in parts
        ]
    }
    return {"version": version, **extension} if version else extension


def merged_properties(old: str, new: str) -> str:
    """The properties of both; where both say something, the new."""
    return json.dumps({**json.loads(old), **json.loads(new)}, ensure_ascii=False)
