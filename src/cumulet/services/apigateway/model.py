"""What API Gateway keeps: REST APIs, their trees of resources, deployments and stages.

A struct's fields are AWS's members in snake case; `shown` gives AWS's own spelling back.
"""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.services.apigateway.admission.model import Authorizer


class EndpointConfiguration(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True
):
    """How an API is reached; `types` holds exactly one of EDGE and REGIONAL."""

    types: tuple[str, ...]
    ip_address_type: str


class RestApi(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One REST API. `created_date` is in epoch seconds; `policy` is JSON text."""

    id: str
    name: str
    created_date: float
    root_resource_id: str
    endpoint_configuration: EndpointConfiguration
    api_key_source: str
    disable_execute_api_endpoint: bool
    description: str | None = None
    version: str | None = None
    binary_media_types: tuple[str, ...] | None = None
    minimum_compression_size: int | None = None
    policy: str | None = None
    tags: dict[str, str] | None = None
    warnings: tuple[str, ...] | None = None
    origin: str | None = None
    """What made the API, for a creation that is run again; never shown."""


class IntegrationResponse(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True
):
    """How a backend's answer becomes a method response; no pattern means the default one."""

    status_code: str
    selection_pattern: str | None = None
    response_parameters: dict[str, str] | None = None
    response_templates: dict[str, str | None] | None = None
    content_handling: str | None = None


class TlsConfig(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How an HTTPS backend's certificate is checked."""

    insecure_skip_verification: bool = False


class Integration(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The backend of a method. `http_method` is the backend's."""

    type: str
    passthrough_behavior: str
    timeout_in_millis: int
    cache_namespace: str
    cache_key_parameters: tuple[str, ...]
    http_method: str | None = None
    uri: str | None = None
    connection_type: str | None = None
    credentials: str | None = None
    request_parameters: dict[str, str] | None = None
    request_templates: dict[str, str | None] | None = None
    content_handling: str | None = None
    tls_config: TlsConfig | None = None
    response_transfer_mode: str | None = None
    integration_responses: dict[str, IntegrationResponse] | None = None


class MethodResponse(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A status code that a method answers with, its headers and models."""

    status_code: str
    response_parameters: dict[str, bool] | None = None
    response_models: dict[str, str] | None = None


class Method(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One HTTP method of a resource, with its integration inside."""

    http_method: str
    authorization_type: str
    api_key_required: bool
    authorizer_id: str | None = None
    authorization_scopes: tuple[str, ...] | None = None
    request_validator_id: str | None = None
    operation_name: str | None = None
    request_parameters: dict[str, bool] | None = None
    request_models: dict[str, str] | None = None
    method_responses: dict[str, MethodResponse] | None = None
    method_integration: Integration | None = None


class Resource(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One node of an API's tree, with its methods inside. The root has neither parent nor part."""

    api_id: str
    id: str
    path: str
    parent_id: str | None = None
    path_part: str | None = None
    resource_methods: dict[str, Method] | None = None

    @property
    def methods(self) -> dict[str, Method]:
        """The methods by HTTP method; `ANY` stands for every one that is not there itself."""
        return self.resource_methods or {}

    def with_method(self, method: Method) -> Resource:
        """This resource with the method added or replaced."""
        methods = {**self.methods, method.http_method: method}
        return msgspec.structs.replace(self, resource_methods=dict(sorted(methods.items())))

    def without_method(self, http_method: str) -> Resource:
        """This resource without the method."""
        left = {name: method for name, method in self.methods.items() if name != http_method}
        return msgspec.structs.replace(self, resource_methods=left or None)


class Deployment(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """An immutable copy of an API: its settings here, its resources as `DeployedResource`s."""

    api_id: str
    id: str
    created_date: float
    api: RestApi
    description: str | None = None
    models: dict[str, str] | None = None
    """The schemas of the models, by name."""
    validators: dict[str, tuple[bool, bool]] | None = None
    """The request validators by id: whether they check the body, and the parameters."""
    authorizers: dict[str, Authorizer] | None = None
    """The authorizers by id."""


class GatewayResponse(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True
):
    """How the gateway itself answers one kind of refusal; no status code leaves the usual one."""

    api_id: str
    response_type: str
    status_code: str | None = None
    response_parameters: dict[str, str] = {}
    response_templates: dict[str, str] = {}


class DeployedGatewayResponse(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True
):
    """One gateway response as it was when the deployment was made."""

    deployment_id: str
    response: GatewayResponse


class DeployedResource(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True
):
    """One resource as it was when the deployment was made."""

    deployment_id: str
    resource: Resource


class CanarySettings(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A second deployment of a stage, which gets `percent_traffic` of the requests (0 to 100)."""

    percent_traffic: float
    deployment_id: str
    stage_variable_overrides: dict[str, str] | None = None
    use_stage_cache: bool


class AccessLogSettings(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True
):
    """Where a line for each request goes, and its form."""

    destination_arn: str | None = None
    format: str | None = None


class Stage(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A named pointer to a deployment, with variables. Dates are in epoch seconds."""

    api_id: str
    stage_name: str
    deployment_id: str
    created_date: float
    last_updated_date: float
    cache_cluster_enabled: bool
    cache_cluster_status: str
    method_settings: dict[str, dict[str, Any]]
    tracing_enabled: bool
    description: str | None = None
    variables: dict[str, str] | None = None
    tags: dict[str, str] | None = None
    cache_cluster_size: str | None = None
    client_certificate_id: str | None = None
    documentation_version: str | None = None
    canary_settings: CanarySettings | None = None
    access_log_settings: AccessLogSettings | None = None
    cache_flushes: int = 0
    """How often its cache was flushed; never shown. What was kept before counts no more."""
    authorizer_flushes: int = 0
    """The same of what its authorizers said."""


class Model(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A JSON schema that methods refer to by name."""

    api_id: str
    id: str
    name: str
    content_type: str
    schema: str | None = None
    description: str | None = None


class RequestValidator(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True
):
    """Which parts of a request are checked before the integration."""

    api_id: str
    id: str
    name: str
    validate_request_body: bool
    validate_request_parameters: bool


class Account(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """API Gateway's settings of an account in a region."""

    cloudwatch_role_arn: str | None = None


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where an API lives, found by its id alone: a caller's request carries no account."""

    api_id: str
    account: str
    region: str
    protocol: str = "REST"
    """`REST`, `HTTP` or `WEBSOCKET`."""


def shown(record: msgspec.Struct, *hidden: str) -> dict[str, Any]:
    """The record in AWS's spelling, without its members in `hidden` and those that are unset."""
    document: dict[str, Any] = msgspec.to_builtins(record)
    for name in ("apiId", *hidden):
        document.pop(name, None)
    return document
