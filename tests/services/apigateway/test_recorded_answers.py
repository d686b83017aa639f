"""What AWS's own API Gateway answered where its documentation says nothing.

The facts are those that LocalStack's suite recorded against AWS (github.com/localstack/localstack,
tests/aws/services/apigateway); each test names the recorded one.
"""

from __future__ import annotations

import json
import time
import uuid

import pytest
from botocore.exceptions import ClientError
from tests.services.apigateway.conftest import refused

CONCURRENT = "Unable to complete operation due to concurrent modification. Please try again later."
NO_STAGE = "Invalid deployment content specified."
OPS = "Member must satisfy enum value set: [add, remove, move, test, replace, copy]"


@pytest.fixture
def unchecked(cloud):
    return cloud.client("apigateway", parameter_validation=False)


def place(api, **more):
    return {"restApiId": api.id, "resourceId": api.root, "httpMethod": "GET", **more}


def test_values_outside_the_model_are_told_by_their_place(unchecked, api):
    """test_put_integration_wrong_type, test_update_method_response_negative_tests."""
    with pytest.raises(ClientError) as wrong:
        unchecked.put_integration(**place(api), type="HTTPS_PROXY")
    assert wrong.value.response["Error"] == {
        "Code": "ValidationException",
        "Message": "1 validation error detected: Value 'HTTPS_PROXY' at 'putIntegrationInput.type' "
        "failed to satisfy constraint: Member must satisfy enum value set: "
        "[HTTP, MOCK, AWS_PROXY, HTTP_PROXY, AWS]",
    }
    with pytest.raises(ClientError) as wrong:
        unchecked.update_method_response(
            **place(api, statusCode="wrong"),
            patchOperations=[{"op": "wrong_op", "path": "/responseParameters/x"}],
        )
    assert wrong.value.response["Error"]["Message"] == (
        "2 validation errors detected: Value 'wrong_op' at "
        "'updateMethodResponseInput.patchOperations.1.member.op' failed to satisfy constraint: "
        f"{OPS}; Value 'wrong' at 'statusCode' failed to satisfy constraint: Member must satisfy "
        "regular expression pattern: [1-5]\\d\\d"
    )


def test_an_integration_response_needs_no_method_response_until_it_answers(client, api):
    """test_lifecycle_integration_response."""
    api.method("GET")
    client.put_integration(
        **place(api), type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}
    )
    made = client.put_integration_response(
        **place(api, statusCode="200"),
        selectionPattern="",
        responseTemplates={"application/json": '"created"'},
    )
    assert (made["selectionPattern"], made["statusCode"]) == ("", "200")
    api.deploy()
    assert (api.call("GET", "/").status, api.call("GET", "/").json) == (
        500,
        {"message": "Internal server error"},
    )


def test_a_mock_keeps_nothing_of_a_backend_and_types_of_authorization_may_be_small(client, api):
    """test_put_integration_validation, test_integration_mock_with_path_param."""
    made = client.put_method(**place(api), authorizationType="none")
    assert made["authorizationType"] == "NONE"
    kept = client.put_integration(
        **place(api), type="MOCK", uri="http://example.com", integrationHttpMethod="GET"
    )
    assert "uri" not in kept
    assert "httpMethod" not in kept


def test_a_test_invocation_runs_the_method_it_names_whatever_the_path(client, api):
    """test_invoke_test_method, test_failed_invoke_test_method."""
    place_of = {**place(api), "resourceId": api.resource("pets", "{petId}")}
    client.put_method(**place_of, authorizationType="NONE")
    client.put_method_response(**place_of, statusCode="200")
    client.put_integration(
        **place_of, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}
    )
    client.put_integration_response(
        **place_of,
        statusCode="200",
        responseTemplates={"application/json": '{"petId": "$input.params(\'petId\')"}'},
    )
    for path, pet in (("/random/test", ""), ("/pets/123", "123"), (None, "{petId}")):
        more = {} if path is None else {"pathWithQueryString": path}
        ran = client.test_invoke_method(**place_of, **more)
        assert (ran["status"], json.loads(ran["body"])) == (200, {"petId": pet})
        assert "Method response headers: {Content-Type=application/json}\n" in ran["log"]
    client.delete_method_response(**place_of, statusCode="200")
    failed = client.test_invoke_method(**place_of)
    assert failed["headers"] == {"x-amzn-ErrorType": "InternalServerErrorException"}
    assert (
        " : Execution failed due to configuration error: Output mapping refers to an invalid "
        "method response: 200\n"
    ) in failed["log"]
    assert "Gateway response" not in failed["log"]


def test_a_validators_flag_is_set_back_by_a_patch_without_a_value(client, api):
    """test_request_validator_lifecycle."""
    made = client.create_request_validator(restApiId=api.id, validateRequestBody=True)
    changed = client.update_request_validator(
        restApiId=api.id,
        requestValidatorId=made["id"],
        patchOperations=[{"op": "replace", "path": "/validateRequestBody"}],
    )
    assert changed["validateRequestBody"] is False


def test_gateway_responses_are_patched_by_rules_of_their_own(client, api):
    """test_update_gateway_response."""
    one = {"restApiId": api.id, "responseType": "DEFAULT_4XX"}
    for op in ("add", "remove"):
        with refused("BadRequestException", "Invalid patch path /statusCode"):
            client.update_gateway_response(
                **one, patchOperations=[{"op": op, "path": "/statusCode", "value": "444"}]
            )
    client.put_gateway_response(**one, responseTemplates={"application/json": "{}"})
    with refused("BadRequestException", "Invalid null or empty value in responseTemplates"):
        client.update_gateway_response(
            **one,
            patchOperations=[{"op": "replace", "path": "/responseTemplates/application~1json"}],
        )


def test_documentation_parts_and_authorizers_of_no_api_are_told_apart(client, api):
    """test_invalid_get_documentation_part, test_authorizer_crud_no_api."""
    with refused("NotFoundException", "Invalid Documentation part identifier specified"):
        client.get_documentation_part(restApiId="nothere", documentationPartId="none")
    with refused("NotFoundException", "Invalid API identifier specified 000000000000:nothere"):
        client.delete_documentation_part(restApiId="nothere", documentationPartId="none")
    with refused("ConflictException", CONCURRENT):
        client.create_authorizer(
            restApiId="nothere",
            name="a",
            type="TOKEN",
            authorizerUri="arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
            "arn:aws:lambda:us-east-1:000000000000:function:f/invocations",
            identitySource="method.request.header.Auth",
        )
    with refused("BadRequestException", "Unable to build importer with provided input."):
        client.import_documentation_parts(restApiId=api.id, body=b"{bad")


def test_stages_take_variables_that_are_not_there_and_tell_of_missing_deployments(client, api):
    """test_create_update_stages, test_create_canary_deployment, test_update_stage_with_copy_ops."""
    api.mock("GET")
    api.deploy()
    stage = {"restApiId": api.id, "stageName": "prod"}

    def patch(**operation):
        return client.update_stage(**stage, patchOperations=[operation])

    assert patch(op="replace", path="/variables/one", value="1")["variables"] == {"one": "1"}
    shown = patch(op="replace", path="/*/*/throttling/burstLimit", value="12")["methodSettings"]
    assert "loggingLevel" not in shown["*/*"]
    with refused("BadRequestException", "Deployment id does not exist"):
        patch(op="replace", path="/deploymentId", value="nothere")
    with refused("BadRequestException", "Promotion not available. Canary does not exist."):
        patch(**{"op": "copy", "from": "/canarySettings/deploymentId", "path": "/deploymentId"})
    with refused(
        "BadRequestException",
        "Invalid copy operation with path: /canarySettings/x and from /variables. Valid copy:path "
        "are [/deploymentId, /variables] and valid copy:from are [/canarySettings/deploymentId, "
        "/canarySettings/stageVariableOverrides]",
    ):
        patch(**{"op": "copy", "from": "/variables", "path": "/canarySettings/x"})
    with refused(
        "BadRequestException",
        "Cannot remove method setting canarySettings/badPath because there is no method setting "
        "for this method ",
    ):
        patch(op="remove", path="/canarySettings/badPath")
    with refused(
        "BadRequestException", "Invalid add operation with path: /canarySettings/deploymentId"
    ):
        patch(op="add", path="/canarySettings/deploymentId", value="x")
    for given, told in ((None, "null"), ("", "")):
        named = {} if given is None else {"stageName": given}
        with refused(
            "BadRequestException",
            f"{NO_STAGE}Non null and non empty stageName must be provided for canary deployment. "
            f"Provided value is {told}",
        ):
            client.create_deployment(
                restApiId=api.id, canarySettings={"percentTraffic": 50.0}, **named
            )
    with refused(
        "BadRequestException",
        f"{NO_STAGE}Stage other must already be created before making a canary release deployment",
    ):
        client.create_deployment(
            restApiId=api.id, stageName="other", canarySettings={"percentTraffic": 50.0}
        )


def test_keys_have_long_names_and_are_listed_without_asking_for_the_plan(client):
    """TestApigatewayApiKeysCrud."""
    with refused("BadRequestException", "Invalid API Key name, can be at most 1024 characters."):
        client.create_api_key(name="a" * 1025)
    with refused("BadRequestException", "Invalid API Key description specified."):
        client.create_api_key(description="a" * 125_001)
    with refused("BadRequestException", "API Key value exceeds maximum size of 128 characters"):
        client.create_api_key(value="a" * 129)
    made = client.create_api_key(name="", value=uuid.uuid4().hex)
    assert "name" not in made
    assert client.get_api_key(apiKey=made["id"])["tags"] == {}
    assert client.get_api_keys(limit=-1)["ResponseMetadata"]["HTTPStatusCode"] == 200
    with refused(
        "BadRequestException",
        "Invalid patch path  '/id' specified for op 'replace'. "
        "Must be one of: [/description, /enabled, /name, /customerId]",
    ):
        client.update_api_key(
            apiKey=made["id"], patchOperations=[{"op": "replace", "path": "/id", "value": "x"}]
        )
    client.delete_api_key(apiKey=made["id"])
    assert client.get_usage_plan_keys(usagePlanId="nothere")["items"] == []


def test_an_import_knows_the_parameters_of_its_paths_and_skips_mappings_that_are_no_text(
    client, api
):
    """test_import_and_validate_rest_api, test_import_rest_api_with_base_path_oas30."""
    document = {
        "openapi": "3.0.1",
        "info": {"title": "t", "version": "1"},
        "paths": {
            "/product/{product_id}": {
                "get": {
                    "responses": {"200": {"description": "ok"}},
                    "x-amazon-apigateway-integration": {
                        "type": "http",
                        "httpMethod": "GET",
                        "uri": "http://example.com",
                        "requestParameters": {
                            "integration.request.header.a": "'True'",
                            "integration.request.header.nothing": True,
                        },
                        "responses": {"default": {"statusCode": "200"}},
                    },
                }
            }
        },
    }
    put = client.put_rest_api(
        restApiId=api.id, mode="overwrite", body=json.dumps(document).encode()
    )
    assert put["warnings"] == [
        "Invalid format for 'requestParameters'. Expected type string for property "
        "'integration.request.header.nothing' of resource '/product/{product_id}' and method "
        "'GET' but got 'true'"
    ]
    named = {
        "restApiId": api.id,
        "resourceId": api.resource("product", "{product_id}"),
        "httpMethod": "GET",
    }
    method = client.get_method(**named)
    assert method["requestParameters"] == {"method.request.path.product_id": True}
    assert method["methodIntegration"]["requestParameters"] == {
        "integration.request.header.a": "'True'"
    }


def test_an_export_is_a_file_named_for_the_version_without_what_is_usual(client, api):
    """test_export_oas30_openapi, test_export_swagger_openapi."""
    api.method("GET", requestParameters={"method.request.querystring.q": False})
    client.put_method_response(**place(api, statusCode="200"))
    client.put_integration(
        **place(api), type="HTTP", uri="http://example.com", integrationHttpMethod="GET"
    )
    api.deploy()
    found = client.get_export(
        restApiId=api.id,
        stageName="prod",
        exportType="oas30",
        parameters={"extensions": "integrations"},
    )
    written = json.loads(found["body"].read())
    made = client.get_rest_api(restApiId=api.id)["createdDate"].timestamp()
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(made))
    assert found["contentType"] == "application/octet-stream"
    assert found["contentDisposition"] == f'attachment; filename="oas30_{moment}.json"'
    operation = written["paths"]["/"]["get"]
    assert operation["parameters"] == [{"name": "q", "in": "query", "schema": {"type": "string"}}]
    assert operation["responses"]["200"]["content"] == {}
    assert not {"connectionType", "timeoutInMillis"} & set(
        operation["x-amazon-apigateway-integration"]
    )
