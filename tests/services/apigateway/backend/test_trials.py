"""Test invocations: what a method would answer, and the log of how.

https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-test-method.html
"""

from __future__ import annotations

import pytest
from tests.services.apigateway.backend.conftest import lambda_uri
from tests.services.apigateway.conftest import refused


def test_a_method_is_tried_before_it_is_deployed(api, client):
    place = api.mock(
        "GET",
        "a",
        "{id}",
        template="$input.params('id') $input.params('q') $stageVariables.v $context.stage "
        "$context.identity.sourceIp",
        auth="AWS_IAM",
        apiKeyRequired=True,
    )
    answer = client.test_invoke_method(
        **place, pathWithQueryString="/a/7?q=z", stageVariables={"v": "1"}
    )
    assert answer["status"] == 200
    assert answer["body"] == "7 z 1 test-invoke-stage test-invoke-source-ip"
    assert answer["headers"]["Content-Type"] == "application/json"
    assert answer["multiValueHeaders"]["Content-Type"] == ["application/json"]
    assert answer["latency"] >= 0
    first, *lines = answer["log"].splitlines()
    request_id = first.removeprefix("Execution log for request ")
    assert " UTC " in lines[0]
    assert lines[0].endswith(f" : Starting execution for request: {request_id}")
    assert lines[1].endswith(" : HTTP Method: GET, Resource Path: /a/7")
    assert lines[2].endswith(" : Method request path: {id=7}")
    assert lines[-1].endswith(" : Method completed with status: 200")


def test_bodies_and_headers_go_along(api, client, backend):
    place = api.method("ANY", "b")
    client.put_integration(
        **place, type="HTTP_PROXY", integrationHttpMethod="ANY", uri=backend.url + "/x"
    )
    answer = client.test_invoke_method(
        **{**place, "httpMethod": "POST"},
        body="hello",
        headers={"X-One": "1", "X-Two": "a"},
        multiValueHeaders={"x-two": ["b", "c"]},
    )
    assert answer["status"] == 200
    seen = backend.seen[0]
    assert (seen["method"], seen["path"], seen["body"]) == ("POST", "/x", "hello")
    assert seen["headers"]["x-one"] == "1"
    assert answer["multiValueHeaders"]["Set-Cookie"] == ["a=1", "b=2"]
    assert f"Endpoint request URI: {backend.url}/x" in answer["log"]
    assert "Received response. Status: 200, Integration latency: " in answer["log"]


def test_a_refusal_is_an_answer_too(api, client):
    place = api.method("GET")
    with refused("NotFoundException", "Invalid Integration identifier specified"):
        client.test_invoke_method(**place)
    client.put_integration(**place, type="MOCK", requestTemplates={"application/json": "{}"})
    answer = client.test_invoke_method(**place)
    assert (answer["status"], answer["body"]) == (500, '{"message":"Internal server error"}')
    assert "Execution failed due to configuration error" in answer["log"]
    with refused("NotFoundException", "Invalid Method identifier specified"):
        client.test_invoke_method(**{**place, "httpMethod": "PUT"})


def test_a_function_is_asked(api, client, function):
    place = api.method("GET")
    client.put_integration(
        **place,
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=lambda_uri(
            function("def handler(event, context):\n    return {'body': event['path']}\n")
        ),
    )
    assert client.test_invoke_method(**place)["body"] == "/"


@pytest.mark.parametrize(
    "members", [{"stageVariables": {"a b": "1"}}, {"clientCertificateId": "x"}]
)
def test_what_a_test_may_not_say(api, client, members):
    place = api.mock("GET")
    with refused("BadRequestException"):
        client.test_invoke_method(**place, **members)
