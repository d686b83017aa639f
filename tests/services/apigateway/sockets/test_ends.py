"""Ends of connections: what `$disconnect` is told, and that no end is forgotten."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.services.apigateway.sockets.conftest import Recorder, SocketApi, told

TELLS = (
    '{"id": "$context.connectionId", "code": "$context.disconnectStatusCode", '
    '"reason": "$context.disconnectReason", "type": "$context.eventType", '
    '"who": "$context.identity.sourceIp"}'
)


def tell_ends(api: SocketApi, recorder: Recorder) -> None:
    """Makes `$disconnect` tell the recorder; messages are answered with the connection's id."""
    teller = api.integration(
        "HTTP",
        IntegrationMethod="POST",
        IntegrationUri=recorder.url,
        RequestTemplates={"$default": TELLS},
    )
    api.route("$disconnect", teller)
    mock = api.integration("MOCK", RequestTemplates={"$default": '{"statusCode": 200}'})
    api.client.create_integration_response(
        ApiId=api.id,
        IntegrationId=mock,
        IntegrationResponseKey="$default",
        ResponseTemplates={"$default": '{"id": "$context.connectionId"}'},
    )
    api.route("$default", mock, answers=True)
    api.deploy()


def end_of(recorder: Recorder) -> dict[str, Any]:
    return json.loads(recorder.asked.get(timeout=20)[3])


@pytest.mark.parametrize(
    ("how", "code", "reason"),
    [
        (lambda client: client.close(4001, "bye"), 4001, "bye"),
        (lambda client: client.close(), 1000, ""),
        (
            lambda client: client.socket.sendall(b"\x88\x80\0\0\0\0"),
            1005,
            "Client-side close frame status not set",
        ),
        (lambda client: client.socket.shutdown(2), 1006, "Connection closed abnormally"),
        (lambda client: client.send(b"\x00"), 1003, "Unsupported Data"),
        (lambda client: client.socket.sendall(b"\x83\x80\0\0\0\0"), 1002, None),
    ],
    ids=["with a reason", "normally", "without a code", "gone", "binary", "a wrong frame"],
)
def test_disconnect_is_told_how_it_ended(
    sockets: SocketApi, recorder: Recorder, how: Any, code: int, reason: str | None
):
    # https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html
    tell_ends(sockets, recorder)
    client = sockets.connect()
    connection = told(client, {})["id"]
    how(client)
    end = end_of(recorder)
    assert (end["id"], end["code"]) == (connection, str(code))
    assert reason is None or end["reason"] == reason
    assert (end["type"], end["who"]) == ("DISCONNECT", "127.0.0.1")


def test_deleted_connection_is_disconnected_too(sockets: SocketApi, recorder: Recorder):
    tell_ends(sockets, recorder)
    connection = told(sockets.connect(), {})["id"]
    sockets.management().delete_connection(ConnectionId=connection)
    assert end_of(recorder)["code"] == "1000"


def test_refused_connection_has_no_end(sockets: SocketApi, recorder: Recorder):
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html
    refusing = sockets.integration("MOCK", RequestTemplates={"$default": '{"statusCode": 403}'})
    made = sockets.route("$connect", refusing)
    tell_ends(sockets, recorder)
    with pytest.raises(Exception, match="403"):
        sockets.connect()
    sockets.client.delete_route(ApiId=sockets.id, RouteId=made)
    sockets.deploy()
    client = sockets.connect()
    connection = told(client, {})["id"]
    client.close()
    assert end_of(recorder)["id"] == connection


def test_ends_are_told_after_a_kill_and_after_a_stop(new_cloud: Any, recorder: Recorder):
    cloud = new_cloud()
    api = fresh_api(cloud)
    tell_ends(api, recorder)
    killed = {told(api.connect(), {})["id"] for _ in range(5)}
    cloud.kill()
    api.opened.close()
    cloud.start()
    ends = [end_of(recorder) for _ in killed]
    assert {end["id"] for end in ends} == killed
    assert {end["code"] for end in ends} == {"1006"}
    api = SocketApi(cloud, cloud.client("apigatewayv2"), api.id)
    with pytest.raises(ClientError) as raised:
        api.management().get_connection(ConnectionId=killed.pop())
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 410
    stopped = told(api.connect(), {})["id"]
    assert cloud.stop() == 0
    api.opened.close()
    end = end_of(recorder)
    assert (end["id"], end["code"]) == (stopped, "1001")
    cloud.start()
    # What was told is not told again: the next end heard is that of a new connection.
    api = SocketApi(cloud, cloud.client("apigatewayv2"), api.id)
    with api.opened:
        client = api.connect()
        connection = told(client, {})["id"]
        client.close()
        assert end_of(recorder)["id"] == connection


def fresh_api(cloud: Any) -> SocketApi:
    """An API of a cloud that the test throws away."""
    client = cloud.client("apigatewayv2")
    made = client.create_api(
        Name="ends", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )
    return SocketApi(cloud, client, made["ApiId"])


def test_connect_that_is_under_way_waits_and_a_client_that_left_is_disconnected(
    sockets: SocketApi, recorder: Recorder
):
    slow = sockets.integration("HTTP", IntegrationMethod="POST", IntegrationUri=recorder.url)
    sockets.route("$connect", slow)
    tell_ends(sockets, recorder)
    with recorder.held():
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            sockets.connect(open_timeout=0.5)
        assert time.monotonic() - began < 5
        assert recorder.asked.get(timeout=20)[0] == "POST"
    assert end_of(recorder)["code"] == "1006"
