"""Backends that are no function proxies: HTTP, mock and function integrations with templates."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.services.apigateway.sockets.conftest import Recorder, SocketApi, told, uri_of


def respond(api: SocketApi, integration: str, key: str, template: str, **more: Any) -> None:
    """An integration response with one template."""
    api.client.create_integration_response(
        ApiId=api.id,
        IntegrationId=integration,
        IntegrationResponseKey=key,
        ResponseTemplates={"$default": template},
        **more,
    )


def test_http_proxy_passes_messages_on_and_answers_back(sockets: SocketApi, recorder: Recorder):
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-data-mapping.html
    behind = sockets.integration(
        "HTTP_PROXY",
        IntegrationMethod="POST",
        IntegrationUri=recorder.url + "/{route}/in",
        RequestParameters={
            "integration.request.header.connectionId": "context.connectionId",
            "integration.request.header.X-Mood": "stageVariables.mood",
            "integration.request.header.X-Fixed": "'fixed'",
            "integration.request.querystring.room": "route.request.body.room",
            "integration.request.path.route": "context.routeKey",
        },
    )
    sockets.route("say", behind, answers=True)
    sockets.deploy(StageVariables={"mood": "calm"})
    client = sockets.connect()
    client.send('{"action": "say", "room": "a b"}')
    assert client.recv(timeout=20) == "recorded"
    verb, path, headers, body = recorder.asked.get(timeout=20)
    assert (verb, path) == ("POST", "/say/in?room=a+b")
    assert body == b'{"action": "say", "room": "a b"}'
    assert len(headers["connectionid"]) == 16
    assert (headers["x-mood"], headers["x-fixed"]) == ("calm", "fixed")
    assert headers["user-agent"] == f"AmazonAPIGateway_{sockets.id}"


def test_http_backend_of_connect_decides_by_its_status(sockets: SocketApi, recorder: Recorder):
    behind = sockets.integration(
        "HTTP_PROXY", IntegrationMethod="GET", IntegrationUri=recorder.url + "/hello"
    )
    sockets.route("$connect", behind)
    sockets.deploy()
    recorder.headers = {"Sec-WebSocket-Protocol": "two", "X-Other": "x"}
    client = sockets.connect(
        "room=blue", subprotocols=["one", "two"], additional_headers={"X-Token": "t"}
    )
    assert client.subprotocol == "two"
    _, path, headers, _ = recorder.asked.get(timeout=20)
    assert path == "/hello?room=blue"
    assert headers["x-token"] == "t"
    assert "sec-websocket-key" not in headers
    recorder.status = 403
    with pytest.raises(Exception, match="403"):
        sockets.connect()


def test_http_templates_shape_both_ways(sockets: SocketApi, recorder: Recorder):
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-data-transformations.html
    behind = sockets.integration(
        "HTTP",
        IntegrationMethod="PUT",
        IntegrationUri=recorder.url + "/made",
        TemplateSelectionExpression="$request.body.kind",
        RequestTemplates={
            "loud": '{"text": "$input.path(\'$.text\').toUpperCase()"}',
            "$default": '{"text": $input.json(\'$.text\'), "on": "$context.routeKey"}',
        },
    )
    respond(sockets, behind, "$default", '{"got": "$input.body", "in": "$stageVariables.mood"}')
    respond(sockets, behind, "/5\\d\\d/", '{"failed": true}')
    sockets.route("say", behind, answers=True)
    sockets.deploy(StageVariables={"mood": "calm"})
    client = sockets.connect()
    assert told(client, {"action": "say", "kind": "loud", "text": "hey"}) == {
        "got": "recorded",
        "in": "calm",
    }
    assert json.loads(recorder.asked.get(timeout=20)[3]) == {"text": "HEY"}
    told(client, {"action": "say", "kind": "soft", "text": "hey"})
    assert json.loads(recorder.asked.get(timeout=20)[3]) == {"text": "hey", "on": "say"}
    recorder.status = 503
    assert told(client, {"action": "say", "text": "hey"}) == {"failed": True}


def test_mock_answers_what_its_templates_say(sockets: SocketApi):
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-mock-integration.html
    behind = sockets.integration(
        "MOCK",
        TemplateSelectionExpression="200",
        RequestTemplates={"200": '{"statusCode": 200}'},
    )
    respond(sockets, behind, "/200/", '{"pong": "$context.connectionId"}')
    sockets.route("ping", behind, answers=True)
    sockets.deploy()
    assert len(told(sockets.connect(), {"action": "ping"})["pong"]) == 16


def test_mock_of_connect_lets_in_or_refuses(sockets: SocketApi):
    def connect_with(status: int) -> None:
        made = sockets.integration(
            "MOCK",
            TemplateSelectionExpression="x",
            RequestTemplates={"x": f'{{"statusCode": {status}}}'},
        )
        found = sockets.client.get_routes(ApiId=sockets.id)["Items"]
        if found:
            sockets.client.update_route(
                ApiId=sockets.id, RouteId=found[0]["RouteId"], Target=f"integrations/{made}"
            )
        else:
            sockets.route("$connect", made)
        sockets.deploy()

    connect_with(200)
    sockets.connect()
    connect_with(401)
    with pytest.raises(Exception, match="401"):
        sockets.connect()


def test_function_gets_the_templates_payload(sockets: SocketApi, function: str):
    behind = sockets.integration(
        "AWS",
        IntegrationUri=uri_of(function),
        RequestTemplates={
            "$default": '{"requestContext": {"eventType": "CONNECT"}, "queryStringParameters": '
            '{"answer": "{\\"heard\\": \\"$context.eventType\\"}", '
            '"crash": "$!input.path(\'$.crash\')"}}'
        },
    )
    respond(sockets, behind, "$default", "got $input.json('$.heard')")
    respond(sockets, behind, "/500/", "broken: $input.path('$.errorMessage')")
    sockets.route("ask", behind, answers=True)
    sockets.deploy()
    client = sockets.connect()
    client.send('{"action": "ask"}')
    assert client.recv(timeout=20) == 'got "MESSAGE"'
    client.send('{"action": "ask", "crash": "now"}')
    assert client.recv(timeout=20) == "broken: crashed"


@pytest.mark.parametrize("behaviour", ["NEVER", "WHEN_NO_TEMPLATES"])
def test_message_that_may_not_pass_through_is_refused(
    sockets: SocketApi, recorder: Recorder, behaviour: str
):
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-data-transformations.html
    behind = sockets.integration(
        "HTTP",
        IntegrationMethod="POST",
        IntegrationUri=recorder.url,
        TemplateSelectionExpression="$request.body.kind",
        RequestTemplates={"known": "{}"},
        PassthroughBehavior=behaviour,
    )
    sockets.route("say", behind, answers=True)
    sockets.deploy()
    client = sockets.connect()
    assert told(client, {"action": "say", "kind": "odd"})["message"] == "Unsupported Media Type"
    client.send('{"action": "say", "kind": "known"}')
    assert client.recv(timeout=20) == "recorded"


def test_base64_message_becomes_binary_for_the_backend_and_back(
    sockets: SocketApi, recorder: Recorder
):
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-binary-media-types.html
    behind = sockets.integration(
        "HTTP",
        IntegrationMethod="POST",
        IntegrationUri=recorder.url,
        ContentHandlingStrategy="CONVERT_TO_BINARY",
    )
    sockets.client.create_integration_response(
        ApiId=sockets.id,
        IntegrationId=behind,
        IntegrationResponseKey="$default",
        ContentHandlingStrategy="CONVERT_TO_TEXT",
    )
    sockets.route("$default", behind, answers=True)
    sockets.deploy()
    recorder.body = b"\xff\x00\x01"
    client = sockets.connect()
    client.send("AP8B")
    assert client.recv(timeout=20) == "/wAB"
    assert recorder.asked.get(timeout=20)[3] == b"\x00\xff\x01"
    assert told(client, "?")["message"] == "Internal server error"


def test_backend_that_cannot_be_reached_or_is_slow_is_told(
    sockets: SocketApi, recorder: Recorder, function: str
):
    gone = sockets.integration(
        "HTTP_PROXY", IntegrationMethod="POST", IntegrationUri="http://127.0.0.1:9/"
    )
    slow = sockets.integration(
        "HTTP_PROXY", IntegrationMethod="POST", IntegrationUri=recorder.url, TimeoutInMillis=50
    )
    sockets.route("gone", gone)
    sockets.route("slow", slow)
    sockets.route("bare", None)
    sockets.deploy()
    client = sockets.connect()
    words = "Network error communicating with endpoint"
    assert told(client, {"action": "gone"})["message"] == words
    with recorder.held():
        assert told(client, {"action": "slow"})["message"] == "Endpoint request timed out"
    assert told(client, {"action": "bare"})["message"] == "Internal server error"


def test_message_must_fit_the_model_that_is_selected(sockets: SocketApi, recorder: Recorder):
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-request-validation.html
    sockets.client.create_model(
        ApiId=sockets.id,
        Name="Say",
        ContentType="application/json",
        Schema=json.dumps({"type": "object", "required": ["text"]}),
    )
    behind = sockets.integration(
        "HTTP_PROXY", IntegrationMethod="POST", IntegrationUri=recorder.url
    )
    sockets.route(
        "say",
        behind,
        answers=True,
        ModelSelectionExpression="$request.body.kind",
        RequestModels={"strict": "Say"},
    )
    sockets.deploy()
    client = sockets.connect()
    refused = told(client, {"action": "say", "kind": "strict"})
    assert refused["message"] == "Invalid request body"
    for message in ({"kind": "strict", "text": "x"}, {"kind": "lax"}):
        client.send(json.dumps({"action": "say", **message}))
        assert client.recv(timeout=20) == "recorded"


def test_aws_services_are_asked_in_the_roles_name(sockets: SocketApi):
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integrations.html
    cloud = sockets.cloud
    role, bucket = f"r-{sockets.id}", f"b-{sockets.id}"
    cloud.client("s3").create_bucket(Bucket=bucket)
    trusted = {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}}
    arn = cloud.client("iam").create_role(
        RoleName=role,
        AssumeRolePolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{**trusted, "Action": "sts:AssumeRole"}]}
        ),
    )["Role"]["Arn"]
    behind = sockets.integration(
        "AWS",
        IntegrationMethod="PUT",
        IntegrationUri=f"arn:aws:apigateway:us-east-1:s3:path/{bucket}/{{key}}",
        CredentialsArn=arn,
        RequestParameters={"integration.request.path.key": "route.request.body.key"},
        RequestTemplates={"application/json": "$input.path('$.text')"},
    )
    respond(sockets, behind, "/200/", "stored")
    respond(sockets, behind, "$default", "refused")
    sockets.route("keep", behind, answers=True)
    sockets.deploy()
    client = sockets.connect()
    message = json.dumps({"action": "keep", "key": "a/b", "text": "hello"})
    client.send(message)
    assert client.recv(timeout=20) == "refused"
    allowed = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    cloud.client("iam").put_role_policy(
        RoleName=role,
        PolicyName="p",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )
    client.send(message)
    assert client.recv(timeout=20) == "stored"
    found = cloud.client("s3").get_object(Bucket=bucket, Key="a/b")["Body"].read()
    assert found == b"hello"
