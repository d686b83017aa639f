"""Authorizers: JWT for HTTP APIs, functions for both protocols. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from cumulet.services.apigateway.errors import BadRequestException
from cumulet.services.apigateway.rules.methods import check_credentials, lambda_function_of
from cumulet.services.apigateway.v2.limits import (
    AUDIENCES_MAX,
    AUTHORIZER_TTL_DEFAULT,
    AUTHORIZER_TTL_MAX,
    IDENTITY_SOURCES_MAX,
)
from cumulet.services.apigateway.v2.model import HTTP, Authorizer
from cumulet.services.apigateway.v2.rules.words import check_lengths, made, refuse_members

JWT = "JWT"
_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_HTTP_SOURCE = re.compile(
    rf"\$request\.(?:header|querystring)\.{_NAME}\Z|\$(?:context|stageVariables)\.[A-Za-z0-9_.]+\Z"
)
_JWT_SOURCE = re.compile(rf"\$request\.(?:header|querystring)\.{_NAME}\Z")
_SOCKET_SOURCE = re.compile(
    rf"route\.request\.(?:header|querystring)\.{_NAME}\Z|(?:context|stageVariables)\.[A-Za-z0-9_.]+\Z"
)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_FUNCTION_MEMBERS = (
    "AuthorizerCredentialsArn",
    "AuthorizerPayloadFormatVersion",
    "AuthorizerResultTtlInSeconds",
    "AuthorizerUri",
    "EnableSimpleResponses",
    "IdentityValidationExpression",
)


def parse_authorizer(document: Mapping[str, Any], protocol: str) -> Authorizer:
    """An authorizer from its members, with defaults. Raises BadRequestException.

    https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-authorizers.html
    """
    check_lengths(document)
    sources = document.get("IdentitySource") or ()
    if document["AuthorizerType"] == JWT:
        if protocol != HTTP:
            raise BadRequestException("JWT authorizers are only supported for HTTP APIs")
        refuse_members(document, _FUNCTION_MEMBERS, "not supported for JWT authorizers")
        _check_jwt(document.get("JwtConfiguration"), sources)
        return made(Authorizer, document)
    refuse_members(document, ("JwtConfiguration",), "only supported for JWT authorizers")
    refuse_members(document, ("IdentityValidationExpression",), "not supported")
    _check_function(document)
    _check_sources(sources, _HTTP_SOURCE if protocol == HTTP else _SOCKET_SOURCE)
    if protocol == HTTP:
        return made(Authorizer, _with_http_defaults(document, sources))
    refuse_members(
        document,
        (
            "AuthorizerPayloadFormatVersion",
            "AuthorizerResultTtlInSeconds",
            "EnableSimpleResponses",
        ),
        "only supported for HTTP APIs",
    )
    return made(Authorizer, document)


def _check_jwt(configuration: Mapping[str, Any] | None, sources: Sequence[str]) -> None:
    audience = (configuration or {}).get("Audience") or ()
    issuer = (configuration or {}).get("Issuer") or ""
    if not issuer or not audience:
        raise BadRequestException(
            "JwtConfiguration with an Issuer and an Audience must be specified for JWT authorizers"
        )
    if len(audience) > AUDIENCES_MAX:
        raise BadRequestException(f"An authorizer may have at most {AUDIENCES_MAX} audiences")
    parts = urlsplit(issuer)
    is_local = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not parts.hostname or (parts.scheme != "https" and not is_local):
        raise BadRequestException("Invalid issuer: it must be an https URL")
    if len(sources) != 1:
        raise BadRequestException("JWT authorizers must have exactly one IdentitySource")
    _check_sources(sources, _JWT_SOURCE)


def _check_sources(sources: Sequence[str], pattern: re.Pattern[str]) -> None:
    if len(sources) > IDENTITY_SOURCES_MAX:
        raise BadRequestException(
            f"An authorizer may have at most {IDENTITY_SOURCES_MAX} identity sources"
        )
    for source in sources:
        if not pattern.match(source):
            raise BadRequestException(f"Invalid identity source specified: {source}")


def _check_function(document: Mapping[str, Any]) -> None:
    if lambda_function_of(document.get("AuthorizerUri") or "") is None:
        raise BadRequestException(
            "Invalid Authorizer URI: " + (document.get("AuthorizerUri") or "null") + ". "
            "Authorizer URI should be a valid API Gateway ARN that represents a Lambda function "
            "invocation."
        )
    check_credentials(document.get("AuthorizerCredentialsArn") or None)


def _with_http_defaults(document: Mapping[str, Any], sources: Sequence[str]) -> dict[str, Any]:
    version = document.get("AuthorizerPayloadFormatVersion")
    if version is None:
        raise BadRequestException(
            "AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer"
        )
    if version not in ("1.0", "2.0"):
        raise BadRequestException("AuthorizerPayloadFormatVersion must be either 1.0 or 2.0")
    if document.get("EnableSimpleResponses") and version != "2.0":
        raise BadRequestException(
            "EnableSimpleResponses can only be set to true for the payload format version 2.0"
        )
    ttl = document.get("AuthorizerResultTtlInSeconds")
    if ttl is None:
        ttl = AUTHORIZER_TTL_DEFAULT if sources else 0
    if not 0 <= ttl <= AUTHORIZER_TTL_MAX:
        raise BadRequestException(
            f"AuthorizerResultTtlInSeconds must be between 0 and {AUTHORIZER_TTL_MAX}"
        )
    if ttl and not sources:
        raise BadRequestException("Caching of authorizer results needs an IdentitySource")
    return {
        **document,
        "AuthorizerResultTtlInSeconds": ttl,
        "EnableSimpleResponses": bool(document.get("EnableSimpleResponses")),
    }
