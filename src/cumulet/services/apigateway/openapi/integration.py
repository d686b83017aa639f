"""The `x-amazon-apigateway-integration` of an operation.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-integration.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.services.apigateway.errors import BadRequestException
from cumulet.services.apigateway.model import IntegrationResponse, Method, MethodResponse
from cumulet.services.apigateway.openapi.document import text_map
from cumulet.services.apigateway.rules.methods import (
    check_integration,
    check_integration_response,
    check_unserved,
    parse_integration,
)


def with_integration(method: Method, operation: Mapping[str, Any]) -> Method:
    """The method with the integration of its operation, if it has one.

    The integration's cache namespace is left empty for the resource's id. Raises
    BadRequestException.
    """
    given = operation.get("x-amazon-apigateway-integration")
    if not isinstance(given, dict):
        return method
    kind = str(given.get("type", "")).upper()
    if kind not in ("HTTP", "AWS", "MOCK", "HTTP_PROXY", "AWS_PROXY"):
        raise BadRequestException(f"Invalid integration type specified: {kind}")
    members = {
        **{key: given[key] for key in _KEPT if given.get(key) is not None},
        "type": kind,
        "integrationHttpMethod": _upper(given.get("httpMethod")),
        "passthroughBehavior": _upper(given.get("passthroughBehavior")),
        "contentHandling": _upper(given.get("contentHandling")),
        "connectionType": _upper(given.get("connectionType")),
        "responseTransferMode": _upper(given.get("responseTransferMode")),
        "requestParameters": _mappings(given.get("requestParameters")),
        "requestTemplates": text_map(given.get("requestTemplates")),
    }
    check_unserved(members)
    integration = parse_integration(members, "")
    check_integration(integration, method)
    responses: dict[str, IntegrationResponse] = {}
    for pattern, one in (given.get("responses") or {}).items():
        response = _integration_response(str(pattern), one)
        declared = (method.method_responses or {}).get(response.status_code)
        check_integration_response(
            response, declared or MethodResponse(status_code=response.status_code)
        )
        responses[response.status_code] = response
    whole = msgspec.structs.replace(
        integration, integration_responses=dict(sorted(responses.items())) or None
    )
    return msgspec.structs.replace(method, method_integration=whole)


_KEPT = (
    *("uri", "credentials", "connectionId", "timeoutInMillis", "cacheNamespace"),
    *("cacheKeyParameters", "tlsConfig", "integrationTarget"),
)


def _mappings(given: Any) -> dict[str, str] | None:
    """Parameter mappings; what is no text says nothing, as AWS reads it."""
    if not isinstance(given, dict):
        return None
    return {str(name): text for name, text in given.items() if isinstance(text, str)}


def _upper(value: Any) -> str | None:
    return str(value).upper() if value else None


def _integration_response(pattern: str, given: Mapping[str, Any]) -> IntegrationResponse:
    templates = text_map(given.get("responseTemplates"))
    parameters = text_map(given.get("responseParameters"))
    return IntegrationResponse(
        status_code=str(given.get("statusCode", "200")),
        selection_pattern=None if pattern == "default" else pattern,
        response_parameters=None if parameters is None else dict(parameters),
        response_templates=None if templates is None else dict(templates),
        content_handling=_upper(given.get("contentHandling")),
    )
