"""Parameter mappings: `integration.request.header.x` from `method.request.path.y`, and back. Pure.

Follows https://docs.aws.amazon.com/apigateway/latest/developerguide/request-response-data-mappings.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from cumulet.services.apigateway.errors import BadRequestException

Kind = Literal["static", "context", "stage", "body", "one", "many"]

_NAME = r"[a-zA-Z0-9._$\-]+"
_REQUEST_TARGET = re.compile(rf"integration\.request\.(header|path|querystring)\.({_NAME})\Z")
_RESPONSE_TARGET = re.compile(rf"method\.response\.(header)\.({_NAME})\Z")
_REQUEST_SOURCE = re.compile(
    rf"method\.request\.(multivalueheader|multivaluequerystring|header|path|querystring)\.({_NAME})\Z"
)
_RESPONSE_SOURCE = re.compile(rf"integration\.response\.(multivalueheader|header)\.({_NAME})\Z")
_PLACES = {"multivalueheader": "header", "multivaluequerystring": "querystring"}


@dataclass(frozen=True, slots=True)
class Source:
    """Where a mapped value comes from.

    `place` is `header`, `path` or `querystring`; `name` is the parameter's, the variable's or the
    static text itself; for a body it is the JSON path behind `$`, "" for the whole.
    """

    kind: Kind
    place: str
    name: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """One assignment: the value of `source` becomes `name` in `place` of the message."""

    place: str
    name: str
    source: Source


def parse_source(text: str, side: Literal["request", "response"]) -> Source | None:
    """Read the right-hand side of a mapping; None when it is not one."""
    if len(text) >= 2 and text.startswith("'") and text.endswith("'"):
        return Source("static", "", text[1:-1])
    if text.startswith("context."):
        return Source("context", "", text.removeprefix("context."))
    if text.startswith("stageVariables."):
        return Source("stage", "", text.removeprefix("stageVariables."))
    body = "method.request.body" if side == "request" else "integration.response.body"
    if text == body or text.startswith((body + ".", body + "[")):
        return Source("body", "body", text.removeprefix(body))
    pattern = _REQUEST_SOURCE if side == "request" else _RESPONSE_SOURCE
    if (found := pattern.match(text)) is None:
        return None
    place, name = found.groups()
    kind: Kind = "many" if place in _PLACES else "one"
    return Source(kind, _PLACES.get(place, place), name)


def parse_request_mappings(
    given: Mapping[str, str] | None, declared: Iterable[str] | None
) -> tuple[Assignment, ...]:
    """The request mappings of an integration; `declared` are the method's request parameters.

    Raises BadRequestException. None for `declared` skips the check that a source is declared.
    """
    known = None if declared is None else {_bare(name) for name in declared}
    return tuple(
        _parse(target, text, _REQUEST_TARGET, "request", known)
        for target, text in (given or {}).items()
    )


def parse_response_mappings(
    given: Mapping[str, str] | None, declared: Iterable[str] | None
) -> tuple[Assignment, ...]:
    """The mappings of an integration response; `declared` are the method response's parameters.

    Raises BadRequestException.
    """
    known = None if declared is None else set(declared)
    for target in given or ():
        if known is not None and target not in known:
            raise bad_mapping(f"Invalid mapping expression parameter specified: {target}")
    return tuple(
        _parse(target, text, _RESPONSE_TARGET, "response", None)
        for target, text in (given or {}).items()
    )


def _bare(declared: str) -> str:
    return declared.removeprefix("method.request.")


def _parse(
    target: str,
    text: str,
    pattern: re.Pattern[str],
    side: Literal["request", "response"],
    known: set[str] | None,
) -> Assignment:
    found = pattern.match(target)
    if found is None:
        raise bad_mapping(f"Invalid mapping expression specified: {target}")
    source = parse_source(text, side)
    if source is None:
        raise bad_mapping(f"Invalid mapping expression specified: {text}")
    if (
        known is not None
        and source.kind in ("one", "many")
        and f"{source.place}.{source.name}" not in known
    ):
        raise bad_mapping(f"Invalid mapping expression parameter specified: {text}")
    return Assignment(found[1], found[2], source)


def bad_mapping(words: str) -> BadRequestException:
    """AWS's frame around what is wrong with a mapping."""
    return BadRequestException(
        "Invalid mapping expression specified: Validation Result: warnings : [], "
        f"errors : [{words}]"
    )


_METHOD_PARAMETER = re.compile(rf"method\.request\.(querystring|header|path)\.({_NAME})\Z")
_METHOD_RESPONSE_PARAMETER = re.compile(rf"method\.response\.header\.({_NAME})\Z")


def check_method_parameters(given: Mapping[str, bool] | None) -> None:
    """Raise BadRequestException unless a method may declare these request parameters."""
    names: list[str] = []
    for parameter in given or ():
        found = _METHOD_PARAMETER.match(parameter)
        if found is None:
            raise bad_mapping(f"Invalid mapping expression specified: {parameter}")
        names.append(found[2])
    if len(set(names)) != len(names):
        raise BadRequestException(
            "Parameter names must be unique across querystring, header and path"
        )


def check_method_response_parameters(given: Mapping[str, bool] | None) -> None:
    """Raise BadRequestException unless a method response may declare these headers."""
    for parameter in given or ():
        if not _METHOD_RESPONSE_PARAMETER.match(parameter):
            raise bad_mapping(f"Invalid mapping expression specified: {parameter}")
