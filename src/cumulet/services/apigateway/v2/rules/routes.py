"""Routes: their keys, who may pass, and what only one of the protocols has. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cumulet.services.apigateway.errors import BadRequestException
from cumulet.services.apigateway.rules.names import ANY, HTTP_METHODS
from cumulet.services.apigateway.v2.limits import SCOPES_MAX
from cumulet.services.apigateway.v2.model import CONNECT, DEFAULT, HTTP, Route
from cumulet.services.apigateway.v2.rules.words import check_lengths, refuse_members

_SEGMENT = re.compile(r"(?:[^\s{}/?#]+|\{[A-Za-z0-9._:-]+\})\Z")
_GREEDY = re.compile(r"\{[A-Za-z0-9._:-]+\+\}\Z")
_TARGET = re.compile(r"integrations/[A-Za-z0-9]+\Z")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,64}\Z")
"""A scope as RFC 6749 §3.3 writes it: it is told in a header."""

_RESERVED = ("$connect", "$disconnect", DEFAULT)
_SOCKETS_ONLY = (
    "ApiKeyRequired",
    "ModelSelectionExpression",
    "RequestModels",
    "RequestParameters",
    "RouteResponseSelectionExpression",
)
_SOCKET_PARAMETER = re.compile(r"route\.request\.(?:header|querystring)\.[^\s.]+\Z")


def check_route_key(key: str, protocol: str) -> None:
    """Raise BadRequestException unless a route may have this key.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
    """
    if protocol != HTTP:
        if key.startswith("$") and key not in _RESERVED:
            raise BadRequestException(f"Invalid route key specified: {key}")
        return
    if key == DEFAULT:
        return
    method, space, path = key.partition(" ")
    known = method == ANY or method in HTTP_METHODS
    if not known or not space or not path.startswith("/") or not _is_path(path):
        raise BadRequestException(
            "The provided route key is not formatted properly for HTTP protocol. Format should "
            'be "<HTTP METHOD> /<RESOURCE PATH>" or "$default"'
        )


def _is_path(path: str) -> bool:
    parts = path[1:].split("/")
    if parts[-1] == "":
        parts.pop()
    names = [part.strip("{}+") for part in parts if part.startswith("{")]
    if len(set(names)) != len(names):
        return False
    if parts and _GREEDY.match(parts[-1]):
        parts.pop()
    return all(_SEGMENT.match(part) for part in parts)


def check_route(request: Mapping[str, Any], protocol: str) -> None:
    """Refuse members that routes of this protocol may not have. Raises BadRequestException."""
    check_lengths(request)
    if (key := request.get("RouteKey")) is not None:
        check_route_key(key, protocol)
    target = request.get("Target")
    if target and not _TARGET.match(target):
        raise BadRequestException(f"Invalid Target specified: {target}")
    scopes = request.get("AuthorizationScopes") or ()
    if len(scopes) > SCOPES_MAX:
        raise BadRequestException(f"A route may have at most {SCOPES_MAX} authorization scopes")
    if strange := [scope for scope in scopes if not _SCOPE.match(scope)]:
        raise BadRequestException(f"Invalid authorization scope specified: {strange[0]}")
    if protocol == HTTP:
        refuse_members(request, _SOCKETS_ONLY, "not supported for HTTP APIs")
    for name in request.get("RequestParameters") or ():
        if not _SOCKET_PARAMETER.match(name):
            raise BadRequestException(f"Invalid request parameter specified: {name}")


def check_authorization(route: Route, protocol: str, authorizer_type: str | None) -> None:
    """Refuse an authorization that cannot be carried out. Raises BadRequestException.

    `authorizer_type` is that of the route's authorizer, None when it names none.
    """
    kind = route.authorization_type
    if kind in ("NONE", "AWS_IAM"):
        if route.authorizer_id:
            raise BadRequestException(
                f"AuthorizerId cannot be specified for the authorization type {kind}"
            )
    elif authorizer_type is None:
        raise BadRequestException(f"AuthorizerId must be specified for {kind} authorization type")
    if kind == "JWT" and (protocol != HTTP or authorizer_type != "JWT"):
        raise BadRequestException("JWT authorization needs an authorizer of the type JWT")
    if kind == "CUSTOM" and authorizer_type != "REQUEST":
        raise BadRequestException("CUSTOM authorization needs an authorizer of the type REQUEST")
    if route.authorization_scopes and kind != "JWT":
        raise BadRequestException("AuthorizationScopes can only be specified for JWT authorization")
    if protocol != HTTP and kind != "NONE" and route.route_key != CONNECT:
        raise BadRequestException(
            "Currently, authorization is restricted to the $connect route only"
        )
