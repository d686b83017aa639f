"""The settings of an API: expressions, address, CORS. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cumulet.kit.tls.hosts import zone_of
from cumulet.services.apigateway.errors import BadRequestException
from cumulet.services.apigateway.rules.names import HTTP_METHODS
from cumulet.services.apigateway.v2.limits import CORS_MAX_AGE_MAX, CORS_VALUES_MAX
from cumulet.services.apigateway.v2.model import HTTP, Api, view
from cumulet.services.apigateway.v2.rules.words import check_lengths, refuse_members

HTTP_SELECTION = "$request.method $request.path"
_HTTP_SELECTIONS = (HTTP_SELECTION, "${request.method} ${request.path}")
KEY_SELECTION = "$request.header.x-api-key"
_KEY_SELECTIONS = (KEY_SELECTION, "$context.authorizer.usageIdentifierKey")
_SOCKET_SELECTION = re.compile(r"(?:[^$]|\$\{?request\.[A-Za-z0-9_.\[\]$-]+\}?)+\Z")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_ORIGIN = re.compile(r"(?:\*|[A-Za-z][A-Za-z0-9+.-]*://(?:\*|[^\s/*]+))\Z")


def check_api(request: Mapping[str, Any], protocol: str) -> None:
    """Refuse what an API of this protocol may not say. Raises BadRequestException."""
    check_lengths(request)
    selection = request.get("RouteSelectionExpression")
    if protocol == HTTP:
        refuse_members(request, ("DisableSchemaValidation",), "not supported for HTTP APIs")
        if selection is not None and selection not in _HTTP_SELECTIONS:
            raise BadRequestException(
                "Invalid RouteSelectionExpression specified. For HTTP APIs it must be "
                "${request.method} ${request.path}"
            )
    else:
        refuse_members(
            request,
            ("CorsConfiguration", "Target", "RouteKey", "CredentialsArn"),
            "not supported for WEBSOCKET APIs",
        )
        if selection is not None and not is_selection(selection):
            raise BadRequestException("Invalid RouteSelectionExpression specified")
    key = request.get("ApiKeySelectionExpression")
    if key is not None and key not in _KEY_SELECTIONS:
        raise BadRequestException("Invalid ApiKeySelectionExpression specified")
    check_cors(request.get("CorsConfiguration"))


def is_selection(text: str) -> bool:
    """Whether a WebSocket API may choose its routes so: text with `$request.…` in it.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-routes.html
    """
    return "$request." in text.replace("{", "") and _SOCKET_SELECTION.match(text) is not None


def check_cors(cors: Mapping[str, Any] | None) -> None:
    """Refuse a CORS configuration that browsers could not use. Raises BadRequestException.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
    """
    if not cors:
        return
    for name in ("AllowHeaders", "AllowMethods", "AllowOrigins", "ExposeHeaders"):
        if len(cors.get(name) or ()) > CORS_VALUES_MAX:
            raise BadRequestException(f"{name} may have at most {CORS_VALUES_MAX} entries")
    for name in ("AllowHeaders", "ExposeHeaders"):
        for header in cors.get(name) or ():
            if not _HEADER.match(header):
                raise BadRequestException(f"Invalid header in {name}: {header}")
    for method in cors.get("AllowMethods") or ():
        if method != "*" and method not in HTTP_METHODS:
            raise BadRequestException(f"Invalid method in AllowMethods: {method}")
    for origin in cors.get("AllowOrigins") or ():
        if not _ORIGIN.match(origin):
            raise BadRequestException(f"Invalid origin in AllowOrigins: {origin}")
    if cors.get("AllowCredentials") and "*" in (cors.get("AllowOrigins") or ()):
        raise BadRequestException(
            "AllowCredentials cannot be true when AllowOrigins contains a wildcard"
        )
    age = cors.get("MaxAge")
    if age is not None and not -1 <= age <= CORS_MAX_AGE_MAX:
        raise BadRequestException(f"MaxAge must be between -1 and {CORS_MAX_AGE_MAX}")


def api_view(api: Api, region: str, endpoint: str) -> dict[str, Any]:
    """The API as AWS shows it, with its address on this cloud."""
    scheme = endpoint.partition("://")[0]
    if api.protocol_type != HTTP:
        scheme = "wss" if scheme == "https" else "ws"
    place = f"{api.api_id}.execute-api.{region}.{zone_of(endpoint)}"
    shown = view(api, "Origin")
    return {**shown, "ApiEndpoint": f"{scheme}://{place}", "Tags": api.tags or {}}
