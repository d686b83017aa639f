"""What operators hear of WebSocket APIs: lines of logs, and metrics."""

from __future__ import annotations

import contextlib
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.services.apigateway.sockets.conftest import SocketApi, socket_api, told


def lines_of(cloud: Any, group: str, least: int) -> list[str]:
    """The lines of a log group, once there are as many."""
    logs = cloud.client("logs")
    found: list[str] = []
    for _ in range(300):
        with contextlib.suppress(logs.exceptions.ResourceNotFoundException):
            events = logs.filter_log_events(logGroupName=group)["events"]
            found = [one["message"] for one in events]
        if len(found) >= least:
            break
    return found


def test_access_and_execution_logs_are_written(sockets: SocketApi):
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-logging.html
    group = f"sockets-{uuid.uuid4().hex[:10]}"
    cloud: Any = sockets.cloud
    cloud.client("logs").create_log_group(logGroupName=group)
    mock = sockets.integration("MOCK", RequestTemplates={"$default": '{"statusCode": 200}'})
    sockets.route("$connect", mock)
    sockets.deploy(
        AccessLogSettings={
            "DestinationArn": f"arn:aws:logs:us-east-1:000000000000:log-group:{group}",
            "Format": '{"id": "$context.requestId", "event": "$context.eventType", '
            '"status": "$context.status", "error": "$context.error.message"}',
        },
        DefaultRouteSettings={"LoggingLevel": "INFO", "DataTraceEnabled": True},
    )
    client = sockets.connect()
    assert told(client, {"action": "none"})["message"] == "Forbidden"
    lines = [json.loads(line) for line in lines_of(cloud, group, 2)]
    assert [(line["event"], line["status"], line["error"]) for line in lines] == [
        ("CONNECT", "200", "-"),
        ("MESSAGE", "403", "Forbidden"),
    ]
    said = lines_of(cloud, f"/aws/apigateway/{sockets.id}/prod", 8)
    assert any(line.endswith('Message: {"action": "none"}') for line in said)
    assert any(line.endswith("Execution failed due to: Forbidden") for line in said)


def test_messages_are_counted(new_cloud: Any):
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-logging.html
    cloud = new_cloud()
    with socket_api(cloud) as sockets:
        mock = sockets.integration("MOCK", RequestTemplates={"$default": '{"statusCode": 200}'})
        sockets.route("$connect", mock)
        sockets.route("say", mock)
        sockets.deploy()
        client = sockets.connect()
        for _ in range(3):
            client.send('{"action": "say"}')
        assert told(client, {"action": "none"})["message"] == "Forbidden"
        connection = told(client, {"action": "none"})["connectionId"]
        sockets.management().post_to_connection(ConnectionId=connection, Data=b"hello")
    # What was gathered is written when the cloud stops.
    assert cloud.stop() == 0
    cloud.start()
    metrics = cloud.client("cloudwatch")
    now = datetime.now(UTC)

    def counted(name: str) -> float:
        found = metrics.get_metric_statistics(
            Namespace="AWS/ApiGateway",
            MetricName=name,
            Dimensions=[{"Name": "ApiId", "Value": sockets.id}, {"Name": "Stage", "Value": "prod"}],
            StartTime=now - timedelta(minutes=5),
            EndTime=now + timedelta(minutes=5),
            Period=3_600,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(point["Sum"] for point in found)

    # Three and two came, and one went.
    assert counted("MessageCount") == 6
    assert counted("ConnectCount") == 1
    assert counted("ClientError") == 2
    assert counted("ExecutionError") == 0
