"""Integrations: which kinds each protocol has, and what each kind needs. Pure.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cumulet.core.identity import parse_arn
from cumulet.services.apigateway.errors import BadRequestException
from cumulet.services.apigateway.rules.methods import (
    check_content_handling,
    check_credentials,
    check_templates,
    lambda_function_of,
)
from cumulet.services.apigateway.rules.names import ANY, HTTP_METHODS
from cumulet.services.apigateway.rules.services import parse_service_uri
from cumulet.services.apigateway.v2.limits import (
    MAPPINGS_MAX,
    TIMEOUT_MS_HTTP,
    TIMEOUT_MS_MIN,
    TIMEOUT_MS_WEBSOCKET,
)
from cumulet.services.apigateway.v2.model import HTTP, Integration
from cumulet.services.apigateway.v2.rules.expressions import parse_expression
from cumulet.services.apigateway.v2.rules.mappings import (
    check_response_parameters,
    check_socket_parameters,
    parse_changes,
)
from cumulet.services.apigateway.v2.rules.services import check_subtype
from cumulet.services.apigateway.v2.rules.words import check_lengths, made, refuse_members

_HTTP_URI = re.compile(r"https?://[^\s/?#]+[^\s]*\Z")
_SOCKETS_ONLY = (
    "ContentHandlingStrategy",
    "PassthroughBehavior",
    "RequestTemplates",
    "TemplateSelectionExpression",
)
_PASSTHROUGH = ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER")
SOCKET_RESPONSE_SELECTION = "${integration.response.statuscode}"


def parse_integration(document: Mapping[str, Any], protocol: str) -> Integration:
    """An integration from its members, with defaults. Raises BadRequestException."""
    check_lengths(document)
    refuse_members(document, ("ConnectionId",), "not supported by Cumulet: VPC links are missing")
    if document.get("ConnectionType") == "VPC_LINK":
        raise BadRequestException("VPC links are not supported by Cumulet yet.")
    refuse_members(document, ("TlsConfig",), "only supported for private integrations")
    if document.get("PassthroughBehavior") not in (None, *_PASSTHROUGH):
        raise BadRequestException(
            f"Invalid passthrough behavior specified. Valid options are {','.join(_PASSTHROUGH)}"
        )
    check_credentials(document.get("CredentialsArn") or None)
    most = TIMEOUT_MS_HTTP if protocol == HTTP else TIMEOUT_MS_WEBSOCKET
    timeout = document.get("TimeoutInMillis") or most
    if not TIMEOUT_MS_MIN <= timeout <= most:
        raise BadRequestException(f"Timeout should be between {TIMEOUT_MS_MIN} ms and {most} ms")
    settled = {**document, "TimeoutInMillis": timeout, "ConnectionType": "INTERNET"}
    return _http(settled) if protocol == HTTP else _socket(settled)


def _http(document: dict[str, Any]) -> Integration:
    kind = document["IntegrationType"]
    if kind not in ("AWS_PROXY", "HTTP_PROXY"):
        raise BadRequestException(
            "Currently, an API with a protocol type of HTTP may only be associated with proxy "
            "integrations (AWS_PROXY, HTTP_PROXY)"
        )
    refuse_members(document, _SOCKETS_ONLY, "not supported for HTTP APIs")
    check_response_parameters(document.get("ResponseParameters"))
    version = document.get("PayloadFormatVersion") or "1.0"
    subtype = document.get("IntegrationSubtype")
    if subtype:
        if kind != "AWS_PROXY":
            raise BadRequestException("IntegrationSubtype is only supported for AWS_PROXY")
        refuse_members(document, ("IntegrationUri",), "not supported with an IntegrationSubtype")
        check_subtype(subtype, document)
        for text in (document.get("RequestParameters") or {}).values():
            parse_expression(text, "request")
        if version != "1.0":
            raise BadRequestException("PayloadFormatVersion must be 1.0 for service integrations")
        return made(Integration, {**document, "PayloadFormatVersion": version})
    parse_changes(document.get("RequestParameters"), "request")
    if kind == "AWS_PROXY":
        _check_function(document)
        if version not in ("1.0", "2.0"):
            raise BadRequestException("PayloadFormatVersion must be either 1.0 or 2.0")
        document = {"IntegrationMethod": "POST", **document}
    else:
        _check_http(document)
        if version != "1.0":
            raise BadRequestException("PayloadFormatVersion must be 1.0 for HTTP_PROXY")
    return made(Integration, {**document, "PayloadFormatVersion": version})


def _check_function(document: Mapping[str, Any]) -> None:
    uri = document.get("IntegrationUri") or ""
    if function_of(uri) is None:
        raise BadRequestException(
            "Invalid function ARN or invalid uri" if uri else "IntegrationUri must be specified"
        )


def function_of(uri: str) -> str | None:
    """The function that a proxy integration's URI names: by its own ARN or API Gateway's path."""
    if (found := lambda_function_of(uri)) is not None:
        return found
    arn = parse_arn(uri)
    is_function = arn is not None and arn.service == "lambda"
    return uri if is_function and arn is not None and arn.resource.startswith("function:") else None


def _check_http(document: Mapping[str, Any]) -> None:
    method = document.get("IntegrationMethod")
    if not method:
        raise BadRequestException("Enumeration value for HttpMethod must be non-empty")
    if method not in HTTP_METHODS and method != ANY:
        raise BadRequestException(
            f"Invalid HttpMethod specified. Valid options are {','.join((*HTTP_METHODS, ANY))}"
        )
    if not _HTTP_URI.match(document.get("IntegrationUri") or ""):
        raise BadRequestException("Invalid HTTP endpoint specified for URI")


def check_keyed_templates(templates: Mapping[str, str] | None) -> None:
    """Raise BadRequestException for a template that is none.

    Their keys are what a template selection expression gives, such as `$default`; not types.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-data-transformations.html
    """
    for text in (templates or {}).values():
        check_templates({"application/json": text})


def _socket(document: dict[str, Any]) -> Integration:
    kind = document["IntegrationType"]
    refuse_members(document, ("IntegrationSubtype",), "only supported for HTTP APIs")
    refuse_members(document, ("ResponseParameters",), "only supported for HTTP APIs")
    version = document.get("PayloadFormatVersion") or "1.0"
    if version != "1.0":
        raise BadRequestException("PayloadFormatVersion must be 1.0 for WEBSOCKET APIs")
    if len(document.get("RequestParameters") or ()) > MAPPINGS_MAX:
        raise BadRequestException(f"An integration may have at most {MAPPINGS_MAX} mappings")
    check_socket_parameters(document.get("RequestParameters"))
    check_keyed_templates(document.get("RequestTemplates"))
    check_content_handling(document.get("ContentHandlingStrategy"))
    if kind in ("HTTP", "HTTP_PROXY"):
        _check_http(document)
    elif kind in ("AWS", "AWS_PROXY"):
        uri = document.get("IntegrationUri") or ""
        is_service = kind == "AWS" and parse_service_uri(uri) is not None
        if lambda_function_of(uri) is None and not is_service:
            raise BadRequestException("Invalid ARN specified in the request")
        document = {"IntegrationMethod": "POST", **document}
    defaults = {"PassthroughBehavior": "WHEN_NO_MATCH", "PayloadFormatVersion": version}
    if kind in ("AWS", "HTTP", "MOCK"):
        defaults["IntegrationResponseSelectionExpression"] = SOCKET_RESPONSE_SELECTION
    return made(Integration, {**defaults, **document})
