"""Events of connections, messages and ends, held against those that AWS shows."""

from __future__ import annotations

from cumulet.core.clock import ManualClock
from cumulet.core.http import Headers, Request
from cumulet.services.apigateway.v2.sockets.connections.model import Connection
from cumulet.services.apigateway.v2.sockets.event import (
    CONNECT,
    DISCONNECT,
    Happening,
    new_id,
    proxy_event,
    read_handshake,
    request_context,
)

RECORD = Connection(
    id="L0SM9cOFvHcCIhw=",
    node="n",
    account="123456789012",
    region="eu-west-1",
    api_id="abcd1234",
    stage="prod",
    domain="abcd1234.execute-api.localhost:4566",
    connected_at_ms=1_707_502_303_419,
    identity={"sourceIp": "192.0.2.1"},
)
HEADERS = [
    ("host", "abcd1234.execute-api.localhost:4566"),
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("X-Forwarded-For", "198.51.100.1"),
    ("X-Two", "a"),
    ("X-Two", "b"),
]


def handshake(query: str = "") -> Request:
    return Request("GET", "/prod", query, Headers(HEADERS), peer="192.0.2.1")


def test_connect_event_is_as_aws_shows_it():
    # https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html
    context = request_context(RECORD, CONNECT, "$connect", "r=", 1_707_502_303_420)
    read = read_handshake(handshake(), "Root=1-0-0")
    event = proxy_event(Happening(RECORD, CONNECT, context, "", read), {})
    assert event == {
        "headers": {
            "Host": "abcd1234.execute-api.localhost:4566",
            "Sec-WebSocket-Version": "13",
            "X-Two": "b",
            "X-Amzn-Trace-Id": "Root=1-0-0",
            "X-Forwarded-For": "198.51.100.1, 192.0.2.1",
            "X-Forwarded-Port": "4566",
            "X-Forwarded-Proto": "http",
        },
        "multiValueHeaders": {
            "Host": ["abcd1234.execute-api.localhost:4566"],
            "Sec-WebSocket-Version": ["13"],
            "X-Two": ["a", "b"],
            "X-Amzn-Trace-Id": ["Root=1-0-0"],
            "X-Forwarded-For": ["198.51.100.1, 192.0.2.1"],
            "X-Forwarded-Port": ["4566"],
            "X-Forwarded-Proto": ["http"],
        },
        "requestContext": {
            "routeKey": "$connect",
            "eventType": "CONNECT",
            "extendedRequestId": "r=",
            "requestTime": "09/Feb/2024:18:11:43 +0000",
            "messageDirection": "IN",
            "stage": "prod",
            "connectedAt": 1_707_502_303_419,
            "requestTimeEpoch": 1_707_502_303_420,
            "identity": {"sourceIp": "192.0.2.1"},
            "requestId": "r=",
            "domainName": "abcd1234.execute-api.localhost:4566",
            "connectionId": "L0SM9cOFvHcCIhw=",
            "apiId": "abcd1234",
        },
        "isBase64Encoded": False,
    }


def test_query_is_there_when_there_is_one():
    read = read_handshake(handshake("a=1&a=2&b=x%20y+z&c"), "")
    assert read.query == {"a": "2", "b": "x y z", "c": ""}
    assert read.many_query == {"a": ["1", "2"], "b": ["x y z"], "c": [""]}


def test_disconnect_event_is_as_aws_shows_it():
    # https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html
    context = request_context(
        RECORD, DISCONNECT, "$disconnect", "r=", 0, disconnectStatusCode=1005, disconnectReason="x"
    )
    event = proxy_event(Happening(RECORD, DISCONNECT, context), {"mood": "calm"})
    assert event["headers"] == {
        "Host": "abcd1234.execute-api.localhost:4566",
        "x-api-key": "",
        "X-Forwarded-For": "",
        "x-restapi": "",
    }
    assert event["multiValueHeaders"]["x-restapi"] == [""]
    assert event["requestContext"]["disconnectStatusCode"] == 1005
    assert event["stageVariables"] == {"mood": "calm"}
    assert "body" not in event


def test_ids_are_of_aws_form_and_differ():
    clock = ManualClock()
    ids = {new_id(clock) for _ in range(100)}
    assert len(ids) == 100
    assert all(len(one) == 16 and one.endswith("=") and "/" not in one for one in ids)
