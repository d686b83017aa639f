"""A deployed stage of a WebSocket API, made ready: everything that can be prepared is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cumulet.core.identity import Principal, Scope, parse_arn, service_principal
from cumulet.services.apigateway.admission.authorizers import AuthorizerFunction
from cumulet.services.apigateway.pipeline.observe.formats import Values, compile_format
from cumulet.services.apigateway.rules.methods import lambda_function_of
from cumulet.services.apigateway.rules.names import PRINCIPAL
from cumulet.services.apigateway.rules.patterns import Pattern, compile_pattern
from cumulet.services.apigateway.rules.schema import BadSchema, compile_schema
from cumulet.services.apigateway.rules.services import ServiceTarget, parse_service_uri
from cumulet.services.apigateway.templates import Block, parse_template
from cumulet.services.apigateway.v2.model import (
    Api,
    Authorizer,
    Integration,
    IntegrationResponse,
    Model,
    Route,
    RouteSettings,
    Snapshot,
    Stage,
)
from cumulet.services.apigateway.v2.sockets.deployed.selection import (
    DEFAULT,
    Selection,
    compile_selection,
)

_STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}")
_RESPONSE_SELECTION = "${integration.response.statuscode}"


@dataclass(frozen=True, slots=True)
class ServedResponse:
    """One integration response; no pattern for the default one."""

    pattern: Pattern | None
    templates: Mapping[str, Block]
    template_selection: Selection
    content_handling: str | None


@dataclass(frozen=True, slots=True)
class ServedIntegration:
    """A backend. `mappings` are `(integration.request.…, source)` pairs."""

    id: str
    kind: str
    method: str
    uri: str
    function: str
    function_region: str
    service: ServiceTarget | None
    credentials: str
    gateway: Principal
    templates: Mapping[str, Block]
    template_selection: Selection | None
    passthrough: str
    content_handling: str | None
    timeout_seconds: float
    mappings: tuple[tuple[str, str], ...]
    response_selection: Selection
    responses: tuple[ServedResponse, ...]


@dataclass(frozen=True, slots=True)
class ServedAuthorizer:
    """Who decides on `$connect`. `sources` are places and names."""

    function: AuthorizerFunction | None
    sources: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ServedRoute:
    """One route. `answers` says that what the backend gives goes back to the client."""

    key: str
    authorization_type: str
    api_key_required: bool
    authorizer: ServedAuthorizer | None
    integration: ServedIntegration | None
    answers: bool
    settings: RouteSettings
    model_selection: Selection | None
    models: Mapping[str, Callable[[Any], bool]]
    needed: tuple[str, ...]
    """Parameters of the handshake that must be there, as `route.request.querystring.room`."""


@dataclass(frozen=True, slots=True)
class ServedStage:
    """One stage of one API, as deployed."""

    scope: Scope
    api_id: str
    stage_name: str
    is_disabled: bool
    variables: Mapping[str, str]
    selection: Selection
    key_selection: str
    routes: Mapping[str, ServedRoute]
    settings: RouteSettings
    access_format: Callable[[Values], str] | None
    access_group: str

    def route_for(self, selected: str | None) -> ServedRoute | None:
        """The route of a selected value; `$default` when there is no such custom route."""
        if selected is not None and not selected.startswith("$"):
            found = self.routes.get(selected)
            if found is not None:
                return found
        return self.routes.get(DEFAULT)


def serve_stage(scope: Scope, api: Api, stage: Stage, snapshot: Snapshot) -> ServedStage:
    """Make a stage ready. `api` is as it is now, the snapshot as it was deployed."""
    logs = stage.access_log_settings
    variables = {name: value for name, value in stage.stage_variables.items() if value}
    return ServedStage(
        scope=scope,
        api_id=api.api_id,
        stage_name=stage.stage_name,
        is_disabled=api.disable_execute_api_endpoint,
        variables=variables,
        selection=compile_selection(snapshot.api.route_selection_expression),
        key_selection=snapshot.api.api_key_selection_expression,
        routes={
            route.route_key: _serve_route(scope, stage, snapshot, route, variables)
            for route in snapshot.routes
        },
        settings=stage.default_route_settings,
        access_format=compile_format(logs.format) if logs else None,
        access_group=_group_of(logs.destination_arn) if logs else "",
    )


def _group_of(arn: str) -> str:
    parsed = parse_arn(arn.removesuffix(":*"))
    return parsed.resource.removeprefix("log-group:") if parsed is not None else ""


def _serve_route(
    scope: Scope, stage: Stage, snapshot: Snapshot, route: Route, variables: Mapping[str, str]
) -> ServedRoute:
    integration = _found(snapshot.integrations, "integration_id", route.integration_id)
    authorizer = _found(snapshot.authorizers, "authorizer_id", route.authorizer_id)
    selection = route.model_selection_expression
    return ServedRoute(
        key=route.route_key,
        authorization_type=route.authorization_type,
        api_key_required=route.api_key_required,
        authorizer=_serve_authorizer(scope, authorizer, variables) if authorizer else None,
        integration=_serve_integration(scope, stage, snapshot, route, integration, variables)
        if integration
        else None,
        answers=bool(route.route_response_selection_expression)
        and any(
            one.route_id == route.route_id and one.route_response_key == DEFAULT
            for one in snapshot.route_responses
        ),
        settings=_settled(stage, route.route_key),
        model_selection=compile_selection(selection) if selection else None,
        models=_checks(route.request_models or {}, snapshot.models),
        needed=tuple(
            name for name, one in (route.request_parameters or {}).items() if one.get("Required")
        ),
    )


def _found(parts: tuple[Any, ...], member: str, wanted: str | None) -> Any:
    return next((one for one in parts if wanted and getattr(one, member) == wanted), None)


def _settled(stage: Stage, route_key: str) -> RouteSettings:
    """The route's own settings, with the stage's where it has none."""
    own = stage.route_settings.get(route_key)
    default = stage.default_route_settings
    if own is None:
        return default
    return RouteSettings(
        **{
            name: getattr(default, name) if (value := getattr(own, name)) is None else value
            for name in RouteSettings.__struct_fields__
        }
    )


def _checks(
    wanted: Mapping[str, str], models: tuple[Model, ...]
) -> dict[str, Callable[[Any], bool]]:
    """By the value of the model selection; a schema that cannot be read lets nothing through."""
    schemas = {model.name: model.schema for model in models}
    found: dict[str, Callable[[Any], bool]] = {}
    for key, name in wanted.items():
        try:
            found[key] = compile_schema(name, schemas)
        except (BadSchema, KeyError):
            found[key] = lambda _: False
    return found


def _serve_authorizer(
    scope: Scope, one: Authorizer, variables: Mapping[str, str]
) -> ServedAuthorizer:
    function = lambda_function_of(_filled(one.authorizer_uri, variables)) or ""
    arn = parse_arn(function)
    source = scope.arn("execute-api", f"{one.api_id}/authorizers/{one.authorizer_id}")
    return ServedAuthorizer(
        function=None
        if arn is None
        else AuthorizerFunction(
            function,
            arn.region,
            _gateway(scope, source),
            one.authorizer_credentials_arn or "",
        ),
        sources=tuple(_place_of(source) for source in one.identity_source),
    )


def _place_of(source: str) -> tuple[str, str]:
    """`route.request.header.Auth` → `("header", "Auth")`; `context.x` → `("context", "x")`."""
    place, _, name = source.removeprefix("route.request.").partition(".")
    return place, name


def _gateway(scope: Scope, source_arn: str) -> Principal:
    said = {"aws:SourceArn": source_arn, "aws:SourceAccount": scope.account}
    return service_principal(PRINCIPAL, scope.account, said)


def _filled(text: str | None, variables: Mapping[str, str]) -> str:
    return _STAGE_VARIABLE.sub(lambda found: variables.get(found[1], ""), text or "")


def _serve_integration(
    scope: Scope,
    stage: Stage,
    snapshot: Snapshot,
    route: Route,
    one: Integration,
    variables: Mapping[str, str],
) -> ServedIntegration:
    uri = _filled(one.integration_uri, variables)
    function = lambda_function_of(uri) or ""
    arn = parse_arn(function)
    source = scope.arn("execute-api", f"{stage.api_id}/{stage.stage_name}/{route.route_key}")
    selection = one.template_selection_expression
    return ServedIntegration(
        id=one.integration_id,
        kind=one.integration_type,
        method=one.integration_method or "POST",
        uri=uri,
        function=function,
        function_region=arn.region if arn is not None else "",
        service=parse_service_uri(uri) if arn is None else None,
        credentials=_filled(one.credentials_arn, variables),
        gateway=_gateway(scope, source),
        templates=_templates(one.request_templates),
        template_selection=compile_selection(selection) if selection else None,
        passthrough=one.passthrough_behavior or "WHEN_NO_MATCH",
        content_handling=one.content_handling_strategy,
        timeout_seconds=one.timeout_in_millis / 1000,
        mappings=tuple((one.request_parameters or {}).items()),
        response_selection=compile_selection(
            one.integration_response_selection_expression or _RESPONSE_SELECTION
        ),
        responses=tuple(
            _serve_response(response)
            for response in snapshot.integration_responses
            if response.integration_id == one.integration_id
        ),
    )


def _templates(given: Mapping[str, str] | None) -> dict[str, Block]:
    return {key: parse_template(text) for key, text in (given or {}).items()}


def _serve_response(one: IntegrationResponse) -> ServedResponse:
    key = one.integration_response_key
    return ServedResponse(
        pattern=None if key == DEFAULT else _pattern(key),
        templates=_templates(one.response_templates),
        template_selection=compile_selection(one.template_selection_expression or DEFAULT),
        content_handling=one.content_handling_strategy,
    )


def _pattern(key: str) -> Pattern:
    """`/2\\d\\d/` is a pattern; anything else is itself."""
    is_pattern = len(key) > 1 and key[0] == key[-1] == "/"
    return compile_pattern(key[1:-1] if is_pattern else re.escape(key))
