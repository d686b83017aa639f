"""An HTTP API from an OpenAPI document: what to make, and what of the document cannot be.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-open-api.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cumulet.services.apigateway.errors import BadRequestException
from cumulet.services.apigateway.openapi.document import Document, text_map
from cumulet.services.apigateway.rules.names import ANY, HTTP_METHODS
from cumulet.services.apigateway.v2.model import DEFAULT

Members = dict[str, Any]

_ANY_METHOD = "x-amazon-apigateway-any-method"
_INTEGRATION = "x-amazon-apigateway-integration"
_AUTHORIZER = "x-amazon-apigateway-authorizer"
_AUTHTYPE = "x-amazon-apigateway-authtype"
_ENDPOINT = "x-amazon-apigateway-endpoint-configuration"
_TAG_VALUE = "x-amazon-apigateway-tag-value"
_CORS = "x-amazon-apigateway-cors"
_KNOWN = {
    *(_ANY_METHOD, _INTEGRATION, _AUTHORIZER, _AUTHTYPE, _ENDPOINT, _TAG_VALUE, _CORS),
    *("x-amazon-apigateway-importexport-version", "x-amazon-apigateway-integrations"),
}
_UNUSED_MEMBERS = frozenset({"type", "passthroughBehavior", "responses", "cacheNamespace"})
Read = Callable[[Any], Any]


def _texts(value: Any) -> list[str]:
    """A list of texts; one alone counts as a list of one. Raises BadRequestException."""
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise _bad(value)
    return listed


def _whole(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _bad(value)
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _bad(value)
    return value


def _map(value: Any) -> dict[str, str]:
    found = text_map(value)
    if found is None:
        raise _bad(value)
    return dict(found)


def _maps(value: Any) -> dict[str, dict[str, str]]:
    if not isinstance(value, dict):
        raise _bad(value)
    return {status: _map(changes) for status, changes in value.items()}


def _bad(value: Any) -> BadRequestException:
    return BadRequestException(f"Invalid OpenAPI input: unexpected value {str(value)[:100]!r}")


_INTEGRATION_MEMBERS: Mapping[str, tuple[str, Read]] = {
    "connectionId": ("ConnectionId", str),
    "connectionType": ("ConnectionType", str),
    "credentials": ("CredentialsArn", str),
    "description": ("Description", str),
    "httpMethod": ("IntegrationMethod", str),
    "integrationSubtype": ("IntegrationSubtype", str),
    "payloadFormatVersion": ("PayloadFormatVersion", str),
    "requestParameters": ("RequestParameters", _map),
    "responseParameters": ("ResponseParameters", _maps),
    "timeoutInMillis": ("TimeoutInMillis", _whole),
    "uri": ("IntegrationUri", str),
}
_CORS_MEMBERS: Mapping[str, tuple[str, Read]] = {
    "allowCredentials": ("AllowCredentials", _flag),
    "allowHeaders": ("AllowHeaders", _texts),
    "allowMethods": ("AllowMethods", _texts),
    "allowOrigins": ("AllowOrigins", _texts),
    "exposeHeaders": ("ExposeHeaders", _texts),
    "maxAge": ("MaxAge", _whole),
}
_AUTHORIZER_MEMBERS: Mapping[str, tuple[str, Read]] = {
    "authorizerCredentials": ("AuthorizerCredentialsArn", str),
    "authorizerPayloadFormatVersion": ("AuthorizerPayloadFormatVersion", str),
    "authorizerResultTtlInSeconds": ("AuthorizerResultTtlInSeconds", _whole),
    "authorizerUri": ("AuthorizerUri", str),
    "enableSimpleResponses": ("EnableSimpleResponses", _flag),
}


@dataclass(slots=True)
class Plan:
    """What a document asks for, in AWS's spelling; ids are given later.

    `routes` have the place of their integration in `integrations` under `Integration`, and the
    name of their authorizer under `Authorizer`.
    """

    settings: Members
    integrations: list[Members] = field(default_factory=list)
    authorizers: dict[str, Members] = field(default_factory=dict)
    routes: list[Members] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read_plan(document: Document, base_path: str) -> Plan:
    """Read a document. Raises BadRequestException for one that is no HTTP API's."""
    if not str(document.root.get("openapi", "")).startswith("3."):
        raise BadRequestException("Only OpenAPI 3.0 documents can be imported as HTTP APIs.")
    plan = Plan(_settings(document))
    for name in document.root:
        if name.startswith("x-amazon-apigateway-") and name not in _KNOWN:
            plan.warnings.append(f"{name} is not supported for HTTP APIs. Ignored.")
    shared: dict[int, int] = {}
    for key, operation in _operations(document, base_path, plan):
        plan.routes.append(_route(document, plan, shared, key, operation))
    return plan


def _settings(document: Document) -> Members:
    info = document.part("info")
    settings: Members = {"Name": str(info.get("title") or "").strip()}
    if not settings["Name"]:
        raise BadRequestException("Invalid OpenAPI input: info.title must not be empty.")
    for name, to in (("description", "Description"), ("version", "Version")):
        if info.get(name):
            settings[to] = str(info[name])
    given = document.part(_CORS)
    if cors := {
        to: read(given[name]) for name, (to, read) in _CORS_MEMBERS.items() if name in given
    }:
        settings["CorsConfiguration"] = cors
    endpoint = document.part(_ENDPOINT) or document.server.get(_ENDPOINT)
    if isinstance(endpoint, dict) and "disableExecuteApiEndpoint" in endpoint:
        settings["DisableExecuteApiEndpoint"] = bool(endpoint["disableExecuteApiEndpoint"])
    tags = document.root.get("tags")
    if isinstance(tags, list):
        found = {
            str(tag.get("name")): str(tag[_TAG_VALUE])
            for tag in tags
            if isinstance(tag, dict) and _TAG_VALUE in tag
        }
        if found:
            settings["Tags"] = found
    return settings


def _operations(document: Document, mode: str, plan: Plan) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each route key with its operation."""
    base = _base(document, mode)
    for path, given in document.part("paths").items():
        item = document.resolve(given)
        is_default = path.strip("/") == DEFAULT
        if not is_default and not path.startswith("/"):
            plan.warnings.append(f"The path {path} does not begin with a slash. Ignored.")
            continue
        for name, operation in item.items():
            method = ANY if name == _ANY_METHOD else name.upper()
            if method != ANY and (method not in HTTP_METHODS or name.startswith("x-")):
                continue
            key = DEFAULT if is_default else f"{method} {base}{path}"
            yield key, document.resolve(operation)


def _base(document: Document, mode: str) -> str:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-import-api-basePath.html"""
    if mode not in ("ignore", "prepend", "split"):
        raise BadRequestException(
            "Invalid basepath parameter specified. Valid options are ignore, prepend, split"
        )
    base = document.base_path()
    if mode == "ignore":
        return ""
    if mode == "split":
        base = "/" + base[1:].partition("/")[2]
    return base.rstrip("/")


def _route(
    document: Document,
    plan: Plan,
    shared: dict[int, int],
    key: str,
    operation: dict[str, Any],
) -> Members:
    route: Members = {"RouteKey": key}
    if operation.get("operationId"):
        route["OperationName"] = str(operation["operationId"])
    if _INTEGRATION in operation:
        integration = document.resolve(operation[_INTEGRATION])
        # What several operations refer to is one integration.
        if id(integration) not in shared:
            shared[id(integration)] = len(plan.integrations)
            plan.integrations.append(_integration(plan, key, integration))
        route["Integration"] = shared[id(integration)]
    else:
        plan.warnings.append(f"The route {key} has no integration.")
    for name in operation:
        if name.startswith("x-amazon-apigateway-") and name not in _KNOWN:
            plan.warnings.append(f"{name} of {key} is not supported for HTTP APIs. Ignored.")
    route |= _security(document, plan, key, operation)
    return route


def _integration(plan: Plan, key: str, given: Mapping[str, Any]) -> Members:
    found: Members = {"IntegrationType": str(given.get("type") or "").upper()}
    for name, value in given.items():
        if (known := _INTEGRATION_MEMBERS.get(name)) is not None:
            found[known[0]] = known[1](value)
        elif name not in _UNUSED_MEMBERS:
            plan.warnings.append(f"{name} of the integration of {key} is not supported. Ignored.")
    return found


def _security(document: Document, plan: Plan, key: str, operation: Mapping[str, Any]) -> Members:
    listed = operation.get("security", document.root.get("security"))
    if not isinstance(listed, list) or not listed or not isinstance(listed[0], dict):
        return {}
    wanted = [
        (name, scopes) for one in listed if isinstance(one, dict) for name, scopes in one.items()
    ]
    for name, scopes in wanted:
        scheme = document.security_schemes.get(name)
        if scheme is None:
            continue
        scheme = document.resolve(scheme)
        if len(wanted) > 1:
            plan.warnings.append(f"Only the security scheme {name} of {key} is used.")
        if scheme.get(_AUTHTYPE) == "awsSigv4":
            return {"AuthorizationType": "AWS_IAM"}
        if isinstance(scheme.get(_AUTHORIZER), dict):
            if name not in plan.authorizers:
                plan.authorizers[name] = _authorizer(name, scheme)
            kind = plan.authorizers[name]["AuthorizerType"]
            found: Members = {"AuthorizationType": "JWT" if kind == "JWT" else "CUSTOM"}
            if kind == "JWT" and scopes:
                found["AuthorizationScopes"] = _texts(scopes)
            return {**found, "Authorizer": name}
        plan.warnings.append(f"The security scheme {name} of {key} has no authorizer. Ignored.")
    return {}


def _authorizer(name: str, scheme: Mapping[str, Any]) -> Members:
    given = scheme[_AUTHORIZER]
    found: Members = {
        "Name": name,
        "AuthorizerType": str(given.get("type") or "").upper(),
        "IdentitySource": _texts(given.get("identitySource") or []),
        **{to: read(given[key]) for key, (to, read) in _AUTHORIZER_MEMBERS.items() if key in given},
    }
    if found["AuthorizerType"] not in ("JWT", "REQUEST"):
        raise BadRequestException(f"Invalid OpenAPI input: the authorizer {name} has no known type")
    jwt = given.get("jwtConfiguration")
    if isinstance(jwt, dict):
        url = str(scheme.get("openIdConnectUrl") or "")
        issuer = jwt.get("issuer") or url.partition("/.well-known/")[0]
        audience = _texts(jwt.get("audience") or [])
        found["JwtConfiguration"] = {"Issuer": str(issuer), "Audience": audience}
    return found
