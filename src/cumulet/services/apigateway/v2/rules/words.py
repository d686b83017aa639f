"""Members of requests: their lengths and numbers, pages, and how a record takes them over. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from cumulet.kit.pages import make_token, read_token
from cumulet.services.apigateway.errors import BadRequestException
from cumulet.services.apigateway.v2.limits import PAGE_DEFAULT, PAGE_MAX, PART_BYTES_MAX

R = TypeVar("R", bound=msgspec.Struct)
Request = Mapping[str, Any]

_LENGTHS = {
    "Name": (1, 128),
    "Description": (0, 1_024),
    "Version": (0, 64),
    "RouteKey": (1, 128),
    "Target": (0, 2_048),
    "OperationName": (0, 64),
    "RouteSelectionExpression": (0, 128),
    "ApiKeySelectionExpression": (0, 128),
    "ModelSelectionExpression": (0, 128),
    "RouteResponseSelectionExpression": (0, 128),
    "TemplateSelectionExpression": (0, 128),
    "RouteResponseKey": (1, 128),
    "IntegrationResponseKey": (1, 128),
    "IntegrationUri": (0, 2_048),
    "IntegrationSubtype": (0, 128),
    "AuthorizerUri": (0, 2_048),
    "StageName": (1, 128),
    "ContentType": (1, 256),
    "Schema": (0, 32_768),
}


def check_lengths(request: Request) -> None:
    """Raise BadRequestException for a text that is longer or shorter than the model says.

    An empty text takes an optional member away.

    https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/operations.html
    """
    for name, (low, high) in _LENGTHS.items():
        value = request.get(name)
        if isinstance(value, str) and not low <= len(value) <= high:
            raise BadRequestException(f"{name} must be between {low} and {high} characters long")


def refuse_members(request: Request, names: Iterable[str], because: str) -> None:
    """Raise BadRequestException when one of these members says something."""
    for name in names:
        if request.get(name) not in (None, False, "", [], {}):
            raise BadRequestException(f"{name} is {because}")


def members(request: Request, names: Iterable[str]) -> dict[str, Any]:
    """The members that the request gives."""
    return {name: request[name] for name in names if request.get(name) is not None}


def made(kind: type[R], document: Mapping[str, Any]) -> R:
    """A record from members in AWS's spelling; an empty text counts as not given.

    Raises BadRequestException.
    """
    kept = {name: value for name, value in document.items() if value not in (None, "")}
    if len(msgspec.msgpack.encode(kept)) > PART_BYTES_MAX:
        raise BadRequestException(f"{kind.__name__} is larger than {PART_BYTES_MAX} bytes")
    try:
        return msgspec.convert(kept, kind)
    except msgspec.ValidationError as cause:
        raise BadRequestException(f"Invalid {kind.__name__} specified: {cause}") from cause


def merged(record: R, given: Mapping[str, Any], joined: Iterable[str] = ()) -> dict[str, Any]:
    """The record's members with the given ones in their place.

    The maps in `joined` are joined with what was there; an empty value takes an entry away.
    """
    document: dict[str, Any] = msgspec.to_builtins(record)
    joined = set(joined)
    for name, value in given.items():
        if name in joined and isinstance(value, Mapping):
            both = {**document.get(name, {}), **value}
            document[name] = {key: one for key, one in both.items() if one not in ("", {})}
        else:
            document[name] = value
    return document


def page_of(request: Request) -> tuple[str, int]:
    """After which id a listing goes on, and how long a page is. Raises BadRequestException."""
    text = request.get("MaxResults") or str(PAGE_DEFAULT)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= PAGE_MAX:
        raise BadRequestException(f"MaxResults must be between 1 and {PAGE_MAX}")
    token = request.get("NextToken")
    if not token:
        return "", int(text)
    try:
        return str(read_token(token)), int(text)
    except ValueError as cause:
        raise BadRequestException("Invalid NextToken specified") from cause


def page(found: Iterable[tuple[str, dict[str, Any]]], request: Request) -> dict[str, Any]:
    """One page of views with their ids, which come in the order of the ids."""
    after, limit = page_of(request)
    left = [one for one in found if one[0] > after]
    answer: dict[str, Any] = {"Items": [shown for _, shown in left[:limit]]}
    if len(left) > limit:
        answer["NextToken"] = make_token(left[limit - 1][0])
    return answer
