"""Throttles, access logs and metrics of HTTP APIs.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
"""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest

TOO_MANY = (429, b'{"message":"Too Many Requests"}')


def throttle(v2, api, **settings):
    v2.update_stage(ApiId=api.id, StageName="$default", **settings)


def test_a_burst_is_let_through_and_no_more(v2, http_api, backend):
    http_api.route("GET /x", http_api.http(backend.url))
    http_api.route("GET /y", http_api.http(backend.url))
    few = {"ThrottlingRateLimit": 0.001, "ThrottlingBurstLimit": 3}
    throttle(v2, http_api, DefaultRouteSettings=few)
    answers = [http_api.call("GET", "/x") for _ in range(5)]
    assert [one.status for one in answers] == [200, 200, 200, 429, 429]
    assert (answers[-1].status, answers[-1].body) == TOO_MANY
    assert "apigw-requestid" in answers[-1].headers
    # Each route has the stage's rate for itself.
    assert http_api.call("GET", "/y").status == 200


def test_a_routes_own_settings_go_before_the_stages(v2, http_api, backend):
    http_api.route("GET /x", http_api.http(backend.url))
    throttle(
        v2,
        http_api,
        RouteSettings={"GET /x": {"ThrottlingBurstLimit": 0, "ThrottlingRateLimit": 0.0}},
    )
    answer = http_api.call("GET", "/x")
    assert (answer.status, answer.body) == TOO_MANY
    v2.delete_route_settings(ApiId=http_api.id, StageName="$default", RouteKey="GET /x")
    assert http_api.call("GET", "/x").status == 200


@pytest.fixture
def logged(cloud, v2, http_api):
    """Makes the stage write access logs; gives what is written, once there is something."""
    logs = cloud.client("logs")
    group = f"http-{uuid.uuid4().hex[:8]}"
    logs.create_log_group(logGroupName=group)

    def use(form: str):
        v2.update_stage(
            ApiId=http_api.id,
            StageName="$default",
            AccessLogSettings={
                "DestinationArn": f"arn:aws:logs:us-east-1:000000000000:log-group:{group}",
                "Format": form,
            },
        )

        def lines(count: int) -> list[str]:
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                events = logs.filter_log_events(logGroupName=group)["events"]
                if len(events) >= count:
                    return [one["message"] for one in events]
            raise AssertionError(f"{count} lines did not come")

        return lines

    yield use
    logs.delete_log_group(logGroupName=group)


def test_a_line_tells_of_each_request(http_api, backend, logged):
    http_api.route("GET /pets/{id}", http_api.http(backend.url))
    names = [
        "requestId",
        "routeKey",
        "httpMethod",
        "path",
        "status",
        "stage",
        "apiId",
        "protocol",
        "identity.sourceIp",
        "identity.userAgent",
        "integrationStatus",
        "responseLength",
        "error.message",
        "error.responseType",
        "integrationErrorMessage",
        "domainName",
    ]
    lines = logged(json.dumps({name: f"$context.{name}" for name in names}))
    good = http_api.call("GET", "/pets/1", headers={"User-Agent": 'me "quoted"'})
    lost = http_api.call("GET", "/nothing")
    first, second = (json.loads(line) for line in lines(2))
    size = first.pop("responseLength")
    assert size == str(len(good.body))
    assert first == {
        "requestId": good.headers["apigw-requestid"],
        "routeKey": "GET /pets/{id}",
        "httpMethod": "GET",
        "path": "/pets/1",
        "status": "200",
        "stage": "$default",
        "apiId": http_api.id,
        "protocol": "HTTP/1.1",
        "identity.sourceIp": "127.0.0.1",
        "identity.userAgent": 'me "quoted"',
        "integrationStatus": "200",
        "error.message": "-",
        "error.responseType": "-",
        "integrationErrorMessage": "-",
        "domainName": f"{http_api.id}.execute-api.localhost",
    }
    assert second["requestId"] == lost.headers["apigw-requestid"]
    assert (second["status"], second["routeKey"]) == ("404", "-")
    assert second["error.message"] == "Not Found"


def test_a_line_tells_why_a_backend_failed(http_api, function, logged):
    http_api.route("GET /x", http_api.function(function))
    lines = logged("$context.requestId|$context.status|$context.integrationErrorMessage")
    http_api.call("GET", "/x", headers={"x-crash": "1"})
    [line] = lines(1)
    assert line.split("|")[1:] == ["500", "The function failed: crashed"]


def test_metrics_count_requests_by_api_and_stage(cloud, v2, http_api, backend):
    http_api.route("GET /x", http_api.http(backend.url))
    throttle(v2, http_api, RouteSettings={"GET /x": {"DetailedMetricsEnabled": True}})
    for path in ("/x", "/x", "/nothing"):
        http_api.call("GET", path)
    client = cloud.client("cloudwatch")
    now = datetime.now(UTC)

    def total(name: str, statistic: str = "Sum", **dimensions: str) -> float:
        found = client.get_metric_statistics(
            Namespace="AWS/ApiGateway",
            MetricName=name,
            Dimensions=[
                {"Name": key, "Value": value}
                for key, value in {"ApiId": http_api.id, **dimensions}.items()
            ],
            StartTime=now - timedelta(minutes=5),
            EndTime=now + timedelta(minutes=5),
            Period=60,
            Statistics=[statistic],
        )["Datapoints"]
        return sum(one[statistic] for one in found)

    deadline = time.monotonic() + 90
    while total("Count") < 3 and time.monotonic() < deadline:
        pass
    assert total("Count") == 3
    assert total("Count", Stage="$default") == 3
    assert total("4xx") == 1
    assert total("5xx") == 0
    assert total("Count", Stage="$default", Method="GET", Resource="/x") == 2
    assert total("Latency", "SampleCount") == 3
    assert total("IntegrationLatency", "SampleCount") == 2
    assert total("DataProcessed") > 0
