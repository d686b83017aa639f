"""Exports are read back by imports as what they were: a property over methods of all sorts."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.core.identity import Scope
from cumulet.services.apigateway.admission.callers.rules import parse_authorizer
from cumulet.services.apigateway.model import (
    EndpointConfiguration,
    Integration,
    IntegrationResponse,
    Method,
    MethodResponse,
    Resource,
    RestApi,
    Stage,
)
from cumulet.services.apigateway.openapi.document import parse_document
from cumulet.services.apigateway.openapi.export import EVERYTHING, Source, write_document
from cumulet.services.apigateway.openapi.plan import plan_api

SCOPE = Scope("123456789012", "us-east-1")
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
URI = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
AUTHORIZERS = {
    one.id: one
    for one in (
        parse_authorizer(
            {
                "name": "token",
                "type": "TOKEN",
                "authorizerUri": URI,
                "identitySource": "method.request.header.X-Pass",
            },
            "abc",
            "aut001",
        ),
        parse_authorizer(
            {
                "name": "asks",
                "type": "REQUEST",
                "authorizerUri": URI,
                "identitySource": "method.request.header.A,context.stage",
            },
            "abc",
            "aut002",
        ),
        parse_authorizer(
            {
                "name": "pool",
                "type": "COGNITO_USER_POOLS",
                "providerARNs": ["arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_a"],
                "identitySource": "method.request.header.Authorization",
            },
            "abc",
            "aut003",
        ),
    )
}
VALIDATORS = {"val001": (True, False), "val002": (False, True)}
VALIDATOR_NAMES = {"val001": "body", "val002": "parameters"}
MODELS = {"Pet": '{"type": "object"}', "Pets": '{"type": "array", "items": {"type": "object"}}'}

names = st.text("abcXYZ-_0123456789", min_size=1, max_size=8)
texts = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=20)
statuses = st.sampled_from(["200", "201", "302", "400", "404", "500"])


@st.composite
def method_responses(draw):
    found = {}
    for status in draw(st.lists(statuses, unique=True, max_size=3)):
        headers = draw(st.lists(names, unique_by=str.lower, max_size=2))
        model = draw(st.sampled_from([None, *MODELS]))
        found[status] = MethodResponse(
            status_code=status,
            response_parameters={f"method.response.header.{one}": False for one in headers} or None,
            response_models={"application/json": model} if model else None,
        )
    return dict(sorted(found.items()))


@st.composite
def integrations(draw, responses):
    kind = draw(st.sampled_from(["MOCK", "HTTP", "HTTP_PROXY", "AWS", "AWS_PROXY"]))
    uri = None if kind == "MOCK" else URI if "AWS" in kind else "https://backend.example.com/x"
    answers = {}
    pattern = iter(["default", "a.*", "b.*"])
    for status in sorted(responses):
        chosen = next(pattern)
        templates = draw(st.dictionaries(st.just("application/json"), texts, max_size=1))
        answers[status] = IntegrationResponse(
            status_code=status,
            selection_pattern=None if chosen == "default" else chosen,
            response_templates={
                k: v.replace("#", "").replace("$", "") for k, v in templates.items()
            }
            or None,
        )
    return Integration(
        type=kind,
        http_method=None if kind == "MOCK" else "POST",
        uri=uri,
        connection_type="INTERNET" if kind.startswith("HTTP") else None,
        passthrough_behavior=draw(st.sampled_from(["WHEN_NO_MATCH", "NEVER", "WHEN_NO_TEMPLATES"])),
        timeout_in_millis=draw(st.integers(50, 29_000)),
        cache_namespace=draw(st.sampled_from(["res001", "shared"])),
        cache_key_parameters=(),
        content_handling=draw(st.sampled_from([None, "CONVERT_TO_TEXT"])),
        integration_responses=answers or None,
    )


@st.composite
def methods(draw):
    responses = draw(method_responses())
    kind = draw(st.sampled_from(["NONE", "AWS_IAM", "aut001", "aut002", "aut003"]))
    asked = AUTHORIZERS.get(kind)
    pool = asked is not None and asked.type == "COGNITO_USER_POOLS"
    model = draw(st.sampled_from([None, *MODELS]))
    # A name is one parameter's alone, wherever it stands.
    plain = draw(st.lists(names, unique=True, max_size=3))
    places = st.sampled_from(["header", "querystring"])
    parameters = {f"method.request.{draw(places)}.{one}": draw(st.booleans()) for one in plain}
    return Method(
        http_method=draw(st.sampled_from(["GET", "POST", "ANY"])),
        authorization_type=kind if asked is None else "COGNITO_USER_POOLS" if pool else "CUSTOM",
        authorizer_id=asked.id if asked else None,
        authorization_scopes=("a/b",) if pool and draw(st.booleans()) else None,
        api_key_required=draw(st.booleans()),
        request_validator_id=draw(st.sampled_from([None, *VALIDATORS])),
        operation_name=draw(st.none() | names),
        request_parameters=parameters or None,
        request_models={"application/json": model} if model else None,
        method_responses=responses or None,
        method_integration=draw(st.none() | integrations(responses)),
    )


def source_of(method: Method) -> Source:
    resource = Resource(
        api_id="abc",
        id="res001",
        path="/a/{b}",
        parent_id="root",
        path_part="{b}",
        resource_methods={method.http_method: method},
    )
    api = RestApi(
        id="abc",
        name="export",
        created_date=0,
        root_resource_id="root",
        endpoint_configuration=EndpointConfiguration(types=("EDGE",), ip_address_type="ipv4"),
        api_key_source="HEADER",
        disable_execute_api_endpoint=False,
    )
    stage = Stage(
        api_id="abc",
        stage_name="prod",
        deployment_id="dep001",
        created_date=0,
        last_updated_date=0,
        cache_cluster_enabled=False,
        cache_cluster_status="NOT_AVAILABLE",
        method_settings={},
        tracing_enabled=False,
    )
    return Source(api, stage, [resource], MODELS, VALIDATORS, VALIDATOR_NAMES, AUTHORIZERS, [], [])


def as_planned(method: Method) -> Method:
    """The method with names where a document has them, and the namespace that is the resource."""
    integration = method.method_integration
    if integration is not None and integration.cache_namespace == "res001":
        integration = msgspec.structs.replace(integration, cache_namespace="")
    asked = AUTHORIZERS.get(method.authorizer_id or "")
    # The parameter of the path is one whether the method says so or not.
    parameters = dict(method.request_parameters or {})
    if not any(name.rpartition(".")[2] == "b" for name in parameters):
        parameters["method.request.path.b"] = True
    return msgspec.structs.replace(
        method,
        method_integration=integration,
        request_parameters=parameters,
        authorizer_id=asked.name if asked else None,
        request_validator_id=VALIDATOR_NAMES.get(method.request_validator_id or ""),
    )


@pytest.mark.parametrize("kind", ["oas30", "swagger"])
@settings(max_examples=40, deadline=None)
@given(method=methods())
def test_a_method_is_read_back_as_it_was(kind, method):
    document = write_document(source_of(method), kind, EVERYTHING, SCOPE)
    plan = plan_api(parse_document(json.dumps(document).encode()), {}, "abc")
    assert plan.methods["/a/{b}"] == {method.http_method: as_planned(method)}
    unnamed = {one.name: msgspec.structs.replace(one, id="") for one in AUTHORIZERS.values()}
    assert plan.authorizers == unnamed
    assert plan.validators == {VALIDATOR_NAMES[key]: one for key, one in VALIDATORS.items()}
    assert {name: json.loads(text) for name, (_, text, _) in plan.models.items()} == {
        name: json.loads(text) for name, text in MODELS.items()
    }
    assert plan.warnings == []
