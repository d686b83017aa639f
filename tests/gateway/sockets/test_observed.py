"""What WebSocket APIs tell of themselves: metrics, access logs, execution logs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-logging.html
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests.gateway.cast import lambda_says
from tests.gateway.sockets.cast import SCOPE, Scene, stage_of

API, STAGE = ("ApiId", "abc123"), ("Stage", "prod")
SAY = '{"action": "say"}'
GROUP = SCOPE.arn("logs", "log-group:access")


def played(stage: Any, *says: str, answers: Any = None) -> Scene:
    """A client that connects, says this, and leaves."""

    async def play() -> Scene:
        scene = Scene(stage, answers or lambda_says({"statusCode": 200, "body": "back"}))
        await scene.talk(*says)
        return scene

    return asyncio.run(play())


ROUTES: dict[str, dict[str, Any]] = {
    "$connect": {},
    "say": {"RouteResponseSelectionExpression": "$default"},
    "$disconnect": {},
}


def answering(**stage: Any) -> Any:
    routes = {key: dict(route) for key, route in ROUTES.items()}
    routes["say"]["answers"] = True
    return stage_of(routes, stage=stage)


def test_events_are_counted_under_api_and_stage():
    scene = played(answering(), SAY)
    counted: dict[str, list[Any]] = {}
    for name, dimensions, value in scene.written.metrics:
        counted.setdefault(name, []).append(dimensions)
        assert value == 1.0 or name == "IntegrationLatency"
    assert sorted(counted) == ["ConnectCount", "IntegrationLatency", "MessageCount"]
    assert counted["ConnectCount"] == [(API,), (API, STAGE)]
    # One message came and one went.
    assert counted["MessageCount"] == [(API,), (API, STAGE)] * 2
    assert counted["IntegrationLatency"] == [(API,), (API, STAGE)] * 3


def test_detailed_metrics_are_by_route_too():
    stage = answering(RouteSettings={"say": {"DetailedMetricsEnabled": True}})
    found = [one for one in played(stage, SAY).written.metrics if len(one[1]) == 3]
    assert {name for name, _, _ in found} == {"MessageCount", "IntegrationLatency"}
    assert {dimensions for _, dimensions, _ in found} == {(API, STAGE, ("Route", "say"))}


def test_refusal_of_a_backend_is_an_integration_error():
    scene = played(answering(), SAY, answers=status_by_kind)
    names = [name for name, dimensions, _ in scene.written.metrics if dimensions == (API, STAGE)]
    assert names.count("IntegrationError") == 1
    assert "ExecutionError" not in names


def status_by_kind(service: str, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """A function that refuses messages only."""
    kind = json.loads(request["Payload"])["requestContext"]["eventType"]
    answer = {"statusCode": 400 if kind == "MESSAGE" else 200, "body": "x"}
    return {"StatusCode": 200, "Payload": json.dumps(answer).encode()}


def test_access_log_has_a_line_for_every_event():
    form = (
        '{"id": "$context.requestId", "route": "$context.routeKey", "event": "$context.eventType", '
        '"status": "$context.status", "backend": "$context.integrationStatus", '
        '"connection": "$context.connectionId", "ip": "$context.identity.sourceIp", '
        '"error": "$context.error.message", "account": "$context.accountId"}'
    )
    stage = answering(AccessLogSettings={"DestinationArn": GROUP, "Format": form})
    scene = played(stage, SAY, '{"action": "nothing"}')
    assert {group for group, _ in scene.written.lines} == {"access"}
    lines = [json.loads(line) for _, line in scene.written.lines]
    by_event = {(line["event"], line["route"]): line for line in lines}
    assert len(by_event) == len(lines) == 4
    assert {line["account"] for line in lines} == {SCOPE.account}
    assert len({line["connection"] for line in lines}) == 1
    assert len({line["id"] for line in lines}) == 4
    assert by_event["MESSAGE", "say"]["status"] == "200"
    assert by_event["MESSAGE", "say"]["backend"] == "200"
    refused = by_event["MESSAGE", "$default"]
    assert (refused["status"], refused["error"], refused["backend"]) == ("403", "Forbidden", "-")
    assert by_event["DISCONNECT", "$disconnect"]["ip"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        ({}, 0),
        ({"LoggingLevel": "OFF"}, 0),
        ({"LoggingLevel": "ERROR"}, 3),
        ({"LoggingLevel": "INFO"}, 3 + 3 * 4),
        ({"LoggingLevel": "INFO", "DataTraceEnabled": True}, 4 + 5 + 2 * 4),
    ],
)
def test_execution_log_follows_its_level(settings: dict[str, Any], lines: int):
    stage = answering(DefaultRouteSettings=settings)
    scene = played(stage, SAY, '{"action": "nothing"}')
    assert len(scene.written.lines) == lines
    assert {group for group, _ in scene.written.lines} <= {"/aws/apigateway/abc123/prod"}
    said = any('Message: {"action": "say"}' in line for _, line in scene.written.lines)
    assert said is bool(settings.get("DataTraceEnabled"))
