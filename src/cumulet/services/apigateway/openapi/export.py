"""A stage's API written as an OpenAPI 3 or Swagger 2 document. Pure; import reads it back.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-export-api.html
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cumulet.core.identity import Scope
from cumulet.services.apigateway.admission.model import Authorizer
from cumulet.services.apigateway.model import GatewayResponse, Method, Resource, RestApi, Stage
from cumulet.services.apigateway.openapi.documentation.model import Part
from cumulet.services.apigateway.openapi.documentation.rules import EXTENSION, write_parts
from cumulet.services.apigateway.openapi.export_methods import Form, write_method
from cumulet.services.apigateway.openapi.export_security import schemes_of
from cumulet.services.apigateway.rules.gateway_responses import document_of
from cumulet.services.apigateway.rules.names import ANY

_X = "x-amazon-apigateway-"


@dataclass(frozen=True, slots=True)
class Extras:
    """Which extensions a document gets. `settings` are those of the API as a whole."""

    integrations: bool = False
    authorizers: bool = False
    validators: bool = False
    responses: bool = False
    documentation: bool = False
    settings: bool = False


EVERYTHING = Extras(True, True, True, True, True, True)


@dataclass(frozen=True, slots=True)
class Source:
    """An API as a stage serves it. `schemas` are by model name; the others by id."""

    api: RestApi
    stage: Stage
    resources: list[Resource]
    schemas: Mapping[str, str]
    validators: Mapping[str, tuple[bool, bool]]
    validator_names: Mapping[str, str]
    authorizers: Mapping[str, Authorizer]
    responses: list[GatewayResponse]
    parts: list[Part]

    def validator_name(self, validator_id: str) -> str:
        """A validator's name; its id once it is gone from the API."""
        return self.validator_names.get(validator_id, validator_id)


def write_document(source: Source, kind: str, extras: Extras, scope: Scope) -> dict[str, Any]:
    """The document; `kind` is `oas30` or `swagger`, `scope` where the API is."""
    is_swagger = kind == "swagger"
    document: dict[str, Any] = {
        **({"swagger": "2.0"} if is_swagger else {"openapi": "3.0.1"}),
        "info": _info(source.api),
        **_place(source, scope.region, is_swagger=is_swagger, extras=extras),
        "paths": _paths(source, is_swagger=is_swagger, extras=extras),
    }
    schemas = {
        name: _schema(text, is_swagger=is_swagger) for name, text in sorted(source.schemas.items())
    }
    schemes = schemes_of(source.resources, source.authorizers, extended=extras.authorizers)
    if is_swagger:
        document |= {"securityDefinitions": schemes} if schemes else {}
        document |= {"definitions": schemas} if schemas else {}
    else:
        document["components"] = {
            **({"schemas": schemas} if schemas else {}),
            **({"securitySchemes": schemes} if schemes else {}),
        }
    return document | _extensions(source, extras, scope)


def _info(api: RestApi) -> dict[str, Any]:
    info = {"title": api.name}
    if api.description is not None:
        info["description"] = api.description
    return {**info, "version": version_of(api)}


def version_of(api: RestApi) -> str:
    """The API's version, which is the time it was made until it has one."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(api.created_date))
    return api.version or moment


def _place(source: Source, region: str, *, is_swagger: bool, extras: Extras) -> dict[str, Any]:
    """Where the stage is, and the endpoint's own settings."""
    api, stage = source.api, source.stage.stage_name
    host = f"{api.id}.execute-api.{region}.amazonaws.com"
    endpoint: dict[str, Any] = {}
    if extras.settings and api.disable_execute_api_endpoint:
        endpoint["disableExecuteApiEndpoint"] = True
    if extras.settings and api.endpoint_configuration.ip_address_type != "ipv4":
        endpoint["ipAddressType"] = api.endpoint_configuration.ip_address_type
    extension = {f"{_X}endpoint-configuration": endpoint} if endpoint else {}
    if is_swagger:
        return {"host": host, "basePath": f"/{stage}", "schemes": ["https"], **extension}
    variables = {"basePath": {"default": stage}}
    return {
        "servers": [{"url": f"https://{host}/{{basePath}}", "variables": variables, **extension}]
    }


def _paths(source: Source, *, is_swagger: bool, extras: Extras) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for resource in sorted(source.resources, key=lambda one: one.path):
        methods = resource.methods
        if resource.path == "/" and not methods and len(source.resources) > 1:
            continue
        paths[resource.path] = {
            f"{_X}any-method" if verb == ANY else verb.lower(): _operation(
                source, resource, method, is_swagger=is_swagger, extras=extras
            )
            for verb, method in sorted(methods.items())
        }
    return paths


def _operation(
    source: Source, resource: Resource, method: Method, *, is_swagger: bool, extras: Extras
) -> dict[str, Any]:
    form = Form(is_swagger, extras.integrations, extras.authorizers, frozenset(source.schemas))
    written = write_method(resource, method, source.authorizers, form)
    if extras.validators and method.request_validator_id:
        name = source.validator_name(method.request_validator_id)
        written[f"{_X}request-validator"] = name
    return written


def _schema(text: str, *, is_swagger: bool) -> Any:
    """A model's schema with its references as documents have them; any text that is no JSON
    stands for anything."""
    try:
        schema = json.loads(text)
    except ValueError:
        return {"type": "object"}
    return _with_local_references(
        schema, "#/definitions/" if is_swagger else "#/components/schemas/"
    )


def _with_local_references(schema: Any, place: str) -> Any:
    if isinstance(schema, list):
        return [_with_local_references(one, place) for one in schema]
    if not isinstance(schema, dict):
        return schema
    reference = schema.get("$ref")
    if isinstance(reference, str) and "/models/" in reference:
        return {**schema, "$ref": place + reference.rpartition("/")[2]}
    return {key: _with_local_references(one, place) for key, one in schema.items()}


def _extensions(source: Source, extras: Extras, scope: Scope) -> dict[str, Any]:
    found: dict[str, Any] = {}
    api = source.api
    if extras.validators and source.validators:
        found[f"{_X}request-validators"] = {
            source.validator_name(key): {
                "validateRequestBody": body,
                "validateRequestParameters": parameters,
            }
            for key, (body, parameters) in sorted(source.validators.items())
        }
    if extras.responses and source.responses:
        found[f"{_X}gateway-responses"] = document_of(source.responses)
    if extras.documentation and source.parts:
        found[EXTENSION] = write_parts(source.parts, source.stage.documentation_version)
    if not extras.settings:
        return found
    if api.policy is not None:
        # In AWS's short form, so that an import of the document means the new API.
        own = scope.arn("execute-api", api.id)
        found[f"{_X}policy"] = json.loads(api.policy.replace(f'"{own}/', '"execute-api:/'))
    if api.api_key_source != "HEADER":
        found[f"{_X}api-key-source"] = api.api_key_source
    if api.binary_media_types:
        found[f"{_X}binary-media-types"] = list(api.binary_media_types)
    if api.minimum_compression_size is not None:
        found[f"{_X}minimum-compression-size"] = api.minimum_compression_size
    return found
