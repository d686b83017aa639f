"""OpenAPI documents: what an import makes of them.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-import-api.html
"""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.services.apigateway.errors import BadRequestException
from cumulet.services.apigateway.openapi.document import parse_document
from cumulet.services.apigateway.openapi.plan import plan_api

URI = (
    "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
    "arn:aws:lambda:us-east-1:123456789012:function:f/invocations"
)
PROXY = {"type": "aws_proxy", "httpMethod": "POST", "uri": URI}
MOCK = {
    "type": "mock",
    "requestTemplates": {"application/json": '{"statusCode": 200}'},
    "responses": {
        "default": {
            "statusCode": "200",
            "responseParameters": {"method.response.header.Access-Control-Allow-Origin": "'*'"},
            "responseTemplates": {"application/json": "{}\n"},
        }
    },
}
SWAGGER = {
    "swagger": "2.0",
    "info": {"title": "pets", "version": 1.0},
    "basePath": "/v1/zoo",
    "x-amazon-apigateway-binary-media-types": ["image/png"],
    "definitions": {
        "Pet": {"type": "object", "properties": {"friend": {"$ref": "#/definitions/Pet"}}}
    },
    "x-amazon-apigateway-request-validators": {
        "all": {"validateRequestBody": True, "validateRequestParameters": True}
    },
    "paths": {
        "/pets": {
            "get": {
                "operationId": "listPets",
                "parameters": [{"name": "kind", "in": "query", "required": True}],
                "responses": {"200": {"headers": {"X-Total": {"type": "integer"}}}},
                "x-amazon-apigateway-integration": PROXY,
            },
            "post": {
                "consumes": ["application/json"],
                "parameters": [
                    {"name": "b", "in": "body", "schema": {"$ref": "#/definitions/Pet"}}
                ],
                "x-amazon-apigateway-request-validator": "all",
                "x-amazon-apigateway-integration": PROXY,
            },
            "options": {
                "responses": {"200": {"headers": {"Access-Control-Allow-Origin": {}}}},
                "x-amazon-apigateway-integration": MOCK,
            },
        },
        "/{proxy+}": {"x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": PROXY}},
    },
}
OPENAPI = {
    "openapi": "3.0.1",
    "info": {"title": "three", "description": "d", "version": "2"},
    "servers": [{"url": "https://x.example/{stage}/", "variables": {"stage": {"default": "prod"}}}],
    "components": {
        "schemas": {"Pet": {"type": "object"}},
        "parameters": {"Id": {"name": "id", "in": "path", "required": True}},
        "securitySchemes": {
            "sigv4": {"type": "apiKey", "x-amazon-apigateway-authtype": "awsSigv4"},
            "oauth": {"type": "oauth2"},
        },
    },
    "paths": {
        "/pets/{id}": {
            "parameters": [{"$ref": "#/components/parameters/Id"}],
            "put": {
                "security": [{"sigv4": []}],
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}
                    }
                },
                "responses": {
                    "201": {"content": {"application/json": {"schema": {"type": "string"}}}}
                },
                "x-amazon-apigateway-integration": PROXY,
            },
            "get": {"security": [{"oauth": []}], "x-amazon-apigateway-integration": PROXY},
        }
    },
}


def plan(document, **parameters):
    return plan_api(parse_document(json.dumps(document).encode()), parameters, "abc")


def test_a_swagger_document_becomes_an_api():
    made = plan(SWAGGER)
    assert made.settings == {"name": "pets", "version": "1.0", "binaryMediaTypes": ["image/png"]}
    assert set(made.methods) == {"/pets", "/{proxy+}"}
    listing = made.methods["/pets"]["GET"]
    assert listing.request_parameters == {"method.request.querystring.kind": True}
    assert listing.operation_name == "listPets"
    assert listing.method_responses["200"].response_parameters == {
        "method.response.header.X-Total": False
    }
    assert listing.method_integration.uri == URI
    posting = made.methods["/pets"]["POST"]
    assert posting.request_models == {"application/json": "Pet"}
    assert posting.request_validator_id == "all"
    assert made.validators == {"all": (True, True)}
    answer = made.methods["/pets"]["OPTIONS"].method_integration.integration_responses["200"]
    assert answer.selection_pattern is None
    assert "ANY" in made.methods["/{proxy+}"]


def test_named_schemas_become_models_that_refer_to_one_another():
    kind, schema, _ = plan(SWAGGER).models["Pet"]
    assert kind == "application/json"
    assert json.loads(schema)["properties"]["friend"] == {
        "$ref": "https://apigateway.amazonaws.com/restapis/abc/models/Pet"
    }


def test_an_openapi_document_becomes_an_api():
    made = plan(OPENAPI)
    assert made.settings == {"name": "three", "description": "d", "version": "2"}
    put = made.methods["/pets/{id}"]["PUT"]
    assert put.authorization_type == "AWS_IAM"
    assert put.request_parameters == {"method.request.path.id": True}
    assert put.request_models == {"application/json": "Pet"}
    assert put.method_responses["201"].response_models["application/json"].startswith("MODEL")
    assert made.methods["/pets/{id}"]["GET"].authorization_type == "NONE"


@pytest.mark.parametrize(
    ("mode", "path"),
    [("ignore", "/pets"), ("prepend", "/v1/zoo/pets"), ("split", "/zoo/pets")],
)
def test_the_base_path(mode, path):
    assert path in plan(SWAGGER, basepath=mode).methods


def test_the_base_path_of_a_server():
    assert "/prod/pets/{id}" in plan(OPENAPI, basepath="prepend").methods


def test_yaml_reads_as_json_does():
    text = yaml.safe_dump(SWAGGER).replace("'200'", "200")
    made = plan_api(parse_document(text.encode()), {}, "abc")
    assert made.methods == plan(SWAGGER).methods


def test_a_date_in_yaml_is_a_text():
    document = parse_document(b"swagger: '2.0'\ninfo: {title: t, version: 2015-07-09}\npaths: {}\n")
    assert plan_api(document, {}, "abc").settings["version"] == "2015-07-09"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"a: [", b'{"openapi": "1.0"}', b"\xff\xfe", b"&a [*a]", b"1"]
)
def test_what_is_no_document_is_refused(body):
    with pytest.raises(BadRequestException, match="Invalid OpenAPI input"):
        parse_document(body)


def test_aliases_that_grow_without_end_are_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(BadRequestException):
        parse_document("\n".join(["swagger: '2.0'", *lines]).encode())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"x-amazon-apigateway-gateway-responses": {"NONE": {}}}, "responseType"),
        (
            {
                "securityDefinitions": {
                    "c": {"type": "apiKey", "x-amazon-apigateway-authtype": "cognito_user_pools"}
                },
                "security": [{"c": []}],
            },
            "has no x-amazon-apigateway-authorizer",
        ),
        (
            {
                "securityDefinitions": {
                    "j": {"type": "oauth2", "x-amazon-apigateway-authorizer": {"type": "jwt"}}
                }
            },
            "JWT authorizers",
        ),
        ({"x-amazon-apigateway-request-validator": "none"}, "Invalid Request Validator"),
        ({"x-amazon-apigateway-security-policy": "TLS_1_2"}, "securityPolicy"),
        ({"x-amazon-apigateway-endpoint-access-mode": "STRICT"}, "endpointAccessMode"),
        ({"info": {}}, "Invalid OpenAPI input"),
    ],
)
def test_what_would_not_be_enforced_is_refused(change, words):
    with pytest.raises(BadRequestException, match=words):
        plan({**SWAGGER, **change})


def test_an_integration_response_needs_no_method_response():
    alone = {**MOCK, "responses": {"default": {"statusCode": "404"}}}
    document = {
        **SWAGGER,
        "paths": {"/a": {"get": {"x-amazon-apigateway-integration": alone}}},
    }
    integration = plan(document).methods["/a"]["GET"].method_integration
    assert list(integration.integration_responses) == ["404"]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=80))
def test_no_bytes_break_it(body):
    try:
        parse_document(body)
    except BadRequestException:
        return
