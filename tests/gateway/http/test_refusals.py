"""Every refusal of an HTTP API, in the order of its checks: status, headers and body, exactly.

HTTP APIs answer one sentence, tell the request's id, and name no error type:
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-jwt.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.gateway.cast import SCOPE
from tests.gateway.http.cast import USER, WHO, fails, play, raises, says, served, token

from cumulet.core.errors import AwsError, ServiceUnavailable, SignatureMismatch
from cumulet.core.identity import root_principal
from cumulet.services.apigateway.v2.model import Cors

NOT_FOUND = (404, "Not Found")
UNAUTHORIZED = (401, "Unauthorized")
FORBIDDEN = (403, "Forbidden")
TOO_MANY = (429, "Too Many Requests")
FAILED = (500, "Internal Server Error")
UNAVAILABLE = (503, "Service Unavailable")

THROTTLED = {"throttling_rate_limit": 0.0, "throttling_burst_limit": 0}
BY_JWT = {"auth": "JWT", "authorizer": "jwt", "scopes": ("read",)}
BY_GUARD = {"auth": "CUSTOM", "authorizer": "guard"}
BY_POLICY = {"auth": "CUSTOM", "authorizer": "policy"}
BY_IAM = {"auth": "AWS_IAM"}
WEB = {"integration_type": "HTTP_PROXY", "integration_uri": "http://x.example/{p}",
       "payload_format_version": "1.0"}  # fmt: skip


def challenge(error: str, told: str) -> str:
    return f'Bearer scope="read" error="{error}" error_description="{told}"'


DENY = {
    "principalId": "p",
    "policyDocument": {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": "*"}],
    },
}

# What the stage is, what is sent and what the world answers; then the refusal, the challenge in
# `www-authenticate`, and which functions were asked.
TABLE: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[int, str], str, list[str]]] = {
    "no such route": ({}, {"path": "/other"}, NOT_FOUND, "", []),
    "no such method": ({}, {"method": "POST"}, NOT_FOUND, "", []),
    "a final slash": ({}, {"path": "/it/"}, NOT_FOUND, "", []),
    "no route goes before no token": (BY_JWT, {"path": "/other"}, NOT_FOUND, "", []),
    "no token": (BY_JWT, {}, UNAUTHORIZED, "Bearer", []),
    "another issuer": (
        BY_JWT,
        {"headers": token(iss="https://other.example")},
        UNAUTHORIZED,
        challenge("invalid_token", "the token does not have a valid issuer"),
        [],
    ),
    "another audience": (
        BY_JWT,
        {"headers": token(aud="you")},
        UNAUTHORIZED,
        challenge("invalid_token", "the token does not have a valid audience"),
        [],
    ),
    "expired": (
        BY_JWT,
        {"headers": token(exp=1_700_000_000)},
        UNAUTHORIZED,
        challenge("invalid_token", "the token has expired"),
        [],
    ),
    "not valid yet": (
        BY_JWT,
        {"headers": token(nbf=1_700_000_001)},
        UNAUTHORIZED,
        challenge("invalid_token", "the token is not valid yet"),
        [],
    ),
    "malformed": (
        BY_JWT,
        {"headers": [("Authorization", "Bearer a.b")]},
        UNAUTHORIZED,
        challenge("invalid_token", "the token contains an invalid number of segments"),
        [],
    ),
    "without the scope": (
        BY_JWT,
        {"headers": token(scope="write")},
        FORBIDDEN,
        challenge("insufficient_scope", "the token does not have the required scopes"),
        [],
    ),
    "no identity": (BY_GUARD, {"query": "q=1"}, UNAUTHORIZED, "", []),
    "half an identity": (BY_GUARD, {"headers": WHO}, UNAUTHORIZED, "", []),
    "a simple no": (
        BY_GUARD,
        {"headers": WHO, "query": "q=1", "answers": says("auth", {"isAuthorized": False})},
        FORBIDDEN,
        "",
        ["auth"],
    ),
    "no simple answer": (
        BY_GUARD,
        {"headers": WHO, "query": "q=1", "answers": says("auth", {"isAuthorized": "yes"})},
        FAILED,
        "",
        ["auth"],
    ),
    "the function says Unauthorized": (
        BY_GUARD,
        {"headers": WHO, "query": "q=1", "answers": says("auth", fails("Unauthorized"))},
        UNAUTHORIZED,
        "",
        ["auth"],
    ),
    "the authorizer fails": (
        BY_GUARD,
        {"headers": WHO, "query": "q=1", "answers": says("auth", fails("oh"))},
        FAILED,
        "",
        ["auth"],
    ),
    "the authorizer may not be invoked": (
        BY_GUARD,
        {"headers": WHO, "query": "q=1", "answers": says("auth", AwsError("no"))},
        FAILED,
        "",
        ["auth"],
    ),
    "a policy that denies": (
        BY_POLICY,
        {"headers": WHO, "query": "q=1", "answers": says("auth", DENY)},
        FORBIDDEN,
        "",
        ["auth"],
    ),
    "no policy": (
        BY_POLICY,
        {"headers": WHO, "query": "q=1", "answers": says("auth", {"principalId": "p"})},
        FAILED,
        "",
        ["auth"],
    ),
    "no signature": (BY_IAM, {}, FORBIDDEN, "", []),
    "a false signature": (
        BY_IAM,
        {"signer": raises(SignatureMismatch("no"))},
        FORBIDDEN,
        "",
        [],
    ),
    "a signer without permission": (BY_IAM, {"signer": lambda: USER}, FORBIDDEN, "", []),
    "throttled": ({"throttle": THROTTLED}, {}, TOO_MANY, "", []),
    "refused before it is throttled": (
        {**BY_JWT, "throttle": THROTTLED},
        {},
        UNAUTHORIZED,
        "Bearer",
        [],
    ),
    "throttled after it is admitted": (
        {**BY_IAM, "throttle": THROTTLED},
        {"signer": lambda: root_principal(SCOPE.account)},
        TOO_MANY,
        "",
        [],
    ),
    "the burst is used up": (
        {"throttle": {"throttling_rate_limit": 0.001, "throttling_burst_limit": 2}},
        {"times": 3},
        TOO_MANY,
        "",
        ["f", "f"],
    ),
    "the function failed": ({}, {"answers": says("f", fails("oh"))}, FAILED, "", ["f"]),
    "a malformed answer": ({}, {"answers": says("f", {"statusCode": "x"})}, FAILED, "", ["f"]),
    "a header that splits": (
        {},
        {"answers": says("f", {"statusCode": 200, "headers": {"a": "b\r\nc: d"}})},
        FAILED,
        "",
        ["f"],
    ),
    "the function may not be invoked": (
        {},
        {"answers": says("f", AwsError("no"))},
        FAILED,
        "",
        ["f"],
    ),
    "the function is throttled": (
        {},
        {"answers": says("f", AwsError("busy", code="TooManyRequestsException"))},
        UNAVAILABLE,
        "",
        ["f"],
    ),
    "Lambda cannot answer": (
        {},
        {"answers": says("f", ServiceUnavailable("later"))},
        UNAVAILABLE,
        "",
        ["f"],
    ),
    "the backend is gone": (
        {"backend": {**WEB, "integration_uri": "http://x.example/"}},
        {},
        UNAVAILABLE,
        "",
        [],
    ),
    "no such backend": ({"backend": {**WEB, "integration_uri": "http://x:y/"}}, {}, FAILED, "", []),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_refusal_is_exactly_awss(name):
    stage, request, (status, message), told, functions = TABLE[name]
    seen = play(served(**stage), **request)
    expected = [("Content-Type", "application/json")]
    if told:
        expected.append(("www-authenticate", told))
    expected.append(("apigw-requestid", "JKJaXmPLvHcESHA="))
    assert seen.response.status == status
    assert seen.response.headers == expected
    assert seen.response.body == json.dumps({"message": message}, separators=(",", ":")).encode()
    assert seen.functions == functions
    assert seen.metrics["Count"] == 1.0
    assert (seen.metrics["4xx"], seen.metrics["5xx"]) == (status < 500, status >= 500)


CORS = Cors(allow_origins=("https://a.example",), allow_methods=("GET",))


def test_refusals_carry_the_headers_of_cors():
    origin = [("Origin", "https://a.example")]
    seen = play(served(cors=CORS, **BY_JWT), headers=origin)
    assert ("access-control-allow-origin", "https://a.example") in seen.response.headers


def test_a_preflight_request_passes_by_authorizers_and_throttles():
    ask = [("Origin", "https://a.example"), ("Access-Control-Request-Method", "GET")]
    stage = served(cors=CORS, throttle=THROTTLED, **BY_JWT)
    seen = play(stage, method="OPTIONS", headers=ask)
    assert seen.response.status == 204
    assert not seen.functions


@pytest.mark.parametrize(
    ("stage", "request_"),
    [
        ({}, {}),
        (BY_JWT, {"headers": token()}),
        (BY_IAM, {"signer": lambda: root_principal(SCOPE.account)}),
        (BY_GUARD, {"headers": WHO, "query": "q=1",
                    "answers": says("auth", {"isAuthorized": True})}),
    ],
    ids=["open", "token", "signature", "function"],
)  # fmt: skip
def test_who_is_admitted_reaches_the_function(stage, request_):
    seen = play(served(**stage), **request_)
    assert seen.response.status == 200
    assert seen.functions[-1] == "f"
