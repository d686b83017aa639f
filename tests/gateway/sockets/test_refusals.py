"""Every refusal of WebSocket APIs: its status, headers and body, or the message a client gets.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-control-access.html
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests.gateway.cast import lambda_says
from tests.gateway.sockets.cast import SCOPE, URI, Scene, stage_of

from cumulet.core.errors import AccessDenied, ExpiredToken, SignatureMismatch, UnknownKey
from cumulet.core.http import Response
from cumulet.core.identity import Principal
from cumulet.services.apigateway.admission.usage.passes import Pass, Passes
from cumulet.services.apigateway.admission.usage.quotas import Quotas

AUTHORIZER = {
    "ApiId": "abc123",
    "AuthorizerId": "a1",
    "AuthorizerType": "REQUEST",
    "Name": "n",
    "IdentitySource": ["route.request.header.Auth"],
    "AuthorizerUri": URI,
}
GUARDED = {"AuthorizationType": "CUSTOM", "AuthorizerId": "a1", "authorizers": [AUTHORIZER]}
SIGNED = {"AuthorizationType": "AWS_IAM"}
KEYED = {"ApiKeyRequired": True}
USER = Principal("user", SCOPE.account, f"arn:aws:iam::{SCOPE.account}:user/ann", "AIDA")
AUTH = [("Auth", "token")]
KEY = [("X-Api-Key", "v" * 20)]


def fails(error: Exception) -> Any:
    def answer(service: str, operation: str, request: dict[str, Any]) -> Exception:
        return error

    return answer


def raises(error: Exception) -> Any:
    def sign() -> Principal:
        raise error

    return sign


def crashed(message: str) -> Any:
    payload = json.dumps({"errorMessage": message}).encode()
    return lambda *_: {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": payload}


def policy(effect: str, resource: str = "*") -> Any:
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return lambda_says({"principalId": "p", "policyDocument": document})


class OneKey:
    """The key that opens the stage, held to a quota of nothing."""

    async def find(self, *_: Any) -> Pass:
        return Pass("k1", "key", "p1", None, None, {})

    async def take(self, *_: Any) -> bool:
        return False


USED_UP = {Passes: OneKey(), Quotas: OneKey()}
ROUTE_RATE_0 = {"RouteSettings": {"$connect": {"ThrottlingBurstLimit": 0}}}

HANDSHAKES: dict[str, tuple[dict[str, Any], dict[str, Any], int, str, Any]] = {
    "unsigned": (SIGNED, {}, 403, "MissingAuthenticationTokenException", "Missing Auth"),
    "false signature": (
        SIGNED,
        {"signer": raises(SignatureMismatch("The request signature we calculated"))},
        403,
        "InvalidSignatureException",
        "The request signature we calculated",
    ),
    "unknown key": (
        SIGNED,
        {"signer": raises(UnknownKey("The security token"))},
        403,
        "UnrecognizedClientException",
        "The security token",
    ),
    "expired token": (
        SIGNED,
        {"signer": raises(ExpiredToken("The security token"))},
        403,
        "ExpiredTokenException",
        "The security token",
    ),
    "no permission": (
        SIGNED,
        {"signer": lambda: USER},
        403,
        "AccessDeniedException",
        f"User: {USER.arn} is not authorized to perform: execute-api:Invoke on resource: "
        "arn:aws:execute-api:eu-west-1:********9012:abc123/prod/$connect",
    ),
    "no identity": (GUARDED, {}, 401, "UnauthorizedException", "Unauthorized"),
    "authorizer knows nobody": (
        GUARDED,
        {"headers": AUTH, "answers": crashed("Unauthorized")},
        401,
        "UnauthorizedException",
        "Unauthorized",
    ),
    "authorizer fails": (
        GUARDED,
        {"headers": AUTH, "answers": crashed("oops")},
        500,
        "AuthorizerFailureException",
        None,
    ),
    "authorizer is malformed": (
        GUARDED,
        {"headers": AUTH, "answers": lambda_says({})},
        500,
        "AuthorizerConfigurationException",
        None,
    ),
    "authorizer may not be invoked": (
        GUARDED,
        {"headers": AUTH, "answers": fails(AccessDenied("no"))},
        500,
        "AuthorizerConfigurationException",
        None,
    ),
    "authorizer denies": (
        GUARDED,
        {"headers": AUTH, "answers": policy("Deny")},
        403,
        "AccessDeniedException",
        "User is not authorized to access this resource with an explicit deny",
    ),
    "authorizer allows elsewhere": (
        GUARDED,
        {"headers": AUTH, "answers": policy("Allow", "arn:aws:execute-api:*:*:other/*")},
        403,
        "AccessDeniedException",
        "User is not authorized to access this resource",
    ),
    "no API key": (KEYED, {}, 403, "ForbiddenException", "Forbidden"),
    "unknown API key": (KEYED, {"headers": KEY}, 403, "ForbiddenException", "Forbidden"),
    "quota used up": (
        KEYED,
        {"headers": KEY, "parts": USED_UP},
        429,
        "LimitExceededException",
        "Limit Exceeded",
    ),
    "route throttled": (
        {},
        {"stage": ROUTE_RATE_0},
        429,
        "TooManyRequestsException",
        "Too Many Requests",
    ),
    "required parameter": (
        {"RequestParameters": {"route.request.header.Room": {"Required": True}}},
        {},
        400,
        "BadRequestException",
        "Missing required request parameters: [Room]",
    ),
    "headers too long": (
        {},
        {"headers": [("X-Long", "x" * 10_300)]},
        431,
        "BadRequestException",
        "Request Header Fields Too Large",
    ),
    "function refuses": (
        {},
        {"answers": lambda_says({"statusCode": 401})},
        401,
        "UnauthorizedException",
        "Unauthorized",
    ),
    "function fails": (
        {},
        {"answers": crashed("oops")},
        502,
        "InternalServerErrorException",
        "Internal server error",
    ),
    "function may not be invoked": (
        {},
        {"answers": fails(AccessDenied("no"))},
        500,
        "InternalServerErrorException",
        "Internal server error",
    ),
}


@pytest.mark.parametrize("name", HANDSHAKES)
def test_handshake_is_refused(name: str):
    route, cast, status, error, message = HANDSHAKES[name]
    cast = dict(cast)
    stage = stage_of({"$connect": route}, stage=cast.pop("stage", None))
    headers = cast.pop("headers", None)

    async def play() -> tuple[Response, Scene]:
        scene = Scene(stage, **cast)
        answer = await scene.arrive(headers=headers)
        assert isinstance(answer, Response)
        return answer, scene

    answer, scene = asyncio.run(play())
    named = dict(answer.headers)
    body = json.loads(answer.body)
    assert (answer.status, named["x-amzn-ErrorType"]) == (status, error)
    assert named["Content-Type"] == "application/json"
    assert list(body) == ["message", "connectionId", "requestId"]
    assert body["requestId"] == named["x-amzn-RequestId"] == named["x-amz-apigw-id"]
    if message is None:
        assert body["message"] is None
    else:
        assert body["message"].startswith(message)
    assert len(scene.connections) == 0
    counted = {metric for metric, _, _ in scene.written.metrics}
    if name.startswith("function"):
        assert {"ConnectCount", "IntegrationLatency"} < counted
    elif status < 500:
        assert counted == {"ClientError"}


SAY = json.dumps({"action": "say"})
SAID = {"integration": {"IntegrationType": "AWS_PROXY"}}
STRICT = {
    "ApiId": "abc123",
    "ModelId": "m1",
    "Name": "Strict",
    "ContentType": "application/json",
    "Schema": '{"required": ["text"]}',
}
MESSAGES: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "no route": ({}, {"key": "other"}, "Forbidden", "ClientError"),
    "throttled": (
        {},
        {
            "stage": {
                "RouteSettings": {"say": {"ThrottlingRateLimit": 0, "ThrottlingBurstLimit": 0}}
            }
        },
        "Too Many Requests",
        "ClientError",
    ),
    "no API key": ({"ApiKeyRequired": True}, {}, "Forbidden", "ClientError"),
    "does not fit its model": (
        {"RequestModels": {"$default": "Strict"}, "models": [STRICT]},
        {},
        "Invalid request body",
        "ClientError",
    ),
    "may not pass through": (
        {"integration": {"IntegrationType": "AWS", "PassthroughBehavior": "NEVER"}},
        {},
        "Unsupported Media Type",
        "ExecutionError",
    ),
    "function fails": ({}, {"answers": crashed("oops")}, "Internal server error", "ExecutionError"),
    "function answers nothing": (
        {},
        {"answers": lambda_says(None)},
        "Internal server error",
        "ExecutionError",
    ),
    "function may not be invoked": (
        {},
        {"answers": fails(AccessDenied("no"))},
        "Internal server error",
        "ExecutionError",
    ),
    "no integration": ({"Target": None}, {}, "Internal server error", "ClientError"),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_message_is_refused(name: str):
    route, cast, message, metric = MESSAGES[name]
    cast = dict(cast)
    stage = stage_of({cast.pop("key", "say"): route}, stage=cast.pop("stage", None))

    async def play() -> tuple[str | bytes, Scene]:
        scene = Scene(stage, **cast)
        client = await scene.talk(SAY)
        assert len(client.told) == 1
        return client.told[0], scene

    told, scene = asyncio.run(play())
    assert isinstance(told, str)
    body = json.loads(told)
    assert told == (
        f'{{"message": "{message}", "connectionId":"{body["connectionId"]}", '
        f'"requestId":"{body["requestId"]}"}}'
    )
    if name != "no integration":
        assert metric in {found for found, _, _ in scene.written.metrics}


def test_account_opens_no_more_than_its_connections_a_second():
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
    async def play() -> list[Any]:
        scene = Scene(stage_of({"$default": {}}))
        found = [await scene.arrive() for _ in range(502)]
        await scene.platform.clock.advance(0.011)
        return [*found, *[await scene.arrive() for _ in range(6)]]

    answers = asyncio.run(play())
    assert [number for number, one in enumerate(answers) if isinstance(one, Response)] == [
        *(500, 501, 507),
    ]
    assert answers[500].status == 429
    assert json.loads(answers[500].body)["message"] == "Too Many Requests"
