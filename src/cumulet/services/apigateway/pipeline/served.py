"""A deployed stage made ready to serve: routes, policies and templates, parsed once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from cumulet.core.clock import Clock
from cumulet.core.identity import Principal, Scope, parse_arn, service_principal
from cumulet.kit.policy import Policy, parse_policy
from cumulet.services.apigateway.admission.buckets import Rate
from cumulet.services.apigateway.admission.callers.served import (
    ServedAuthorizer,
    serve_authorizer,
)
from cumulet.services.apigateway.admission.throttles import stage_rates
from cumulet.services.apigateway.model import (
    Account,
    Deployment,
    GatewayResponse,
    Integration,
    IntegrationResponse,
    Method,
    Resource,
    Stage,
)
from cumulet.services.apigateway.pipeline.observe.prepared import (
    Logs,
    PreparedResponse,
    prepare_logs,
    prepare_responses,
)
from cumulet.services.apigateway.pipeline.routing import Router
from cumulet.services.apigateway.rules.mapping import (
    Assignment,
    parse_request_mappings,
    parse_response_mappings,
)
from cumulet.services.apigateway.rules.methods import lambda_function_of
from cumulet.services.apigateway.rules.names import ANY, PRINCIPAL, invoke_arn
from cumulet.services.apigateway.rules.patterns import Pattern, compile_pattern
from cumulet.services.apigateway.rules.schema import BadSchema, compile_schema
from cumulet.services.apigateway.rules.services import ServiceTarget, parse_service_uri
from cumulet.services.apigateway.rules.stages import MethodSettings, own_key, settings_of
from cumulet.services.apigateway.store import Served, Snapshot
from cumulet.services.apigateway.templates import Block, parse_template

_STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}")


@dataclass(frozen=True, slots=True)
class ServedResponse:
    """One integration response; `pattern` None is the default one."""

    status: int
    pattern: Pattern | None
    assignments: tuple[Assignment, ...]
    templates: Mapping[str, Block]
    content_handling: str | None
    is_declared: bool
    """Whether the method has a response of this status."""


@dataclass(frozen=True, slots=True)
class Validation:
    """What of a request is checked first.

    `required` names the parameters that must be there, by place; `schemas` tells by content type
    whether a document fits the model, None when bodies are not checked.
    """

    required: tuple[tuple[str, str], ...]
    schemas: Mapping[str, Callable[[Any], bool]] | None


@dataclass(frozen=True, slots=True)
class ServedMethod:
    """One method of one resource, with everything that serving it needs.

    `gateway` is API Gateway itself as functions see it: it says which method invokes them.
    """

    resource_id: str
    resource_path: str
    http_method: str
    authorization_type: str
    kind: str
    integration: Integration
    function: str
    function_region: str
    gateway: Principal
    uri: str
    credentials: str
    timeout_seconds: float
    assignments: tuple[Assignment, ...]
    templates: Mapping[str, Block]
    responses: tuple[ServedResponse, ...]
    validation: Validation | None
    settings: MethodSettings = field(default_factory=MethodSettings)
    service: ServiceTarget | None = None
    """Where an integration with another AWS service than Lambda sends its requests."""
    caches_every_verb: bool = False
    """Whether answers to other methods than GET may be kept: settings of its own say so."""
    authorizer: ServedAuthorizer | None = None
    scopes: tuple[str, ...] = ()
    api_key_required: bool = False
    route: str = ""
    """`/path/METHOD`, by which usage plans name it."""
    rates: tuple[Rate, ...] = ()
    """What it is held to besides usage plans, the narrowest first."""


@dataclass(frozen=True, slots=True)
class ServedStage:
    """One stage of one API, as deployed."""

    scope: Scope
    api_id: str
    stage_name: str
    deployment_id: str
    variables: Mapping[str, str] | None
    is_disabled: bool
    binary_types: frozenset[str]
    compression_bytes_min: int | None
    policies: tuple[Policy, ...]
    router: Router[ServedMethod]
    api_name: str = ""
    api_key_source: str = "HEADER"
    responses: Mapping[str, PreparedResponse] = field(default_factory=dict)
    """The API's own gateway responses, by type."""
    logs: Logs = field(default_factory=Logs)
    cache_bytes: int = 0
    """How much its cache may hold; 0 when it has none."""
    cache_epoch: tuple[float, int] = (0.0, 0)
    """Another one when the stage is another, or its cache was flushed: older answers are gone."""
    authorizer_flushes: int = 0
    """Grows when what authorizers said is forgotten."""
    is_canary: bool = False
    canary: tuple[float, ServedStage] | None = None
    """The share of requests (0 to 1) that another deployment of this stage gets, and that one."""
    client_certificate_id: str | None = None
    """By which HTTPS backends know the gateway."""
    begins_traces: bool = False
    """Whether X-Ray's rules are asked about requests whose callers have not decided."""

    def is_binary(self, media_type: str) -> bool:
        """Whether bodies of this type are taken as bytes; the type's own parameters are left out.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings.html
        """
        types = self.binary_types
        if not types:
            return False
        if "*/*" in types:
            return True
        return media_type.partition(";")[0].strip().lower() in types


def serve_stage(
    scope: Scope,
    stage: Stage,
    deployment: Deployment,
    resources: list[Resource],
    *,
    disabled: bool,
    responses: Iterable[GatewayResponse] = (),
    account: Account | None = None,
    is_canary: bool = False,
) -> ServedStage:
    """Make a stage ready. `disabled` says that the API answers no more at its own address."""
    api = deployment.api
    policy = api.policy
    place = (stage.api_id, stage.stage_name, deployment.id, stage.authorizer_flushes)
    authorizers = {
        one.id: serve_authorizer(scope, one, stage.variables, place)
        for one in (deployment.authorizers or {}).values()
    }
    return ServedStage(
        scope=scope,
        api_id=stage.api_id,
        stage_name=stage.stage_name,
        deployment_id=deployment.id,
        variables=stage.variables or None,
        is_disabled=disabled,
        binary_types=frozenset(kind.lower() for kind in api.binary_media_types or ()),
        compression_bytes_min=api.minimum_compression_size,
        policies=(parse_policy("resource-based policy", policy),) if policy else (),
        router=Router(
            (
                resource.path,
                {
                    name: _serve_method(scope, resource, method, stage, deployment, authorizers)
                    for name, method in resource.methods.items()
                },
            )
            for resource in resources
        ),
        api_name=api.name,
        api_key_source=api.api_key_source,
        responses=prepare_responses(responses),
        logs=prepare_logs(stage, account or Account(), is_canary=is_canary),
        cache_bytes=_cache_bytes(stage, is_canary),
        cache_epoch=(stage.created_date, stage.cache_flushes),
        authorizer_flushes=stage.authorizer_flushes,
        is_canary=is_canary,
        client_certificate_id=stage.client_certificate_id,
        begins_traces=stage.tracing_enabled,
    )


def serve(scope: Scope, found: Served) -> ServedStage:
    """Make a stage ready with its canary, from what the store has of it."""
    disabled = found.api.disable_execute_api_endpoint

    def made(stage: Stage, snapshot: Snapshot, *, is_canary: bool) -> ServedStage:
        return serve_stage(
            scope,
            stage,
            snapshot.deployment,
            snapshot.resources,
            disabled=disabled,
            responses=snapshot.responses,
            account=found.account,
            is_canary=is_canary,
        )

    main = made(found.stage, found.snapshot, is_canary=False)
    settings = found.stage.canary_settings
    if settings is None or found.canary is None:
        return main
    canary = made(as_canary(found.stage), found.canary, is_canary=True)
    return replace(main, canary=(settings.percent_traffic / 100, canary))


def chosen(stage: ServedStage | None, clock: Clock) -> ServedStage | None:
    """The stage itself, or its canary for as many requests as the canary is to have."""
    if stage is None or stage.canary is None:
        return stage
    share, canary = stage.canary
    return canary if int.from_bytes(clock.random_bytes(4), "big") < share * (1 << 32) else stage


_GIGABYTE = 1 << 30


def _cache_bytes(stage: Stage, is_canary: bool) -> int:
    settings = stage.canary_settings
    if not stage.cache_cluster_enabled or (is_canary and settings and not settings.use_stage_cache):
        return 0
    return int(float(stage.cache_cluster_size or "0.5") * _GIGABYTE)


def as_canary(stage: Stage) -> Stage:
    """The stage as its canary sees it: its deployment, and its variables over the stage's."""
    settings = stage.canary_settings
    if settings is None:
        raise ValueError("the stage has a canary")
    return msgspec.structs.replace(
        stage,
        deployment_id=settings.deployment_id,
        variables={**(stage.variables or {}), **(settings.stage_variable_overrides or {})},
    )


def with_stage_variables(text: str, variables: Mapping[str, str] | None) -> str:
    """The text with `${stageVariables.name}` filled in; an unknown one is left empty."""
    if "${" not in text:
        return text
    return _STAGE_VARIABLE.sub(lambda found: (variables or {}).get(found[1], ""), text)


def _gateway(resource: Resource, method: Method, stage: Stage, scope: Scope) -> Principal:
    verb = "*" if method.http_method == ANY else method.http_method
    source = invoke_arn(scope, stage.api_id, stage.stage_name, verb, resource.path)
    said = {"aws:SourceArn": source, "aws:SourceAccount": scope.account}
    return service_principal(PRINCIPAL, scope.account, said)


def _serve_method(
    scope: Scope,
    resource: Resource,
    method: Method,
    stage: Stage,
    deployment: Deployment,
    authorizers: Mapping[str, ServedAuthorizer],
) -> ServedMethod:
    integration = method.method_integration
    if integration is None:
        raise ValueError("a deployed method has an integration")
    uri = with_stage_variables(integration.uri or "", stage.variables)
    function = lambda_function_of(uri) or ""
    function_arn = parse_arn(function)
    settings = settings_of(stage, resource.path, method.http_method)
    route = f"{resource.path.rstrip('/')}/{method.http_method}"
    return ServedMethod(
        resource_id=resource.id,
        resource_path=resource.path,
        http_method=method.http_method,
        authorization_type=method.authorization_type,
        kind=integration.type,
        integration=integration,
        function=function,
        function_region=function_arn.region if function_arn is not None else "",
        gateway=_gateway(resource, method, stage, scope),
        uri=uri,
        service=None if function else parse_service_uri(uri),
        settings=settings,
        caches_every_verb=own_key(stage, resource.path, method.http_method) is not None,
        credentials=with_stage_variables(integration.credentials or "", stage.variables),
        timeout_seconds=integration.timeout_in_millis / 1000,
        assignments=parse_request_mappings(integration.request_parameters, None),
        templates=_templates(integration.request_templates),
        responses=tuple(
            _serve_response(one, method)
            for one in (integration.integration_responses or {}).values()
        ),
        validation=_validation(method, deployment, resource.path),
        authorizer=authorizers.get(method.authorizer_id or ""),
        scopes=method.authorization_scopes or (),
        api_key_required=method.api_key_required,
        route=route,
        rates=stage_rates(
            scope,
            stage.api_id,
            stage.stage_name,
            route,
            settings.throttling_rate_limit,
            settings.throttling_burst_limit,
        ),
    )


def _templates(given: Mapping[str, str | None] | None) -> dict[str, Block]:
    return {kind.lower(): parse_template(text or "") for kind, text in (given or {}).items()}


def _serve_response(response: IntegrationResponse, method: Method) -> ServedResponse:
    pattern = response.selection_pattern
    return ServedResponse(
        status=int(response.status_code),
        pattern=compile_pattern(pattern) if pattern else None,
        assignments=parse_response_mappings(response.response_parameters, None),
        templates=_templates(response.response_templates),
        content_handling=response.content_handling,
        is_declared=response.status_code in (method.method_responses or {}),
    )


def _validation(method: Method, deployment: Deployment, resource_path: str) -> Validation | None:
    chosen = (deployment.validators or {}).get(method.request_validator_id or "")
    if chosen is None:
        return None
    body, parameters = chosen
    required = [
        name.removeprefix("method.request.")
        for name, needed in (method.request_parameters or {}).items()
        if needed and parameters
    ]
    pairs = (name.partition(".") for name in sorted(required))
    return Validation(
        # A path that has the parameter always has a value for it.
        required=tuple(
            (place, name)
            for place, _, name in pairs
            if place != "path"
            or not {f"{{{name}}}", f"{{{name}+}}"}.intersection(resource_path.split("/"))
        ),
        schemas=_schemas(method, deployment) if body else None,
    )


def _schemas(method: Method, deployment: Deployment) -> dict[str, Callable[[Any], bool]]:
    models = deployment.models or {}
    found: dict[str, Callable[[Any], bool]] = {}
    for kind, name in (method.request_models or {}).items():
        # Only JSON has schemas; a body of another type is let through, as in AWS.
        if kind.lower() == "application/json" or kind.lower().endswith("+json"):
            found[kind.lower()] = _fits(name, models)
    return found


def _fits(name: str, models: Mapping[str, str]) -> Callable[[Any], bool]:
    try:
        return compile_schema(name, models)
    except BadSchema:
        # A model that was declared for another type than JSON: nothing fits what cannot be read.
        return lambda _: False
