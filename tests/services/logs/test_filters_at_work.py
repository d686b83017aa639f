"""Metric filters, embedded metrics and subscriptions, from the event to what comes of it.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import time
import uuid
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Cloud
from tests.services.events.conftest import ACCOUNT, Stand

CODE = """
import boto3, json, os
def handler(event, context):
    print(json.dumps({"status": event.get("status", 0), "_aws": {
        "Timestamp": event.get("at", 0),
        "CloudWatchMetrics": [{"Namespace": event.get("namespace", "x"), "Dimensions": [["app"]],
                               "Metrics": [{"Name": "took", "Unit": "Milliseconds"}]}]},
        "app": "calculator", "took": [5, 7]}))
"""
FORWARD = """
import boto3, json, os
def handler(event, context):
    boto3.client("sqs").send_message(QueueUrl=os.environ["OUT"], MessageBody=json.dumps(event))
"""


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


@pytest.fixture
def logs(cloud: Cloud) -> Any:
    return cloud.client("logs")


@pytest.fixture
def group(logs: Any) -> str:
    name = unique("group")
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    return name


def put(logs: Any, group: str, *messages: str) -> int:
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": message} for message in messages]
    logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)
    return now


def measured(cloud: Cloud, namespace: str, name: str, **dimensions: str) -> dict[str, float]:
    """What is measured until now, once something is."""
    client = cloud.client("cloudwatch")
    until = time.monotonic() + 60
    while time.monotonic() < until:
        points = client.get_metric_statistics(
            Namespace=namespace,
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=time.time() - 3_600,
            EndTime=time.time() + 120,
            Period=86_400,
            Statistics=["Sum", "SampleCount"],
        )["Datapoints"]
        if points:
            return {key: points[0][key] for key in ("Sum", "SampleCount")}
    raise AssertionError("nothing was measured")


def refused(call: Any, **words: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**words)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def transformation(namespace: str, value: str, **more: Any) -> list[dict[str, Any]]:
    return [{"metricName": "m", "metricNamespace": namespace, "metricValue": value, **more}]


def test_a_metric_filter_counts_what_matches(cloud: Cloud, logs: Any, group: str) -> None:
    namespace = unique("count")
    put(logs, group, "ERROR before there was a filter")
    logs.put_metric_filter(
        logGroupName=group,
        filterName="errors",
        filterPattern="ERROR",
        metricTransformations=transformation(namespace, "1", unit="Count"),
    )
    put(logs, group, "ERROR one", "fine", "ERROR two")
    assert measured(cloud, namespace, "m") == {"Sum": 2.0, "SampleCount": 2.0}
    found = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]
    assert found["metricFilterCount"] == 1
    logs.delete_metric_filter(logGroupName=group, filterName="errors")
    put(logs, group, "ERROR three")
    assert measured(cloud, namespace, "m")["Sum"] == 2.0


def test_a_metric_filter_measures_fields_by_dimensions(cloud: Cloud, logs: Any, group: str) -> None:
    namespace = unique("fields")
    logs.put_metric_filter(
        logGroupName=group,
        filterName="json",
        filterPattern='{ $.kind = "request" }',
        metricTransformations=transformation(namespace, "$.took", dimensions={"Path": "$.path"}),
    )
    logs.put_metric_filter(
        logGroupName=group,
        filterName="columns",
        filterPattern="[ip, size > 10]",
        metricTransformations=transformation(f"{namespace}/columns", "$size"),
    )
    logs.put_metric_filter(
        logGroupName=group,
        filterName="default",
        filterPattern="nothing like this",
        metricTransformations=transformation(f"{namespace}/default", "1", defaultValue=0.0),
    )
    put(
        logs,
        group,
        json.dumps({"kind": "request", "path": "/a", "took": 4}),
        json.dumps({"kind": "request", "path": "/a", "took": "6.5"}),
        json.dumps({"kind": "request", "path": "/a", "took": "long"}),
        json.dumps({"kind": "request", "took": 100}),
        "127.0.0.1 20",
        "127.0.0.1 7",
    )
    assert measured(cloud, namespace, "m", Path="/a") == {"Sum": 10.5, "SampleCount": 2.0}
    assert measured(cloud, f"{namespace}/columns", "m")["Sum"] == 20.0
    assert measured(cloud, f"{namespace}/default", "m")["Sum"] == 0.0


def test_metric_filters_are_described_and_tried_out(logs: Any, group: str) -> None:
    namespace = unique("described")
    for name in ("a", "b", "other"):
        logs.put_metric_filter(
            logGroupName=group,
            filterName=name,
            filterPattern="x",
            metricTransformations=transformation(namespace, "1"),
        )
    page = logs.describe_metric_filters(logGroupName=group, limit=2)
    rest = logs.describe_metric_filters(logGroupName=group, limit=2, nextToken=page["nextToken"])
    names = [one["filterName"] for one in page["metricFilters"] + rest["metricFilters"]]
    assert names == ["a", "b", "other"]
    assert "nextToken" not in rest
    of_metric = logs.describe_metric_filters(metricName="m", metricNamespace=namespace)
    assert len(of_metric["metricFilters"]) == 3
    told = logs.test_metric_filter(
        filterPattern="[ip, user, ..., bytes > 5]",
        logEventMessages=["1.2.3.4 me GET / 7", "1.2.3.4 me GET / 3"],
    )["matches"]
    assert told == [
        {
            "eventNumber": 1,
            "eventMessage": "1.2.3.4 me GET / 7",
            "extractedValues": {"$ip": "1.2.3.4", "$user": "me", "$bytes": "7"},
        }
    ]


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("{ broken", transformation("n", "1")),
        ("ERROR", transformation("n", "$.a")),
        ("[a, b]", transformation("n", "$c")),
        ("ERROR", transformation("n", "many")),
        ("ERROR", transformation("AWS/Lambda", "1")),
        ("{ $.a = 1 }", transformation("n", "1", dimensions={"d": "$.a"}, defaultValue=0)),
    ],
)
def test_filters_that_do_not_hold_are_refused(
    logs: Any, group: str, pattern: str, told: Any
) -> None:
    words = {"logGroupName": group, "filterName": "f", "filterPattern": pattern}
    code, _ = refused(logs.put_metric_filter, **words, metricTransformations=told)
    assert code == "InvalidParameterException"


def test_what_is_not_there_is_said_so(logs: Any, group: str) -> None:
    words = {"logGroupName": group, "filterName": "gone"}
    assert refused(logs.delete_metric_filter, **words)[0] == "ResourceNotFoundException"
    assert refused(logs.delete_subscription_filter, **words)[0] == "ResourceNotFoundException"
    code, words_ = refused(
        logs.put_subscription_filter,
        **words,
        filterPattern="",
        destinationArn=f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/s",
    )
    assert code == "InvalidParameterException"
    assert "is not supported by Cumulet" in words_


def function(stand: Stand, code: str, **environment: str) -> str:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("app.py", code)
    name = unique("function")
    stand.cloud.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.11",
        Handler="app.handler",
        Role=stand.role("lambda.amazonaws.com"),
        Code={"ZipFile": archive.getvalue()},
        Environment={"Variables": environment},
    )
    return name


def test_a_functions_output_is_measured_and_sent_on(cloud: Cloud, logs: Any) -> None:
    stand = Stand(cloud)
    functions, namespace = cloud.client("lambda"), unique("embedded")
    name, out = function(stand, CODE), stand.queue()
    group = f"/aws/lambda/{name}"
    receiver = function(stand, FORWARD, OUT=out)
    arn = functions.get_function(FunctionName=receiver)["Configuration"]["FunctionArn"]
    logs.create_log_group(logGroupName=group)
    words = {
        "logGroupName": group,
        "filterName": "f",
        "filterPattern": "{ $.status = 418 }",
        "destinationArn": arn,
    }
    _, said = refused(logs.put_subscription_filter, **words)
    assert said.startswith("Could not execute the lambda function.")
    functions.add_permission(
        FunctionName=receiver,
        StatementId="logs",
        Action="lambda:InvokeFunction",
        Principal="logs.amazonaws.com",
        SourceAccount=ACCOUNT,
        SourceArn=f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{group}:*",
    )
    logs.put_subscription_filter(**words)
    described = logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
    assert [one["destinationArn"] for one in described] == [arn]
    at = int(time.time() * 1000)
    event = {"status": 418, "at": at, "namespace": namespace}
    functions.invoke(FunctionName=name, Payload=json.dumps(event))
    (sent,) = stand.bodies(out)
    told = json.loads(gzip.decompress(base64.b64decode(sent["awslogs"]["data"])))
    assert (told["messageType"], told["owner"], told["logGroup"]) == (
        "DATA_MESSAGE",
        ACCOUNT,
        group,
    )
    assert told["subscriptionFilters"] == ["f"]
    (line,) = told["logEvents"]
    assert json.loads(line["message"])["status"] == 418
    # The embedded metrics of the line were written with it.
    assert measured(cloud, namespace, "took", app="calculator") == {
        "Sum": 12.0,
        "SampleCount": 2.0,
    }
    logs.delete_subscription_filter(logGroupName=group, filterName="f")
    assert not logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"]


def test_a_function_cannot_hear_itself(logs: Any, group: str) -> None:
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:me"
    code, words = refused(
        logs.put_subscription_filter,
        logGroupName="/aws/lambda/me",
        filterName="f",
        filterPattern="",
        destinationArn=arn,
    )
    assert code == "InvalidParameterException"
    assert "its own log group" in words
