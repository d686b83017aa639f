"""Handshakes: what `$connect` is told, what it may answer, and who may connect at all."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.services.apigateway.sockets.conftest import SocketApi, socket_api, told, uri_of
from websockets import InvalidStatus

ACCOUNT = "000000000000"


def refused(api: SocketApi, query: str = "", **more: Any) -> tuple[int, dict[str, str], Any]:
    """Status, headers and body of a handshake that is refused."""
    with pytest.raises(InvalidStatus) as raised:
        api.connect(query, **more)
    answer = raised.value.response
    named = {name.lower(): value for name, value in answer.headers.raw_items()}
    return answer.status_code, named, json.loads(answer.body)


@pytest.fixture(scope="module")
def asked(cloud: Any, function: str) -> Iterator[SocketApi]:
    """An API whose `$connect` function tells its event by an authorizer-like message later."""
    with socket_api(cloud) as api:
        behind = api.proxy(function)
        api.route("$connect", behind)
        api.route("$default", behind, answers=True)
        api.deploy()
        yield api


def test_connect_event_tells_of_the_handshake(sockets: SocketApi, recorder: Any):
    # https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html
    sockets.route(
        "$connect",
        sockets.integration(
            "HTTP",
            IntegrationMethod="POST",
            IntegrationUri=f"{recorder.url}/told",
            RequestTemplates={
                "$default": '{"context": {"id": "$context.connectionId", "type": '
                '"$context.eventType", "route": "$context.routeKey"}, "room": '
                '"$input.params(\'room\')", "mood": "$input.params().header.get(\'X-Mood\')"}'
            },
        ),
    )
    sockets.deploy()
    sockets.connect("room=a%20b&room=blue", additional_headers={"X-Mood": "calm"})
    _, path, _, body = recorder.asked.get(timeout=20)
    heard = json.loads(body)
    assert path == "/told"
    assert heard["room"] == "blue"
    assert heard["mood"] == "calm"
    assert heard["context"]["type"] == "CONNECT"
    assert heard["context"]["route"] == "$connect"


@pytest.mark.parametrize(
    ("query", "status", "error", "message"),
    [
        ("status=401", 401, "UnauthorizedException", "Unauthorized"),
        ("status=403", 403, "ForbiddenException", "Forbidden"),
        ("status=418", 418, "BadRequestException", "I'm a Teapot"),
        ("status=500", 500, "InternalServerErrorException", "Internal server error"),
        ("status=302", 502, "InternalServerErrorException", "Internal server error"),
        ("crash=1", 502, "InternalServerErrorException", "Internal server error"),
        ("answer=null", 502, "InternalServerErrorException", "Internal server error"),
        ("answer=%7B%7D", 502, "InternalServerErrorException", "Internal server error"),
    ],
)
def test_refusal_of_connect_ends_the_handshake(
    asked: SocketApi, query: str, status: int, error: str, message: str
):
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html
    got, headers, body = refused(asked, query)
    assert (got, headers["x-amzn-errortype"]) == (status, error)
    assert body == {
        "message": message,
        "connectionId": body["connectionId"],
        "requestId": headers["x-amzn-requestid"],
    }


@pytest.mark.parametrize("status", [200, 204, 299])
def test_every_success_of_connect_lets_in(asked: SocketApi, status: int):
    client = asked.connect(f"status={status}")
    assert told(client, {"a": 1})["requestContext"]["eventType"] == "MESSAGE"


def test_subprotocol_is_what_connect_chooses(asked: SocketApi):
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-connect-route-subprotocol.html
    client = asked.connect("protocol=two", subprotocols=["one", "two"])
    assert client.subprotocol == "two"
    assert asked.connect(subprotocols=["one"]).subprotocol is None


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"stage": "nowhere"}, 403),
        ({"id": "unknown123"}, 403),
        ({"path": "/more"}, 403),
        ({"path": "/"}, 101),
    ],
    ids=["no stage", "no API", "a path behind the stage", "a final slash"],
)
def test_only_the_stage_itself_takes_sockets(asked: SocketApi, change: Any, status: int):
    path = change.pop("path", "")
    api = SocketApi(asked.cloud, asked.client, **{"id": asked.id, **change})
    with api.opened:
        if status == 101:
            assert told(api.connect(path=path), {})["requestContext"]["stage"] == "prod"
        else:
            got, headers, body = refused(api, path=path)
            assert (got, body["message"]) == (403, "Forbidden")
            assert headers["x-amzn-errortype"] == "ForbiddenException"


def test_switched_off_address_takes_no_sockets(sockets: SocketApi):
    sockets.route("$default", sockets.integration("MOCK"))
    sockets.deploy()
    sockets.connect()
    sockets.client.update_api(ApiId=sockets.id, DisableExecuteApiEndpoint=True)
    assert refused(sockets)[0] == 403
    # By path, as clients of one machine come, it is the same address.
    assert refused(sockets, by_path=True)[0] == 403


def test_required_parameters_must_be_there(sockets: SocketApi, function: str):
    sockets.route(
        "$connect",
        sockets.proxy(function),
        RequestParameters={"route.request.querystring.room": {"Required": True}},
    )
    sockets.deploy()
    status, _, body = refused(sockets)
    assert (status, body["message"]) == (400, "Missing required request parameters: [room]")
    sockets.connect("room=blue")


@pytest.fixture(scope="module")
def guarded(cloud: Any, function: str) -> Iterator[SocketApi]:
    with socket_api(cloud) as api:
        authorizer = api.client.create_authorizer(
            ApiId=api.id,
            Name="who",
            AuthorizerType="REQUEST",
            AuthorizerUri=uri_of(function),
            IdentitySource=["route.request.header.Auth"],
        )["AuthorizerId"]
        behind = api.proxy(function)
        guard = {"AuthorizationType": "CUSTOM", "AuthorizerId": authorizer}
        api.route("$connect", behind, **guard)
        api.route("$default", behind, answers=True)
        api.deploy(StageVariables={"mood": "calm"})
        yield api


@pytest.fixture(scope="module")
def signed(cloud: Any, function: str) -> Iterator[SocketApi]:
    with socket_api(cloud) as api:
        behind = api.proxy(function)
        api.route("$connect", behind, AuthorizationType="AWS_IAM")
        api.route("$default", behind, answers=True)
        api.deploy()
        yield api


class TestLambdaAuthorizer:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html"""

    @pytest.mark.parametrize(
        ("token", "status", "error", "message"),
        [
            (None, 401, "UnauthorizedException", "Unauthorized"),
            ("", 401, "UnauthorizedException", "Unauthorized"),
            ("unauthorized", 401, "UnauthorizedException", "Unauthorized"),
            ("crash", 500, "AuthorizerFailureException", None),
            ("malformed", 500, "AuthorizerConfigurationException", None),
            (
                "elsewhere",
                403,
                "AccessDeniedException",
                "User is not authorized to access this resource",
            ),
            (
                "deny",
                403,
                "AccessDeniedException",
                "User is not authorized to access this resource with an explicit deny",
            ),
        ],
    )
    def test_refuses(
        self, guarded: SocketApi, token: str | None, status: int, error: str, message: str | None
    ):
        headers = {} if token is None else {"Auth": token}
        got, answered, body = refused(guarded, additional_headers=headers)
        assert (got, answered["x-amzn-errortype"]) == (status, error)
        if message is not None:
            assert body["message"].startswith("User is not" if status == 403 else message)

    def test_tells_every_later_event_who_it_is(self, guarded: SocketApi):
        client = guarded.connect("room=x", additional_headers={"Auth": "ann"})
        shown = told(client, {})["requestContext"]["authorizer"]
        assert (shown["principalId"], shown["room"], shown["depth"]) == ("ann", "blue", "3")
        assert isinstance(shown["integrationLatency"], int)
        assert json.loads(shown["told"]) == [
            *("headers", "methodArn", "multiValueHeaders", "multiValueQueryStringParameters"),
            *("queryStringParameters", "requestContext", "stageVariables", "type"),
        ]


class TestIam:
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-control-access-iam.html"""

    def headers(self, api: SocketApi, key: tuple[str, ...]) -> dict[str, str]:
        request = AWSRequest("GET", f"http://{api.host}/prod")
        SigV4Auth(Credentials(*key), "execute-api", "us-east-1").add_auth(request)
        return {name: value for name, value in request.headers.items() if name != "Host"}

    def test_unsigned_client_is_refused(self, signed: SocketApi):
        status, headers, body = refused(signed)
        assert status == 403
        assert headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"
        assert body["message"] == "Missing Authentication Token"

    def test_false_signature_is_refused(self, signed: SocketApi):
        key = (signed.cloud.root_key[0], "x" * 40)
        status, headers, _ = refused(signed, additional_headers=self.headers(signed, key))
        assert (status, headers["x-amzn-errortype"]) == (403, "InvalidSignatureException")

    def test_signer_is_told_to_functions(self, signed: SocketApi):
        headers = self.headers(signed, signed.cloud.root_key)
        identity = told(signed.connect(additional_headers=headers), {})["requestContext"][
            "identity"
        ]
        assert identity["userArn"].endswith(":root")
        assert identity["accessKey"] == signed.cloud.root_key[0]
        assert identity["sourceIp"] == "127.0.0.1"

    def test_browser_connects_by_a_signed_address(self, signed: SocketApi):
        request = AWSRequest("GET", f"http://{signed.host}/prod")
        key = Credentials(*signed.cloud.root_key)
        SigV4QueryAuth(key, "execute-api", "us-east-1", expires=60).add_auth(request)
        client = signed.connect(request.url.partition("?")[2])
        assert told(client, {})["requestContext"]["identity"]["userArn"].endswith(":root")

    def test_user_needs_the_permission_for_the_route(self, signed: SocketApi):
        iam = signed.cloud.client("iam")
        name = f"u-{uuid.uuid4().hex[:8]}"
        iam.create_user(UserName=name)
        made = iam.create_access_key(UserName=name)["AccessKey"]
        key = (made["AccessKeyId"], made["SecretAccessKey"])
        status, headers, body = refused(signed, additional_headers=self.headers(signed, key))
        assert (status, headers["x-amzn-errortype"]) == (403, "AccessDeniedException")
        assert "is not authorized to perform: execute-api:Invoke" in body["message"]
        statement = {
            "Effect": "Allow",
            "Action": "execute-api:Invoke",
            "Resource": f"arn:aws:execute-api:us-east-1:*:{signed.id}/prod/$connect",
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
        client = signed.connect(additional_headers=self.headers(signed, key))
        identity = told(client, {})["requestContext"]["identity"]
        assert identity["userArn"].endswith(f":user/{name}")


def test_other_kinds_of_apis_take_no_sockets(cloud: Any):
    apis = cloud.client("apigateway")
    made = apis.create_rest_api(name=f"t-{uuid.uuid4().hex[:8]}")["id"]
    api = SocketApi(cloud, None, made)
    status, headers, body = refused(api, by_path=True)
    assert (status, headers["x-amzn-errortype"]) == (403, "ForbiddenException")
    assert body == {"message": "Forbidden"}
    apis.delete_rest_api(restApiId=made)


def test_query_is_told_by_last_and_by_all_values(sockets: SocketApi, function: str):
    # The authorizer's event shows the same members as that of `$connect`.
    made = sockets.client.create_authorizer(
        ApiId=sockets.id,
        Name="q",
        AuthorizerType="REQUEST",
        AuthorizerUri=uri_of(function),
        IdentitySource=["route.request.querystring.token"],
    )["AuthorizerId"]
    behind = sockets.proxy(function)
    sockets.route("$connect", behind, AuthorizationType="CUSTOM", AuthorizerId=made)
    sockets.route("$default", behind, answers=True)
    sockets.deploy()
    assert refused(sockets, "other=1")[0] == 401
    client = sockets.connect(
        f"token={quote('a b')}", additional_headers={"Auth": "ann", "Key": "k"}
    )
    assert told(client, {})["requestContext"]["authorizer"]["principalId"] == "ann"
