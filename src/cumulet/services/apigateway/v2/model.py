"""What HTTP and WebSocket APIs consist of, as it is kept.

A struct's fields are AWS's members in snake case; `view` gives AWS's own spelling back. Dates are
in epoch seconds. Fields without a default are always shown.
"""

from __future__ import annotations

from typing import Any

import msgspec

HTTP = "HTTP"
WEBSOCKET = "WEBSOCKET"
DEFAULT = "$default"
CONNECT = "$connect"
DISCONNECT = "$disconnect"


class Cors(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """Which pages of other origins may call an HTTP API."""

    allow_credentials: bool | None = None
    allow_headers: tuple[str, ...] | None = None
    allow_methods: tuple[str, ...] | None = None
    allow_origins: tuple[str, ...] | None = None
    expose_headers: tuple[str, ...] | None = None
    max_age: int | None = None


class Api(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """One API of either protocol."""

    api_id: str
    name: str
    protocol_type: str
    created_date: float
    route_selection_expression: str
    api_key_selection_expression: str
    disable_execute_api_endpoint: bool
    ip_address_type: str
    api_gateway_managed: bool | None = None
    cors_configuration: Cors | None = None
    description: str | None = None
    disable_schema_validation: bool | None = None
    version: str | None = None
    tags: dict[str, str] | None = None
    import_info: tuple[str, ...] | None = None
    warnings: tuple[str, ...] | None = None
    origin: str | None = None
    """What made the API, for a creation that is run again; never shown."""


class Route(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """What a request is matched with; `target` is `integrations/{id}`."""

    api_id: str
    route_id: str
    route_key: str
    api_key_required: bool
    authorization_type: str
    api_gateway_managed: bool | None = None
    authorization_scopes: tuple[str, ...] | None = None
    authorizer_id: str | None = None
    model_selection_expression: str | None = None
    operation_name: str | None = None
    request_models: dict[str, str] | None = None
    request_parameters: dict[str, dict[str, bool]] | None = None
    route_response_selection_expression: str | None = None
    target: str | None = None

    @property
    def integration_id(self) -> str | None:
        """The integration that the target names."""
        return self.target.removeprefix("integrations/") if self.target else None


class RouteResponse(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """What a WebSocket route may answer; its key is `$default`."""

    api_id: str
    route_id: str
    route_response_id: str
    route_response_key: str
    model_selection_expression: str | None = None
    response_models: dict[str, str] | None = None
    response_parameters: dict[str, dict[str, bool]] | None = None


class TlsConfig(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """How a private backend's certificate is checked."""

    server_name_to_verify: str | None = None


class Integration(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """The backend of routes."""

    api_id: str
    integration_id: str
    integration_type: str
    connection_type: str
    timeout_in_millis: int
    api_gateway_managed: bool | None = None
    content_handling_strategy: str | None = None
    credentials_arn: str | None = None
    description: str | None = None
    integration_method: str | None = None
    integration_response_selection_expression: str | None = None
    integration_subtype: str | None = None
    integration_uri: str | None = None
    passthrough_behavior: str | None = None
    payload_format_version: str | None = None
    request_parameters: dict[str, str] | None = None
    request_templates: dict[str, str] | None = None
    response_parameters: dict[str, dict[str, str]] | None = None
    template_selection_expression: str | None = None
    tls_config: TlsConfig | None = None


class IntegrationResponse(
    msgspec.Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True
):
    """How a backend's answer becomes the answer of a WebSocket route.

    The key is `$default`, or `/pattern/` over the status code.
    """

    api_id: str
    integration_id: str
    integration_response_id: str
    integration_response_key: str
    content_handling_strategy: str | None = None
    response_parameters: dict[str, str] | None = None
    response_templates: dict[str, str] | None = None
    template_selection_expression: str | None = None


class JwtConfiguration(
    msgspec.Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True
):
    """Whose tokens are taken, and for whom they must be."""

    audience: tuple[str, ...]
    issuer: str


class Authorizer(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """Who decides about a request before its integration: a JWT's issuer or a function."""

    api_id: str
    authorizer_id: str
    authorizer_type: str
    name: str
    identity_source: tuple[str, ...]
    authorizer_credentials_arn: str | None = None
    authorizer_payload_format_version: str | None = None
    authorizer_result_ttl_in_seconds: int | None = None
    authorizer_uri: str | None = None
    enable_simple_responses: bool | None = None
    jwt_configuration: JwtConfiguration | None = None


class Model(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """A JSON schema that routes refer to by name."""

    api_id: str
    model_id: str
    name: str
    content_type: str
    schema: str
    description: str | None = None


class RouteSettings(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """How a route is metered and logged; what is None comes from the stage, then the account."""

    data_trace_enabled: bool | None = None
    detailed_metrics_enabled: bool | None = None
    logging_level: str | None = None
    throttling_burst_limit: int | None = None
    throttling_rate_limit: float | None = None


class AccessLogSettings(
    msgspec.Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True
):
    """Where a line is written for each request, and what it says."""

    destination_arn: str
    format: str


class Stage(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """A named pointer to a deployment. With `auto_deploy` every change of the API moves it."""

    api_id: str
    stage_name: str
    auto_deploy: bool
    created_date: float
    last_updated_date: float
    default_route_settings: RouteSettings
    route_settings: dict[str, RouteSettings]
    stage_variables: dict[str, str]
    access_log_settings: AccessLogSettings | None = None
    api_gateway_managed: bool | None = None
    deployment_id: str | None = None
    description: str | None = None
    last_deployment_status_message: str | None = None
    tags: dict[str, str] | None = None
    authorizers_reset: str | None = None
    """Changes when the cached answers of authorizers are to be forgotten; never shown."""


class Deployment(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """An immutable copy of an API; its content is a `Snapshot`, stored in pieces."""

    api_id: str
    deployment_id: str
    created_date: float
    deployment_status: str
    auto_deployed: bool
    description: str | None = None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """An API and all its parts at one moment."""

    api: Api
    routes: tuple[Route, ...] = ()
    route_responses: tuple[RouteResponse, ...] = ()
    integrations: tuple[Integration, ...] = ()
    integration_responses: tuple[IntegrationResponse, ...] = ()
    authorizers: tuple[Authorizer, ...] = ()
    models: tuple[Model, ...] = ()


class SnapshotPiece(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of a stored snapshot."""

    api_id: str
    deployment_id: str
    number: int
    content: bytes


def view(record: msgspec.Struct, *hidden: str) -> dict[str, Any]:
    """The record in AWS's spelling, without the members in `hidden` and those that are unset."""
    document: dict[str, Any] = msgspec.to_builtins(record)
    for name in hidden:
        document.pop(name, None)
    return document
