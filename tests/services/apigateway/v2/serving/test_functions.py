"""Functions behind HTTP APIs: their events and their answers.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import json

import pytest

FAILED = (500, b'{"message":"Internal Server Error"}')


@pytest.fixture
def two(http_api, function):
    """An API whose function gets format 2.0."""
    backend = http_api.function(function, "2.0")
    http_api.route("ANY /a/{name}/{proxy+}", backend)
    http_api.route("$default", backend)
    return http_api


@pytest.fixture
def one(http_api, function):
    """An API whose function gets format 1.0."""
    http_api.route("ANY /a/{name}", http_api.function(function, "1.0"))
    return http_api


def test_an_event_of_format_2_has_awss_members(v2, two):
    v2.update_stage(ApiId=two.id, StageName="$default", StageVariables={"v": "1"})
    answer = two.call(
        "POST",
        "/a/b%20c/d/e?x=1&x=2&y=%26",
        headers=[
            ("X-Twice", "1"),
            ("x-twice", "2"),
            ("Cookie", "k1=v1; k2=v2"),
            ("Content-Type", "application/json"),
            ("User-Agent", "me"),
        ],
        body=b'{"a": 1}',
    )
    event = answer.json
    context = event.pop("requestContext")
    headers = event.pop("headers")
    assert event == {
        "version": "2.0",
        "routeKey": "ANY /a/{name}/{proxy+}",
        "rawPath": "/a/b c/d/e",
        "rawQueryString": "x=1&x=2&y=%26",
        "cookies": ["k1=v1", "k2=v2"],
        "queryStringParameters": {"x": "1,2", "y": "&"},
        "pathParameters": {"name": "b c", "proxy": "d/e"},
        "stageVariables": {"v": "1"},
        "body": '{"a": 1}',
        "isBase64Encoded": False,
    }
    assert headers["x-twice"] == "1,2"
    assert "cookie" not in headers
    assert headers["content-length"] == "8"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-amzn-trace-id"].startswith("Root=1-")
    assert context.pop("time")[2] == "/"
    assert context.pop("timeEpoch") > 1_700_000_000_000
    assert context.pop("requestId") == answer.headers["apigw-requestid"]
    assert context == {
        "accountId": "000000000000",
        "apiId": two.id,
        "domainName": f"{two.id}.execute-api.localhost",
        "domainPrefix": two.id,
        "http": {
            "method": "POST",
            "path": "/a/b c/d/e",
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": "me",
        },
        "routeKey": "ANY /a/{name}/{proxy+}",
        "stage": "$default",
    }


def test_an_event_of_format_2_leaves_out_what_is_not_there(two):
    event = two.call("GET", "/").json
    absent = {"body", "cookies", "queryStringParameters", "pathParameters", "stageVariables"}
    assert not absent & set(event)
    assert event["isBase64Encoded"] is False
    assert event["routeKey"] == "$default"


@pytest.mark.parametrize(
    ("kind", "is_text"),
    [
        ("application/json", True),
        ("text/plain; charset=utf-8", True),
        ("application/problem+json", True),
        ("application/xml", True),
        ("application/x-www-form-urlencoded", False),
        ("image/png", False),
        ("", False),
    ],
)
def test_bodies_that_are_no_text_come_as_base64(two, kind, is_text):
    headers = {"Content-Type": kind} if kind else {}
    event = two.call("POST", "/", headers=headers, body=b"a=b").json
    assert event["isBase64Encoded"] is not is_text
    assert event["body"] == ("a=b" if is_text else base64.b64encode(b"a=b").decode())


def say(api, answer, verb="GET", path="/"):
    return api.call(verb, path, headers={"x-answer": json.dumps(answer)})


def test_json_without_a_status_is_the_body_of_200(two):
    answer = say(two, {"message": "hi"})
    assert (answer.status, answer.json) == (200, {"message": "hi"})
    assert answer.headers["Content-Type"] == "application/json"
    assert say(two, "Hello").body == b"Hello"
    assert say(two, [1, 2]).json == [1, 2]
    assert say(two, None).body == b"null"


def test_an_answer_with_a_status_is_taken_as_it_is(two):
    answer = say(
        two,
        {
            "statusCode": 201,
            "headers": {"X-One": "1", "X-Two": 2, "X-True": True},
            "cookies": ["a=1; Secure", "b=2"],
            "body": base64.b64encode(b"\xff\x00").decode(),
            "isBase64Encoded": True,
        },
    )
    assert (answer.status, answer.body) == (201, b"\xff\x00")
    assert (answer.headers["X-One"], answer.headers["X-Two"]) == ("1", "2")
    assert answer.headers["X-True"] == "true"
    assert answer.headers.get_all("Set-Cookie") == ["a=1; Secure", "b=2"]
    assert answer.headers["Content-Type"] == "text/plain;charset=UTF-8"


@pytest.mark.parametrize(
    "answer",
    [
        {"statusCode": "nothing"},
        {"statusCode": 99},
        {"statusCode": True},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "headers": []},
        {"statusCode": 200, "headers": {"a": []}},
        {"statusCode": 200, "headers": {"a b": "c"}},
        {"statusCode": 200, "headers": {"a": "b\r\nc: d"}},
        {"statusCode": 200, "cookies": "a=1"},
        {"statusCode": 200, "body": "%%%", "isBase64Encoded": True},
    ],
    ids=str,
)
def test_answers_that_are_none_are_server_errors(two, answer):
    got = say(two, answer)
    assert (got.status, got.body) == FAILED


def test_a_function_that_fails_is_a_server_error(two):
    got = two.call("GET", "/", headers={"x-crash": "1"})
    assert (got.status, got.body) == FAILED
    assert "apigw-requestid" in got.headers


def test_a_function_that_takes_too_long_makes_the_service_unavailable(v2, http_api, function):
    backend = http_api.function(function, TimeoutInMillis=50)
    http_api.route("GET /x", backend)
    got = http_api.call("GET", "/x", headers={"x-hang": "0.5"})
    assert (got.status, got.body) == (503, b'{"message":"Service Unavailable"}')


def test_an_event_of_format_1_has_awss_members(one):
    answer = one.call(
        "PUT",
        "/a/b?x=1&x=2",
        headers=[("X-Twice", "1"), ("X-Twice", "2"), ("Content-Type", "text/plain")],
        body=b"hi",
    )
    event = answer.json
    context, headers = event.pop("requestContext"), event.pop("headers")
    many = event.pop("multiValueHeaders")
    assert event == {
        "version": "1.0",
        "resource": "/a/{name}",
        "path": "/a/b",
        "httpMethod": "PUT",
        "queryStringParameters": {"x": "2"},
        "multiValueQueryStringParameters": {"x": ["1", "2"]},
        "pathParameters": {"name": "b"},
        "stageVariables": None,
        "body": "hi",
        "isBase64Encoded": False,
    }
    assert headers["X-Twice"] == "2"
    assert many["X-Twice"] == ["1", "2"]
    assert many["X-Forwarded-Proto"] == ["http"]
    assert context["identity"]["sourceIp"] == "127.0.0.1"
    assert context["resourcePath"] == "/a/{name}"
    assert context["extendedRequestId"] == context["requestId"]
    assert context["authorizer"] == {"claims": None, "scopes": None}


def test_answers_of_format_1_need_a_status(one):
    got = say(one, {"message": "hi"}, path="/a/b")
    assert (got.status, got.body) == FAILED
    got = say(
        one,
        {
            "statusCode": 200,
            "headers": {"a": "single", "c": "d"},
            "multiValueHeaders": {"a": ["1", "2"]},
            "body": "x",
        },
        path="/a/b",
    )
    assert got.headers.get_all("a") == ["1", "2"]
    assert got.headers["c"] == "d"


# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
def test_the_functions_policy_decides_by_the_routes_arn(cloud, http_api, make_function):
    function = make_function(is_open=False)
    backend = http_api.function(function)
    http_api.route("GET /a/{id}", backend)
    http_api.route("POST /a/{id}", backend)
    got = http_api.call("GET", "/a/1")
    assert (got.status, got.body) == FAILED
    cloud.client("lambda").add_permission(
        FunctionName=function,
        StatementId="one",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:us-east-1:000000000000:{http_api.id}/*/GET/a/*",
    )
    assert http_api.call("GET", "/a/1").status == 200
    assert http_api.call("POST", "/a/1", body=b"").status == 500


def test_a_role_of_the_integration_invokes_the_function(
    cloud, http_api, make_function, role_of_functions
):
    function = make_function(is_open=False)
    backend = http_api.function(function, CredentialsArn=role_of_functions)
    http_api.route("GET /x", backend)
    assert http_api.call("GET", "/x").status == 500
    cloud.client("iam").put_role_policy(
        RoleName=role_of_functions.rpartition("/")[2],
        PolicyName="invoke",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": {
                    "Effect": "Allow",
                    "Action": "lambda:InvokeFunction",
                    "Resource": function,
                },
            }
        ),
    )
    assert http_api.call("GET", "/x").status == 200


def test_mappings_change_what_the_function_gets(http_api, function):
    backend = http_api.function(
        function,
        RequestParameters={
            "overwrite:header.x-a": "$request.querystring.q",
            "remove:querystring.q": "''",
            "append:querystring.w": "z",
        },
    )
    http_api.route("GET /x", backend)
    event = http_api.call("GET", "/x?q=1&r=2").json
    assert event["headers"]["x-a"] == "1"
    assert event["queryStringParameters"] == {"r": "2", "w": "z"}
