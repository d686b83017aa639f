"""An OpenAPI document from an HTTP API.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-export.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cumulet.services.apigateway.rules.names import ANY
from cumulet.services.apigateway.v2.model import (
    DEFAULT,
    Authorizer,
    Integration,
    Route,
    Snapshot,
    view,
)

Shown = dict[str, Any]

_ANY_METHOD = "x-amazon-apigateway-any-method"
_IAM = "AWS_IAM"
_INTEGRATION_MEMBERS = {
    "ConnectionType": "connectionType",
    "CredentialsArn": "credentials",
    "Description": "description",
    "IntegrationMethod": "httpMethod",
    "IntegrationSubtype": "integrationSubtype",
    "IntegrationUri": "uri",
    "PayloadFormatVersion": "payloadFormatVersion",
    "RequestParameters": "requestParameters",
    "ResponseParameters": "responseParameters",
    "TimeoutInMillis": "timeoutInMillis",
}
_AUTHORIZER_MEMBERS = {
    "AuthorizerCredentialsArn": "authorizerCredentials",
    "AuthorizerPayloadFormatVersion": "authorizerPayloadFormatVersion",
    "AuthorizerResultTtlInSeconds": "authorizerResultTtlInSeconds",
    "AuthorizerUri": "authorizerUri",
    "EnableSimpleResponses": "enableSimpleResponses",
}


def write_document(snapshot: Snapshot, address: str, stage: str, *, extensions: bool) -> Shown:
    """The API as OpenAPI 3.0.1; without `extensions` nothing that only API Gateway knows."""
    api = snapshot.api
    integrations = {one.integration_id: one for one in snapshot.integrations}
    authorizers = {one.authorizer_id: one for one in snapshot.authorizers}
    paths: dict[str, Shown] = {}
    for route in sorted(snapshot.routes, key=lambda one: one.route_key):
        method, _, path = route.route_key.partition(" ")
        if route.route_key == DEFAULT or method == ANY:
            if not extensions:
                continue
            name = _ANY_METHOD
        else:
            name = method.lower()
        place = path or f"/{DEFAULT}"
        integration = integrations.get(route.integration_id or "")
        operation = _operation(route, integration, authorizers, extensions=extensions)
        paths.setdefault(place, {})[name] = operation
    made = datetime.fromtimestamp(api.created_date, UTC)
    info = {"title": api.name, "version": api.version or f"{made:%Y-%m-%d %H:%M:%S}UTC"}
    if api.description:
        info["description"] = api.description
    document: Shown = {"openapi": "3.0.1", "info": info, "servers": [_server(address, stage)]}
    document["paths"] = paths
    schemes = _schemes(snapshot, authorizers, extensions=extensions)
    if schemes:
        document["components"] = {"securitySchemes": schemes}
    return {**document, **_extensions(snapshot)} if extensions else document


def _server(address: str, stage: str) -> Shown:
    if stage in ("", DEFAULT):
        return {"url": address}
    return {"url": f"{address}/{{basePath}}", "variables": {"basePath": {"default": stage}}}


def _extensions(snapshot: Snapshot) -> Shown:
    api = snapshot.api
    found: Shown = {}
    if api.tags:
        found["tags"] = [
            {"name": name, "x-amazon-apigateway-tag-value": value}
            for name, value in api.tags.items()
        ]
    if api.cors_configuration is not None:
        cors = view(api.cors_configuration)
        found["x-amazon-apigateway-cors"] = {
            name[0].lower() + name[1:]: value for name, value in cors.items()
        }
    if api.disable_execute_api_endpoint:
        closed = {"disableExecuteApiEndpoint": True}
        found["x-amazon-apigateway-endpoint-configuration"] = closed
    found["x-amazon-apigateway-importexport-version"] = "1.0"
    return found


def _operation(
    route: Route,
    integration: Integration | None,
    authorizers: dict[str, Authorizer],
    *,
    extensions: bool,
) -> Shown:
    shown: Shown = {}
    if route.operation_name:
        shown["operationId"] = route.operation_name
    names = [part.strip("{}+") for part in route.route_key.split("/") if part.startswith("{")]
    if names:
        shown["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in names
        ]
    shown["responses"] = {"default": {"description": f"Default response for {route.route_key}"}}
    if route.authorization_type == _IAM:
        shown["security"] = [{_IAM: []}]
    elif (authorizer := authorizers.get(route.authorizer_id or "")) is not None:
        shown["security"] = [{authorizer.name: list(route.authorization_scopes or ())}]
    if extensions and route.route_key == DEFAULT:
        shown["isDefaultRoute"] = True
    if extensions and integration is not None:
        shown["x-amazon-apigateway-integration"] = _integration(integration)
    return shown


def _integration(integration: Integration) -> Shown:
    document = view(integration)
    found: Shown = {"type": integration.integration_type.lower()}
    for name, to in _INTEGRATION_MEMBERS.items():
        if name in document:
            found[to] = document[name]
    return found


def _schemes(snapshot: Snapshot, authorizers: dict[str, Authorizer], *, extensions: bool) -> Shown:
    used = {route.authorizer_id for route in snapshot.routes}
    found: Shown = {
        one.name: _scheme(one, extensions=extensions)
        for one in authorizers.values()
        if one.authorizer_id in used
    }
    if any(route.authorization_type == _IAM for route in snapshot.routes):
        found[_IAM] = {"type": "apiKey", "name": "Authorization", "in": "header"}
        if extensions:
            found[_IAM]["x-amazon-apigateway-authtype"] = "awsSigv4"
    return found


def _scheme(authorizer: Authorizer, *, extensions: bool) -> Shown:
    jwt = authorizer.jwt_configuration
    if jwt is not None:
        scheme: Shown = {"type": "oauth2", "flows": {}}
        source: Any = authorizer.identity_source[0]
    else:
        scheme = {"type": "apiKey", "name": "Unused", "in": "header"}
        source = list(authorizer.identity_source)
    if extensions:
        document = view(authorizer)
        told: Shown = {
            "type": authorizer.authorizer_type.lower(),
            "identitySource": source,
            **{to: document[name] for name, to in _AUTHORIZER_MEMBERS.items() if name in document},
        }
        if jwt is not None:
            told["jwtConfiguration"] = {"issuer": jwt.issuer, "audience": list(jwt.audience)}
        scheme["x-amazon-apigateway-authorizer"] = told
    return scheme
