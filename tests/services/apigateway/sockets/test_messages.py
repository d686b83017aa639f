"""Messages of clients: to their routes, to functions, and back."""

from __future__ import annotations

import contextlib
import json

import pytest
from tests.services.apigateway.sockets.conftest import SocketApi, told
from websockets import ConnectionClosed


@pytest.mark.parametrize("by_path", [False, True], ids=["by host", "by path"])
def test_function_gets_the_event_of_a_message(echo: SocketApi, by_path: bool):
    # https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html
    client = echo.connect(by_path=by_path, user_agent_header="tester/1")
    message = json.dumps({"action": "shout", "what": "é☃"})
    event = told(client, message)
    context = event["requestContext"]
    assert event["body"] == message
    assert event["isBase64Encoded"] is False
    assert sorted(event) == ["body", "isBase64Encoded", "requestContext"]
    assert sorted(context) == [
        *("apiId", "connectedAt", "connectionId", "domainName", "eventType"),
        *("extendedRequestId", "identity", "messageDirection", "messageId", "requestId"),
        *("requestTime", "requestTimeEpoch", "routeKey", "stage"),
    ]
    assert context["routeKey"] == "shout"
    assert context["eventType"] == "MESSAGE"
    assert context["messageDirection"] == "IN"
    assert (context["apiId"], context["stage"]) == (echo.id, "prod")
    assert context["identity"] == {"sourceIp": "127.0.0.1", "userAgent": "tester/1"}
    assert context["connectedAt"] <= context["requestTimeEpoch"]
    assert len(context["connectionId"]) == 16
    assert context["requestId"] == context["extendedRequestId"] != context["messageId"]
    expected = f"127.0.0.1:{echo.port}" if by_path else echo.host
    assert context["domainName"] == expected
    again = told(client, message)["requestContext"]
    assert again["connectionId"] == context["connectionId"]
    assert again["messageId"] != context["messageId"]


@pytest.mark.parametrize(
    ("message", "route"),
    [
        ('{"action": "shout"}', "shout"),
        ('{"action": "unheard"}', "$default"),
        ('{"other": 1}', "$default"),
        ('{"action": "$connect"}', "$default"),
        ('{"action": {"a": 1}}', "$default"),
        ("no json", "$default"),
        ("", "$default"),
        ("[1, 2]", "$default"),
    ],
)
def test_message_goes_to_the_route_that_it_selects(echo: SocketApi, message: str, route: str):
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-routes.html
    event = told(echo.connect(), message)
    assert event["requestContext"]["routeKey"] == route
    assert event.get("body", "") == message


def test_route_without_a_response_answers_nothing(echo: SocketApi):
    client = echo.connect()
    client.send('{"action": "quiet"}')
    assert told(client, {"action": "shout"})["requestContext"]["routeKey"] == "shout"


@pytest.mark.parametrize(
    "said",
    [
        {"action": "quiet", "crash": True},
        {"action": "shout", "crash": True},
        {"action": "quiet", "answer": "null"},
        {"action": "quiet", "answer": '"text"'},
        {"action": "quiet", "answer": '{"body": "no status"}'},
    ],
    ids=["crash", "crash in a two-way route", "null", "text", "no status"],
)
def test_failed_function_is_told_to_the_client(echo: SocketApi, said: dict[str, object]):
    client = echo.connect()
    client.send(json.dumps(said))
    text = client.recv(timeout=20)
    told_of = json.loads(text)
    assert told_of["message"] == "Internal server error"
    assert sorted(told_of) == ["connectionId", "message", "requestId"]
    assert text == (
        f'{{"message": "Internal server error", "connectionId":"{told_of["connectionId"]}", '
        f'"requestId":"{told_of["requestId"]}"}}'
    )


def test_message_without_a_route_is_forbidden(sockets: SocketApi, function: str):
    sockets.route("known", sockets.proxy(function), answers=True)
    sockets.deploy()
    client = sockets.connect()
    assert told(client, {"action": "unknown"})["message"] == "Forbidden"
    assert told(client, {"action": "known"})["requestContext"]["routeKey"] == "known"


def test_nested_and_joined_names_select_routes(sockets: SocketApi, function: str):
    client = sockets.client
    client.update_api(
        ApiId=sockets.id, RouteSelectionExpression="${request.body.to.room}/${request.body.verb}"
    )
    sockets.route("blue/say", sockets.proxy(function), answers=True)
    sockets.deploy()
    connected = sockets.connect()
    event = told(connected, {"to": {"room": "blue"}, "verb": "say"})
    assert event["requestContext"]["routeKey"] == "blue/say"
    assert told(connected, {"to": {"room": "blue"}})["message"] == "Forbidden"


def test_binary_message_ends_the_connection(echo: SocketApi):
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-binary-media-types.html
    client = echo.connect()
    client.send(b"\x00\x01")
    with pytest.raises(ConnectionClosed) as closed:
        client.recv(timeout=20)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1003


def test_messages_of_up_to_128_kb_pass_in_frames_of_32_kb(echo: SocketApi):
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
    client = echo.connect(max_size=None)
    client.send(["x" * 32_768] * 3)
    assert told(client)["body"] == "x" * 98_304
    client.send("x" * 32_769)
    with pytest.raises(ConnectionClosed) as closed:
        client.recv(timeout=20)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009
    other = echo.connect()
    with contextlib.suppress(ConnectionClosed):
        other.send(["x" * 32_768] * 5)
    with pytest.raises(ConnectionClosed) as closed:
        other.recv(timeout=20)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


def test_new_deployment_serves_open_connections_too(sockets: SocketApi, function: str):
    behind = sockets.proxy(function)
    sockets.route("one", behind, answers=True)
    sockets.deploy()
    client = sockets.connect()
    assert told(client, {"action": "two"})["message"] == "Forbidden"
    sockets.route("two", behind, answers=True)
    assert told(client, {"action": "two"})["message"] == "Forbidden"
    sockets.deploy(StageVariables={"mood": "calm"})
    event = told(client, {"action": "two"})
    assert event["requestContext"]["routeKey"] == "two"
    assert event["stageVariables"] == {"mood": "calm"}
