"""What an HTTP API changes in requests and answers on their way: parameter mappings. Pure.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cumulet.services.apigateway.errors import BadRequestException
from cumulet.services.apigateway.rules.mapping import bad_mapping
from cumulet.services.apigateway.v2.limits import MAPPINGS_MAX
from cumulet.services.apigateway.v2.rules.expressions import Expression, Side, parse_expression

_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z\[\]-]+"
_REQUEST = re.compile(
    rf"(?P<action>append|overwrite|remove):(?P<place>header|querystring)\.(?P<name>{_NAME})\Z"
    r"|(?P<path_action>overwrite):(?P<path>path)\Z"
)
_RESPONSE = re.compile(
    rf"(?P<action>append|overwrite|remove):(?P<place>header)\.(?P<name>{_NAME})\Z"
    r"|(?P<path_action>overwrite):(?P<path>statuscode)\Z"
)
_SOCKET_TARGET = re.compile(r"integration\.request\.(?:header|querystring|path)\.[^\s]+\Z")
_SOCKET_SOURCE = re.compile(
    r"'[^']*'\Z|route\.request\.(?:header|multivalueheader|querystring|multivaluequerystring|body|"
    r"multivaluebody)(?:[.\[][^\s]+)?\Z|(?:context|stageVariables)\.[^\s]+\Z|"
    r"request\.body(?:[.\[][^\s]+)?\Z"
)
_RESERVED = {
    *("authorization", "connection", "content-encoding", "content-length", "content-location"),
    *("forwarded", "keep-alive", "origin", "proxy-authenticate", "proxy-authorization", "te"),
    *("trailers", "transfer-encoding", "upgrade", "x-forwarded-for", "x-forwarded-host"),
    *("x-forwarded-proto", "via"),
}
_RESERVED_STARTS = ("access-control-", "apigw-", "x-amz-", "x-amzn-")


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a message; `place` is `header`, `querystring`, `path` or `statuscode`."""

    action: Literal["append", "overwrite", "remove"]
    place: str
    name: str
    value: Expression


def parse_changes(given: Mapping[str, str] | None, side: Side) -> tuple[Change, ...]:
    """The changes that `RequestParameters` or one status code of `ResponseParameters` ask for.

    Raises BadRequestException.
    """
    if len(given or ()) > MAPPINGS_MAX:
        raise BadRequestException(f"An integration may have at most {MAPPINGS_MAX} mappings")
    return tuple(_parse(target, text, side) for target, text in (given or {}).items())


def _parse(target: str, text: str, side: Side) -> Change:
    found = (_REQUEST if side == "request" else _RESPONSE).match(target)
    if found is None:
        word = "Request" if side == "request" else "Response"
        raise bad_mapping(f"Invalid {word} Actioned Parameter specified: {target}")
    action: Any = found["action"] or found["path_action"]
    place, name = found["place"] or found["path"], found["name"] or ""
    if place == "header" and is_reserved(name):
        raise bad_mapping(f"Operations on header {name} are restricted")
    if action == "remove":
        return Change(action, place, name, ())
    if place == "statuscode" and not _is_status(text):
        raise bad_mapping(f"Invalid mapping expression specified: {text}")
    return Change(action, place, name, parse_expression(text, side))


def _is_status(text: str) -> bool:
    return text.startswith("$") or (text.isdigit() and 200 <= int(text) <= 599)


def is_reserved(header: str) -> bool:
    """Whether no mapping may touch this header."""
    lowered = header.lower()
    return lowered in _RESERVED or lowered.startswith(_RESERVED_STARTS)


def check_response_parameters(given: Mapping[str, Mapping[str, str]] | None) -> None:
    """Raise BadRequestException unless answers may be changed so, by their status codes."""
    for status, changes in (given or {}).items():
        if not status.isdigit() or not 200 <= int(status) <= 599:
            raise BadRequestException(f"Invalid status code specified: {status}")
        parse_changes(changes, "response")


def check_socket_parameters(given: Mapping[str, str] | None) -> None:
    """Raise BadRequestException unless a WebSocket API may map these to its backend.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-data-mapping.html
    """
    for target, source in (given or {}).items():
        if not _SOCKET_TARGET.match(target):
            raise bad_mapping(f"Invalid mapping expression specified: {target}")
        if not _SOCKET_SOURCE.match(source):
            raise bad_mapping(f"Invalid mapping expression specified: {source}")
