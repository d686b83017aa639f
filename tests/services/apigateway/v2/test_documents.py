"""HTTP APIs from OpenAPI documents, and as such.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-open-api.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-export.html
"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import yaml
from tests.services.apigateway.conftest import refused
from tests.services.apigateway.v2.conftest import FUNCTION, FUNCTION_URI, HttpApi

WEB = {
    "type": "http_proxy",
    "httpMethod": "GET",
    "uri": "http://127.0.0.1:1/",
    "payloadFormatVersion": "1.0",
}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.1",
    "info": {"title": "Pets", "version": "7", "description": "All of them"},
    "servers": [{"url": "https://example.com/base/path"}],
    "tags": [{"name": "team", "x-amazon-apigateway-tag-value": "blue"}],
    "paths": {
        "/pets/{id}": {
            "get": {
                "operationId": "getPet",
                "security": [{"jwt": ["read"]}],
                "x-amazon-apigateway-integration": {
                    "$ref": "#/components/x-amazon-apigateway-integrations/shared"
                },
            },
            "post": {
                "security": [{"iam": []}],
                "x-amazon-apigateway-integration": {
                    "$ref": "#/components/x-amazon-apigateway-integrations/shared"
                },
            },
        },
        "/slash/": {"get": {"x-amazon-apigateway-integration": WEB}},
        "/any": {
            "x-amazon-apigateway-any-method": {
                "security": [{"function": []}],
                "x-amazon-apigateway-integration": {
                    "type": "aws_proxy",
                    "httpMethod": "POST",
                    "uri": FUNCTION_URI,
                    "payloadFormatVersion": "2.0",
                    "timeoutInMillis": 1_000,
                },
            }
        },
        "/$default": {
            "x-amazon-apigateway-any-method": {
                "isDefaultRoute": True,
                "x-amazon-apigateway-integration": {
                    **WEB,
                    "requestParameters": {"overwrite:path": "/x"},
                    "responseParameters": {"200": {"append:header.a": "b"}},
                },
            }
        },
    },
    "components": {
        "x-amazon-apigateway-integrations": {"shared": WEB},
        "securitySchemes": {
            "jwt": {
                "type": "oauth2",
                "x-amazon-apigateway-authorizer": {
                    "type": "jwt",
                    "identitySource": "$request.header.Authorization",
                    "jwtConfiguration": {"issuer": "https://issuer.example", "audience": ["me"]},
                },
            },
            "function": {
                "type": "apiKey",
                "name": "Unused",
                "in": "header",
                "x-amazon-apigateway-authorizer": {
                    "type": "request",
                    "authorizerUri": FUNCTION_URI,
                    "authorizerResultTtlInSeconds": 60,
                    "identitySource": ["$request.header.Authorization"],
                    "authorizerPayloadFormatVersion": "2.0",
                    "enableSimpleResponses": True,
                },
            },
            "iam": {
                "type": "apiKey",
                "name": "Authorization",
                "in": "header",
                "x-amazon-apigateway-authtype": "awsSigv4",
            },
        },
    },
    "x-amazon-apigateway-cors": {"allowOrigins": ["https://a.example"], "maxAge": 5},
    "x-amazon-apigateway-importexport-version": "1.0",
}


@pytest.fixture
def imported(v2, made):
    api = made()["ApiId"]

    def put(document: dict[str, Any], **more: Any) -> str:
        v2.reimport_api(ApiId=api, Body=json.dumps(document), **more)
        return api

    return put


def keys(v2, api):
    return sorted(route["RouteKey"] for route in v2.get_routes(ApiId=api)["Items"])


def test_a_document_makes_an_api_with_all_its_parts(v2):
    made = v2.import_api(Body=json.dumps(DOCUMENT))
    api = made["ApiId"]
    try:
        assert (made["Name"], made["Version"], made["Description"]) == ("Pets", "7", "All of them")
        assert made["CorsConfiguration"] == {"AllowOrigins": ["https://a.example"], "MaxAge": 5}
        assert made["Tags"] == {"team": "blue"}
        assert "Warnings" not in made
        assert keys(v2, api) == [
            "$default",
            "ANY /any",
            "GET /pets/{id}",
            "GET /slash/",
            "POST /pets/{id}",
        ]
        routes = {one["RouteKey"]: one for one in v2.get_routes(ApiId=api)["Items"]}
        pet = routes["GET /pets/{id}"]
        assert (pet["AuthorizationType"], pet["AuthorizationScopes"]) == ("JWT", ["read"])
        assert pet["OperationName"] == "getPet"
        assert routes["POST /pets/{id}"]["AuthorizationType"] == "AWS_IAM"
        assert routes["POST /pets/{id}"]["Target"] == pet["Target"]
        assert routes["ANY /any"]["AuthorizationType"] == "CUSTOM"
        assert len(v2.get_integrations(ApiId=api)["Items"]) == 4
        authorizers = {one["Name"]: one for one in v2.get_authorizers(ApiId=api)["Items"]}
        assert authorizers["jwt"]["JwtConfiguration"]["Issuer"] == "https://issuer.example"
        assert authorizers["function"]["AuthorizerResultTtlInSeconds"] == 60
    finally:
        v2.delete_api(ApiId=api)


@pytest.mark.parametrize(
    ("mode", "path"), [("ignore", "/x"), ("prepend", "/base/path/x"), ("split", "/path/x")]
)
def test_the_base_path_goes_where_it_is_told(v2, imported, mode, path):
    document = {
        **DOCUMENT,
        "paths": {"/x": {"get": {"x-amazon-apigateway-integration": WEB}}},
    }
    assert keys(v2, imported(document, Basepath=mode)) == [f"GET {path}"]


def test_a_document_replaces_the_parts_and_keeps_the_stages(v2, imported, cloud, backend):
    document = copy.deepcopy(DOCUMENT)
    api = imported(document)
    v2.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    old = {one["RouteKey"]: one["RouteId"] for one in v2.get_routes(ApiId=api)["Items"]}
    document["paths"] = {
        "/slash/": {
            "get": {"x-amazon-apigateway-integration": {**WEB, "uri": backend.url + "/new"}}
        }
    }
    imported(document)
    [route] = v2.get_routes(ApiId=api)["Items"]
    assert route["RouteId"] == old["GET /slash/"]
    assert len(v2.get_integrations(ApiId=api)["Items"]) == 1
    answer = HttpApi(v2, cloud.endpoint, api).call("GET", "/slash/")
    assert answer.json["path"] == "/new"


@pytest.mark.parametrize(
    "change",
    [
        {"openapi": "2.0"},
        {"info": {"version": "1"}},
        {"paths": {"/x y": {"get": {"x-amazon-apigateway-integration": WEB}}}},
        {"paths": {"/x": {"get": {"x-amazon-apigateway-integration": {"type": "mock"}}}}},
        {"paths": {"/x": {"get": {"x-amazon-apigateway-integration": {"$ref": "#/nothing"}}}}},
        {"x-amazon-apigateway-cors": {"maxAge": 1_000_000}},
    ],
    ids=str,
)
def test_documents_that_make_no_api_change_nothing(v2, imported, change):
    api = imported(DOCUMENT)
    before = keys(v2, api)
    with refused("BadRequestException"):
        imported({**DOCUMENT, **change})
    assert keys(v2, api) == before
    with refused("BadRequestException"):
        v2.import_api(Body=json.dumps({**DOCUMENT, **change}))


def test_what_cannot_be_honoured_is_a_warning_or_a_refusal(v2, imported):
    document = {
        **DOCUMENT,
        "x-amazon-apigateway-policy": {},
        "paths": {"/x": {"get": {}}, "no-slash": {}},
    }
    api = imported(document)
    warnings = v2.get_api(ApiId=api)["Warnings"]
    assert "x-amazon-apigateway-policy is not supported for HTTP APIs. Ignored." in warnings
    assert "The route GET /x has no integration." in warnings
    assert len(warnings) == 3
    with refused("BadRequestException"):
        imported(document, FailOnWarnings=True)
    with refused("BadRequestException"):
        imported(DOCUMENT, Basepath="elsewhere")


def test_an_export_imports_as_the_same_api(v2, imported):
    api = imported(DOCUMENT)
    v2.create_stage(ApiId=api, StageName="prod", AutoDeploy=True)
    place = {"ApiId": api, "Specification": "OAS30", "StageName": "prod"}
    text = v2.export_api(**place, OutputType="JSON")["body"].read()
    document = json.loads(text)
    assert document["openapi"] == "3.0.1"
    assert document["servers"][0]["variables"] == {"basePath": {"default": "prod"}}
    before = v2.get_routes(ApiId=api)["Items"], v2.get_api(ApiId=api)
    imported(document)
    after = v2.get_routes(ApiId=api)["Items"], v2.get_api(ApiId=api)

    def bare(found):
        routes, settings = found
        hidden = ("Target", "AuthorizerId")
        return (
            [{k: v for k, v in one.items() if k not in hidden} for one in routes],
            {k: v for k, v in settings.items() if k != "ResponseMetadata"},
        )

    assert bare(after) == bare(before)
    again = json.loads(v2.export_api(**place, OutputType="JSON")["body"].read())
    assert again == document


def test_an_export_can_be_yaml_without_extensions(v2, imported):
    api = imported(DOCUMENT)
    text = v2.export_api(
        ApiId=api, Specification="OAS30", OutputType="YAML", IncludeExtensions=False
    )["body"].read()
    document = yaml.safe_load(text)
    assert set(document["paths"]) == {"/pets/{id}", "/slash/"}
    assert "x-amazon" not in text.decode()
    assert document["components"]["securitySchemes"]["jwt"] == {"type": "oauth2", "flows": {}}


def test_exports_that_cannot_be_are_refused(v2, imported, made):
    api = imported(DOCUMENT)
    good = {"ApiId": api, "Specification": "OAS30", "OutputType": "JSON"}
    for change in (
        {"Specification": "SWAGGER"},
        {"OutputType": "XML"},
        {"ExportVersion": "2.0"},
        {"ApiId": made("WEBSOCKET")["ApiId"]},
    ):
        with refused("BadRequestException"):
            v2.export_api(**{**good, **change})
    with refused("NotFoundException"):
        v2.export_api(**good, StageName="nothing")
    assert FUNCTION in v2.export_api(**good)["body"].read().decode()
