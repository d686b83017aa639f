"""Proxy integrations with functions: the event that they get, and what becomes of their answer.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

from __future__ import annotations

import asyncio
import base64
import json

import pytest
from tests.gateway.cast import FUNCTION, TRACE, lambda_says, method, stage_of

from cumulet.core.errors import AccessDenied
from cumulet.core.identity import Principal
from cumulet.kit.ports import Credential, Credentials
from cumulet.services.apigateway.pipeline.integrations.waiting import Invocations

STAGE = stage_of({"/": [method("GET")], "/{proxy+}": [method()]}, variables={"env": "dev"})
BINARY = stage_of({"/{proxy+}": [method()]}, binaryMediaTypes=["image/png"])


EVENT = {
    "resource": "/{proxy+}",
    "path": "/a%2Fb/c//d/",
    "httpMethod": "POST",
    "headers": {
        "Host": "abc123.execute-api.localhost:4566",
        "User-Agent": "ua",
        "tEsT-HEADeR": "aValUE",
        "Multi": "2",
        "X-Amzn-Trace-Id": TRACE,
        "X-Forwarded-For": "9.9.9.9, 127.0.0.1",
        "X-Forwarded-Port": "4566",
        "X-Forwarded-Proto": "http",
    },
    "multiValueHeaders": {
        "Host": ["abc123.execute-api.localhost:4566"],
        "User-Agent": ["ua"],
        "tEsT-HEADeR": ["aValUE"],
        "Multi": ["1", "2"],
        "X-Amzn-Trace-Id": [TRACE],
        "X-Forwarded-For": ["9.9.9.9, 127.0.0.1"],
        "X-Forwarded-Port": ["4566"],
        "X-Forwarded-Proto": ["http"],
    },
    "queryStringParameters": {"x": "2", "y": " z w", "empty": ""},
    "multiValueQueryStringParameters": {"x": ["1", "2"], "y": [" z w"], "empty": [""]},
    "pathParameters": {"proxy": "a%2Fb/c//d"},
    "stageVariables": {"env": "dev"},
    "requestContext": {
        "resourceId": "r1",
        "resourcePath": "/{proxy+}",
        "httpMethod": "POST",
        "extendedRequestId": "ext=",
        "requestTime": "14/Nov/2023:22:13:20 +0000",
        "path": "/prod/a%2Fb/c//d/",
        "accountId": "123456789012",
        "protocol": "HTTP/1.1",
        "stage": "prod",
        "domainPrefix": "abc123",
        "requestTimeEpoch": 1_700_000_000_000,
        "requestId": "req-1",
        "identity": {
            "cognitoIdentityPoolId": None,
            "accountId": None,
            "cognitoIdentityId": None,
            "caller": None,
            "sourceIp": "127.0.0.1",
            "principalOrgId": None,
            "accessKey": None,
            "cognitoAuthenticationType": None,
            "cognitoAuthenticationProvider": None,
            "userArn": None,
            "userAgent": "ua",
            "user": None,
        },
        "domainName": "abc123.execute-api.localhost:4566",
        "deploymentId": "dep1",
        "apiId": "abc123",
    },
    "body": "hé",
    "isBase64Encoded": False,
}


def test_the_event_has_every_member(play):
    event = play(
        STAGE,
        "POST",
        "/a%2Fb/c//d/",
        query="x=1&x=2&y=%20z+w&empty",
        headers=[
            ("User-agent", "ua"),
            ("tEsT-HEADeR", "aValUE"),
            ("Multi", "1"),
            ("Multi", "2"),
            ("Content-Length", "3"),
            ("Connection", "close"),
            ("X-Forwarded-For", "9.9.9.9"),
        ],
        body="hé".encode(),
    ).event
    assert event == EVENT


def test_what_is_not_there_is_null(play):
    event = play(stage_of({"/": [method("GET")]})).event
    for member in (
        *("queryStringParameters", "multiValueQueryStringParameters", "pathParameters"),
        *("stageVariables", "body"),
    ):
        assert event[member] is None


def test_the_function_is_invoked_by_the_gateway_for_this_method(play):
    service, operation, request, caller = play(STAGE, "GET", "/").calls[0]
    assert (service, operation) == ("lambda", "Invoke")
    assert request["FunctionName"] == FUNCTION
    assert request["InvocationType"] == "RequestResponse"
    assert (caller.kind, caller.arn) == ("service", "apigateway.amazonaws.com")
    assert caller.context == {
        "aws:SourceArn": "arn:aws:execute-api:eu-west-1:123456789012:abc123/prod/GET/",
        "aws:SourceAccount": "123456789012",
    }
    source = play(STAGE, "PUT", "/x").calls[0][3].context["aws:SourceArn"]
    assert source.endswith(":abc123/prod/*/{proxy+}")


def test_stage_variables_are_filled_into_the_function_name(play):
    uri = (
        "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:"
        "123456789012:function:${stageVariables.fn}:live/invocations"
    )
    stage = stage_of({"/": [method("GET", integration={"uri": uri})]}, variables={"fn": "mine"})
    assert play(stage).calls[0][2]["FunctionName"].endswith(":function:mine:live")


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        ({"statusCode": 201, "body": "made"}, 201, b"made"),
        ({"statusCode": "202"}, 202, b""),
        ({}, 200, b""),
        ({"body": None, "headers": None}, 200, b""),
        ({"statusCode": 200, "body": "dGVzdA==", "isBase64Encoded": True}, 200, b"dGVzdA=="),
    ],
)
def test_well_formed_answers(play, answer, status, body):
    response = play(STAGE, answers=lambda_says(answer)).response
    assert (response.status, response.body) == (status, body)


def test_headers_of_both_kinds_come_together(play):
    played = play(
        STAGE,
        answers=lambda_says(
            {
                "headers": {"test-multi": "solo", "flag": True, "Content-Type": "text/plain"},
                "multiValueHeaders": {"Test-Multi": ["a", "b"], "Set-Cookie": ["x=1", "y=2"]},
            }
        ),
    )
    assert played.response.headers == [
        ("x-amzn-RequestId", "req-1"),
        ("x-amz-apigw-id", "ext="),
        ("Test-Multi", "a"),
        ("Test-Multi", "b"),
        ("Test-Multi", "solo"),
        ("Set-Cookie", "x=1"),
        ("Set-Cookie", "y=2"),
        ("flag", "true"),
        ("Content-Type", "text/plain"),
        ("X-Amzn-Trace-Id", TRACE),
    ]


def test_a_type_is_given_when_the_function_gives_none(play):
    assert play(STAGE).headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "name", ["Connection", "Content-Length", "Date", "Server", "x-amzn-RequestId"]
)
def test_headers_of_the_connection_are_remapped(play, name):
    headers = play(STAGE, answers=lambda_says({"headers": {name: "v"}})).headers
    assert headers[f"x-amzn-remapped-{name.lower()}"] == "v"
    assert headers["x-amzn-requestid"] == "req-1"


@pytest.mark.parametrize(
    "answer",
    [
        "not json",
        '"just text"',
        "null",
        {"statusCode": 200, "other": 1},
        {"errorMessage": "boom"},
        {"statusCode": "abc"},
        {"statusCode": 99},
        {"statusCode": 700},
        {"headers": []},
        {"headers": {"a": {}}},
        {"multiValueHeaders": {"a": "b"}},
        {"body": {"a": 1}},
        {"headers": {"bad name": "x"}},
        {"headers": {"x": "a\r\nSet-Cookie: evil=1"}},
    ],
)
def test_malformed_answers_are_bad_gateways(play, answer):
    played = play(STAGE, answers=lambda_says(answer))
    assert played.response.status == 502
    assert played.body == {"message": "Internal server error"}
    assert played.headers["x-amzn-errortype"] == "InternalServerErrorException"


def test_a_function_that_fails_is_a_bad_gateway(play):
    def fails(*_):
        return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": b'{"body":"x"}'}

    played = play(STAGE, answers=fails)
    assert (played.response.status, played.body) == (502, {"message": "Internal server error"})


def test_a_function_that_may_not_be_invoked_is_a_bad_gateway(play):
    played = play(STAGE, answers=lambda *_: AccessDenied("no"))
    assert (played.response.status, played.body) == (502, {"message": "Internal server error"})


def test_a_function_that_takes_too_long_is_a_timeout_and_goes_on():
    async def go():
        ended, waiting = asyncio.Event(), Invocations()

        async def slow():
            await ended.wait()
            return {"Payload": b"{}"}

        with pytest.raises(TimeoutError):
            await waiting.wait(slow(), 0.01)
        ended.set()
        assert await waiting.wait(slow(), 5) == {"Payload": b"{}"}
        await waiting.stop()

    asyncio.run(go())


def test_a_timeout_in_awss_words(play):
    async def never():
        await asyncio.Event().wait()

    stage = stage_of({"/": [method("GET", integration={"timeoutInMillis": 50})]})
    played = play(stage, answers=lambda *_: never())
    assert played.response.status == 504
    assert played.body == {"message": "Endpoint request timed out"}


def test_a_method_other_than_post_is_a_server_error(play):
    stage = stage_of({"/": [method("GET", integration={"httpMethod": "GET"})]})
    played = play(stage)
    assert (played.response.status, played.body) == (500, {"message": "Internal server error"})
    assert played.calls == []


def test_binary_bodies_go_in_as_base64(play):
    content = bytes(range(256))
    event = play(
        BINARY, "PUT", "/p", headers=[("Content-Type", "Image/PNG; q=1")], body=content
    ).event
    assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (content, True)
    event = play(BINARY, "PUT", "/p", headers=[("Content-Type", "text/plain")], body=b"a").event
    assert (event["body"], event["isBase64Encoded"]) == ("a", False)


@pytest.mark.parametrize(
    ("accept", "body"),
    [
        ("image/png", b"test"),
        ("image/png, text/html", b"test"),
        ("text/html, image/png", b"dGVzdA=="),
        ("*/*", b"dGVzdA=="),
    ],
)
def test_the_first_accepted_type_decides_whether_bytes_come_out(play, accept, body):
    answers = lambda_says({"body": "dGVzdA==", "isBase64Encoded": True})
    response = play(BINARY, "GET", "/p", headers=[("Accept", accept)], answers=answers).response
    assert response.body == body


def test_every_type_is_binary_when_the_api_says_so(play):
    stage = stage_of({"/": [method("GET")]}, binaryMediaTypes=["*/*"])
    answers = lambda_says({"body": "dGVzdA==", "isBase64Encoded": True})
    assert play(stage, answers=answers).response.body == b"test"


def test_answers_are_compressed_from_the_least_size_on(play):
    stage = stage_of({"/": [method("GET")]}, minimumCompressionSize=10)
    long = lambda_says({"body": "x" * 1000})
    played = play(stage, headers=[("Accept-Encoding", "gzip")], answers=long)
    assert played.headers["content-encoding"] == "gzip"
    assert len(played.response.body) < 100
    assert "content-encoding" not in play(stage, answers=long).headers


def test_a_role_of_the_integration_invokes_in_the_gateways_place(play):
    role = Principal("role", "123456789012", "arn:session", "AROA:s", "arn:role")
    stage = stage_of(
        {"/": [method("GET", integration={"credentials": "arn:aws:iam::123456789012:role/r"})]}
    )

    def answers(service, operation, request):
        if service == "sts":
            assert request["RoleArn"] == "arn:aws:iam::123456789012:role/r"
            return {"Credentials": {"AccessKeyId": "ASIA", "SessionToken": "t"}}
        return {"StatusCode": 200, "Payload": json.dumps({"statusCode": 204}).encode()}

    class Keys:
        async def find(self, key, token):
            return Credential("s", role)

    played = play(stage, answers=answers, parts={Credentials: Keys()})
    assert played.response.status == 204
    assert [call[0] for call in played.calls] == ["sts", "lambda"]
    assert played.calls[0][3].arn == "apigateway.amazonaws.com"
    assert played.calls[1][3] == role
