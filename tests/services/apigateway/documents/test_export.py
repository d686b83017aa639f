"""Exports: what they hold, and that an import of them is the same API.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-export-api.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from tests.services.apigateway.conftest import refused

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:export"
LAMBDA = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"
POOL = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_export"
DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.1",
    "info": {"title": "whole", "description": "everything", "version": "7"},
    "servers": [
        {"url": "/", "x-amazon-apigateway-endpoint-configuration": {"ipAddressType": "dualstack"}}
    ],
    "x-amazon-apigateway-api-key-source": "AUTHORIZER",
    "x-amazon-apigateway-binary-media-types": ["image/png"],
    "x-amazon-apigateway-minimum-compression-size": 1024,
    "x-amazon-apigateway-policy": {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "execute-api:Invoke",
                "Resource": "execute-api:/*",
            }
        ],
    },
    "x-amazon-apigateway-request-validators": {
        "all": {"validateRequestBody": True, "validateRequestParameters": True}
    },
    "x-amazon-apigateway-gateway-responses": {
        "DEFAULT_4XX": {
            "responseParameters": {"gatewayresponse.header.X-Said": "'no'"},
            "responseTemplates": {"application/json": '{"said": "no"}'},
        },
        "UNAUTHORIZED": {"statusCode": "403"},
    },
    "x-amazon-apigateway-documentation": {
        "documentationParts": [
            {"location": {"type": "API"}, "properties": {"info": {"description": "said"}}},
            {
                "location": {"type": "METHOD", "path": "/pets", "method": "GET"},
                "properties": {"summary": "Pets"},
            },
        ]
    },
    "paths": {
        "/pets": {
            "get": {
                "operationId": "listPets",
                "parameters": [
                    {"name": "kind", "in": "query", "required": True},
                    {"name": "X-Tenant", "in": "header"},
                ],
                "responses": {
                    "200": {
                        "headers": {"X-Total": {"schema": {"type": "string"}}},
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Pets"}}
                        },
                    },
                    "404": {},
                },
                "security": [{"doorkeeper": []}, {"key": []}],
                "x-amazon-apigateway-request-validator": "all",
                "x-amazon-apigateway-integration": {
                    "type": "aws",
                    "httpMethod": "POST",
                    "uri": LAMBDA,
                    "passthroughBehavior": "never",
                    "contentHandling": "CONVERT_TO_TEXT",
                    "timeoutInMillis": 5000,
                    "cacheKeyParameters": ["method.request.querystring.kind"],
                    "requestTemplates": {"application/json": "$input.json('$')"},
                    "responses": {
                        "default": {
                            "statusCode": "200",
                            "responseParameters": {
                                "method.response.header.X-Total": "integration.response.header.n"
                            },
                        },
                        ".*none.*": {
                            "statusCode": "404",
                            "responseTemplates": {"application/json": "{}"},
                        },
                    },
                },
            },
            "post": {
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}
                    }
                },
                "responses": {"201": {}},
                "security": [{"pool": ["pets/write"]}],
                "x-amazon-apigateway-integration": {
                    "type": "http_proxy",
                    "httpMethod": "POST",
                    "uri": "https://backend.example.com/pets",
                    "requestParameters": {"integration.request.header.X-A": "'1'"},
                    "tlsConfig": {"insecureSkipVerification": True},
                },
            },
        },
        "/pets/{id+}": {
            "x-amazon-apigateway-any-method": {
                "parameters": [{"name": "id", "in": "path", "required": True}],
                "security": [{"iam": []}],
                "x-amazon-apigateway-integration": {
                    "type": "aws_proxy",
                    "httpMethod": "POST",
                    "uri": LAMBDA,
                },
            }
        },
    },
    "components": {
        "schemas": {
            "Pet": {
                "type": "object",
                "description": "One pet",
                "properties": {"name": {"type": "string"}},
            },
            "Pets": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}},
        },
        "securitySchemes": {
            "key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
            "iam": {
                "type": "apiKey",
                "name": "Authorization",
                "in": "header",
                "x-amazon-apigateway-authtype": "awsSigv4",
            },
            "doorkeeper": {
                "type": "apiKey",
                "name": "X-Pass",
                "in": "header",
                "x-amazon-apigateway-authtype": "custom",
                "x-amazon-apigateway-authorizer": {
                    "type": "token",
                    "authorizerUri": LAMBDA,
                    "identityValidationExpression": "x-[a-z]+",
                    "authorizerResultTtlInSeconds": 60,
                },
            },
            "asks": {
                "type": "apiKey",
                "name": "Unused",
                "in": "header",
                "x-amazon-apigateway-authtype": "custom",
                "x-amazon-apigateway-authorizer": {
                    "type": "request",
                    "authorizerUri": LAMBDA,
                    "identitySource": "method.request.header.A, method.request.querystring.b",
                    "authorizerResultTtlInSeconds": 0,
                },
            },
            "pool": {
                "type": "apiKey",
                "name": "Authorization",
                "in": "header",
                "x-amazon-apigateway-authtype": "cognito_user_pools",
                "x-amazon-apigateway-authorizer": {
                    "type": "cognito_user_pools",
                    "providerARNs": [POOL],
                },
            },
        },
    },
}


def seen(client: Any, api_id: str) -> dict[str, Any]:
    """Everything that can be seen of an API, with names in place of ids."""
    place = {"restApiId": api_id}
    api = client.get_rest_api(**place)
    authorizers = client.get_authorizers(**place)["items"]
    validators = client.get_request_validators(**place)["items"]
    names = {one["id"]: one["name"] for one in (*authorizers, *validators)}
    resources = client.get_resources(**place, limit=500, embed=["methods"])["items"]
    names |= {one["id"]: one["path"] for one in resources}
    whole = {
        "api": {
            key: value
            for key, value in api.items()
            if key not in ("id", "createdDate", "rootResourceId", "ResponseMetadata")
        },
        "authorizers": authorizers,
        "validators": validators,
        "methods": {one["path"]: one.get("resourceMethods", {}) for one in resources},
        "models": {
            one["name"]: (one["contentType"], one.get("description"), json.loads(one["schema"]))
            for one in client.get_models(**place, limit=500)["items"]
        },
        "responses": client.get_gateway_responses(**place, limit=500)["items"],
        "documentation": [
            (one["location"], json.loads(one["properties"]))
            for one in client.get_documentation_parts(**place, limit=500)["items"]
        ],
    }
    text = json.dumps(whole, sort_keys=True).replace(api_id, "{api}")
    for old, name in names.items():
        text = text.replace(f'"{old}"', f'"of {name}"')
    return in_order(json.loads(text))


def in_order(value: Any) -> Any:
    """Lists of things with names in the order of their texts: ids, which order them, differ."""
    if isinstance(value, dict):
        return {key: in_order(one) for key, one in value.items()}
    if isinstance(value, list):
        return sorted((in_order(one) for one in value), key=json.dumps)
    return value


@pytest.fixture(scope="module")
def api_id(client):
    made = client.import_rest_api(body=json.dumps(DOCUMENT).encode())
    client.create_deployment(restApiId=made["id"], stageName="prod")
    yield made["id"]
    client.delete_rest_api(restApiId=made["id"])


def export(client: Any, api_id: str, kind: str, accepts: str, **parameters: str) -> bytes:
    answer = client.get_export(
        restApiId=api_id,
        stageName="prod",
        exportType=kind,
        accepts=accepts,
        parameters=parameters,
    )
    assert answer["contentType"] == "application/octet-stream"
    assert answer["contentDisposition"].startswith(f'attachment; filename="{kind}_')
    return bytes(answer["body"].read())


@pytest.mark.parametrize("kind", ["oas30", "swagger"])
@pytest.mark.parametrize("accepts", ["application/json", "application/yaml"])
def test_an_import_of_an_export_is_the_same_api(client, api_id, kind, accepts):
    body = export(client, api_id, kind, accepts, extensions="apigateway")
    copy = client.import_rest_api(body=body)["id"]
    try:
        assert seen(client, copy) == seen(client, api_id)
    finally:
        client.delete_rest_api(restApiId=copy)


def test_overwriting_an_api_with_its_own_export_changes_nothing(client, api_id):
    body = export(client, api_id, "oas30", "application/json", extensions="apigateway")
    before = seen(client, api_id)
    ids = {one["path"]: one["id"] for one in client.get_resources(restApiId=api_id)["items"]}
    client.put_rest_api(restApiId=api_id, mode="overwrite", body=body)
    assert seen(client, api_id) == before
    after = {one["path"]: one["id"] for one in client.get_resources(restApiId=api_id)["items"]}
    assert after == ids
    client.put_rest_api(restApiId=api_id, mode="merge", body=body)
    assert seen(client, api_id) == before


def test_an_export_without_extensions_is_plain_openapi(client, api_id):
    document = json.loads(export(client, api_id, "oas30", "application/json"))
    assert document["openapi"] == "3.0.1"
    assert document["info"] == {"title": "whole", "description": "everything", "version": "7"}
    assert document["servers"][0]["variables"] == {"basePath": {"default": "prod"}}
    # Any method is the one thing that OpenAPI has no word for.
    text = json.dumps(document).replace("x-amazon-apigateway-any-method", "")
    assert "x-amazon-apigateway" not in text
    got = document["paths"]["/pets"]["get"]
    assert got["operationId"] == "listPets"
    assert got["security"] == [{"key": []}] or got["security"] == [{"api_key": []}]
    schema = got["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/Pets"}


def test_extensions_are_written_as_asked_for(client, api_id):
    text = export(client, api_id, "swagger", "application/yaml", extensions="integrations")
    document = yaml.safe_load(text)
    assert document["swagger"] == "2.0"
    assert document["basePath"] == "/prod"
    got = document["paths"]["/pets"]["get"]
    assert got["x-amazon-apigateway-integration"]["type"] == "aws"
    assert "x-amazon-apigateway-policy" not in document
    text = export(client, api_id, "oas30", "application/json", extensions="authorizers")
    document = json.loads(text)
    scheme = document["components"]["securitySchemes"]["doorkeeper"]
    assert scheme["name"] == "X-Pass"
    assert scheme["x-amazon-apigateway-authorizer"]["authorizerResultTtlInSeconds"] == 60
    assert "x-amazon-apigateway-integration" not in json.dumps(document)


def test_exports_that_there_are_not_are_refused(client, api_id):
    place = {"restApiId": api_id, "stageName": "prod"}
    with refused("BadRequestException"):
        client.get_export(**place, exportType="raml")
    with refused("BadRequestException"):
        client.get_export(**place, exportType="oas30", accepts="text/html")
    with refused("BadRequestException"):
        client.get_export(**place, exportType="oas30", parameters={"extensions": "postman"})
    with refused("NotFoundException", "Invalid stage identifier specified"):
        client.get_export(restApiId=api_id, stageName="none", exportType="oas30")
    with refused("BadRequestException"):
        client.get_sdk(**place, sdkType="javascript")
