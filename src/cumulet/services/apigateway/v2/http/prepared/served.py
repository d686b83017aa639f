"""Stages of HTTP APIs made ready to serve: routes, mappings, rates and logs, prepared once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cumulet.core.identity import Principal, Scope, parse_arn, service_principal
from cumulet.services.apigateway.admission.authorizers import AuthorizerFunction
from cumulet.services.apigateway.admission.buckets import Rate
from cumulet.services.apigateway.admission.throttles import stage_rates
from cumulet.services.apigateway.pipeline.observe.formats import compile_format
from cumulet.services.apigateway.rules.methods import lambda_function_of
from cumulet.services.apigateway.rules.names import ANY, PRINCIPAL, invoke_arn
from cumulet.services.apigateway.v2.http.prepared.cors import CorsRules, cors_rules
from cumulet.services.apigateway.v2.http.prepared.routing import Router
from cumulet.services.apigateway.v2.limits import THROTTLE_BURST, THROTTLE_RATE
from cumulet.services.apigateway.v2.model import (
    Api,
    Authorizer,
    Integration,
    Route,
    RouteSettings,
    Snapshot,
    Stage,
)
from cumulet.services.apigateway.v2.rules.expressions import Expression, parse_expression
from cumulet.services.apigateway.v2.rules.integrations import function_of
from cumulet.services.apigateway.v2.rules.mappings import Change, parse_changes
from cumulet.services.apigateway.v2.rules.services import SUBTYPES, Subtype

Dimensions = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ServedAuthorizer:
    """An authorizer that routes use. `function` is None for one of tokens."""

    authorizer: Authorizer
    source: Expression
    sources: tuple[Expression, ...]
    function: AuthorizerFunction | None
    cache_key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServedIntegration:
    """A backend with everything that calling it needs; stage variables are filled in."""

    integration: Integration
    kind: str
    uri: str
    function: str
    function_region: str
    subtype: Subtype | None
    parameters: Mapping[str, Expression]
    changes: tuple[Change, ...]
    response_changes: Mapping[int, tuple[Change, ...]]
    credentials: str
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class ServedRoute:
    """One route. `gateway` is API Gateway itself as functions see it."""

    route: Route
    key: str
    authorization: str
    scopes: tuple[str, ...]
    authorizer: ServedAuthorizer | None
    integration: ServedIntegration | None
    gateway: Principal
    rates: tuple[Rate, ...]
    dimensions: tuple[Dimensions, ...]


@dataclass(frozen=True, slots=True)
class AccessLog:
    """Where a stage writes a line for each request."""

    write: Callable[[Mapping[str, Any]], str]
    group: str
    stream: str


@dataclass(frozen=True, slots=True)
class ServedStage:
    """One stage of one HTTP API, as deployed."""

    scope: Scope
    api_id: str
    name: str
    variables: Mapping[str, str]
    is_disabled: bool
    cors: CorsRules | None
    router: Router[ServedRoute]
    access_log: AccessLog | None
    dimensions: tuple[Dimensions, ...]


@dataclass(frozen=True, slots=True)
class ServedApi:
    """An API's stages by name."""

    scope: Scope
    api_id: str
    protocol: str
    stages: Mapping[str, ServedStage]


def serve_stage(scope: Scope, stage: Stage, snapshot: Snapshot) -> ServedStage:
    """Make a stage of an HTTP API ready."""
    api = snapshot.api
    integrations = {
        one.integration_id: _integration(one, stage.stage_variables)
        for one in snapshot.integrations
    }
    authorizers = {
        one.authorizer_id: _authorizer(scope, api, one, stage) for one in snapshot.authorizers
    }
    of_stage = _stage_dimensions(stage)
    routes = []
    for route in snapshot.routes:
        served = _route(scope, stage, route, authorizers, integrations)
        routes.append((route.route_key, served))
    return ServedStage(
        scope=scope,
        api_id=api.api_id,
        name=stage.stage_name,
        variables=stage.stage_variables,
        is_disabled=api.disable_execute_api_endpoint,
        cors=cors_rules(api.cors_configuration),
        router=Router(routes),
        access_log=_access_log(stage),
        dimensions=of_stage,
    )


def _stage_dimensions(stage: Stage) -> tuple[Dimensions, ...]:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html"""
    api = ("ApiId", stage.api_id)
    return ((api,), (api, ("Stage", stage.stage_name)))


def _route(
    scope: Scope,
    stage: Stage,
    route: Route,
    authorizers: Mapping[str, ServedAuthorizer],
    integrations: Mapping[str, ServedIntegration],
) -> ServedRoute:
    method, _, path = route.route_key.partition(" ")
    own = stage.route_settings.get(route.route_key, RouteSettings())
    rate, burst = _throttle(own, stage.default_route_settings)
    dimensions = _stage_dimensions(stage)
    if own.detailed_metrics_enabled or (
        own.detailed_metrics_enabled is None
        and stage.default_route_settings.detailed_metrics_enabled
    ):
        detail = (*dimensions[1], ("Method", method), ("Resource", path or route.route_key))
        dimensions = (*dimensions, detail)
    return ServedRoute(
        route=route,
        key=route.route_key,
        authorization=route.authorization_type,
        scopes=route.authorization_scopes or (),
        authorizer=authorizers.get(route.authorizer_id or ""),
        integration=integrations.get(route.integration_id or ""),
        gateway=_gateway(scope, stage, method, path),
        rates=stage_rates(scope, stage.api_id, stage.stage_name, route.route_key, rate, burst),
        dimensions=dimensions,
    )


def _throttle(own: RouteSettings, default: RouteSettings) -> tuple[float, int]:
    rates = (own.throttling_rate_limit, default.throttling_rate_limit, THROTTLE_RATE)
    bursts = (own.throttling_burst_limit, default.throttling_burst_limit, THROTTLE_BURST)
    return (
        next(one for one in rates if one is not None),
        next(one for one in bursts if one is not None),
    )


def _gateway(scope: Scope, stage: Stage, method: str, path: str) -> Principal:
    """API Gateway as the source that a function's policy may name: the route, as it is written."""
    place = f"{stage.api_id}/{stage.stage_name}"
    source = (
        invoke_arn(scope, stage.api_id, stage.stage_name, "*" if method == ANY else method, path)
        if path
        else scope.arn("execute-api", f"{place}/{method}")
    )
    said = {"aws:SourceArn": source, "aws:SourceAccount": scope.account}
    return service_principal(PRINCIPAL, scope.account, said)


def _filled(text: str, variables: Mapping[str, str]) -> str:
    """The text with `${stageVariables.name}` filled in; an unknown one is left empty."""
    if "${" not in text:
        return text
    for name, value in variables.items():
        text = text.replace(f"${{stageVariables.{name}}}", value)
    return text


def _integration(one: Integration, variables: Mapping[str, str]) -> ServedIntegration:
    uri = _filled(one.integration_uri or "", variables)
    function = function_of(uri) or ""
    arn = parse_arn(function)
    subtype = SUBTYPES.get(one.integration_subtype or "")
    given = one.request_parameters or {}
    return ServedIntegration(
        integration=one,
        kind="service" if subtype else one.integration_type,
        uri=uri,
        function=function,
        function_region=arn.region if arn is not None else "",
        subtype=subtype,
        parameters={name: parse_expression(text, "request") for name, text in given.items()}
        if subtype
        else {},
        changes=() if subtype else parse_changes(given, "request"),
        response_changes={
            int(status): parse_changes(changes, "response")
            for status, changes in (one.response_parameters or {}).items()
        },
        credentials=_filled(one.credentials_arn or "", variables),
        timeout_seconds=one.timeout_in_millis / 1000,
    )


def _authorizer(scope: Scope, api: Api, one: Authorizer, stage: Stage) -> ServedAuthorizer:
    sources = tuple(parse_expression(text, "request") for text in one.identity_source)
    function = None
    if one.authorizer_uri:
        arn_text = lambda_function_of(_filled(one.authorizer_uri, stage.stage_variables)) or ""
        arn = parse_arn(arn_text)
        source = scope.arn("execute-api", f"{api.api_id}/authorizers/{one.authorizer_id}")
        said = {"aws:SourceArn": source, "aws:SourceAccount": scope.account}
        function = AuthorizerFunction(
            function=arn_text,
            region=arn.region if arn is not None else "",
            gateway=service_principal(PRINCIPAL, scope.account, said),
            credentials=_filled(one.authorizer_credentials_arn or "", stage.stage_variables),
        )
    # A changed authorizer, another deployment or a reset begins with an empty cache.
    shape = hashlib.sha256(repr(one).encode()).hexdigest()
    reset = stage.authorizers_reset or ""
    key = (api.api_id, stage.stage_name, one.authorizer_id, shape, reset)
    return ServedAuthorizer(one, sources[0] if sources else (), sources, function, key)


def _access_log(stage: Stage) -> AccessLog | None:
    settings = stage.access_log_settings
    if settings is None:
        return None
    arn = parse_arn(settings.destination_arn.removesuffix(":*"))
    group = arn.resource.removeprefix("log-group:") if arn is not None else ""
    stream = hashlib.sha256(f"{stage.api_id}/{stage.stage_name}".encode()).hexdigest()[:32]
    return AccessLog(compile_format(settings.format), group, stream)
