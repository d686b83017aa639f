"""What CloudWatch is told of functions.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
https://docs.aws.amazon.com/lambda/latest/dg/urls-monitoring.html
"""

from __future__ import annotations

import contextlib
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.services.lambda_.conftest import unique
from tests.services.measured import await_figures, figure

SPACE = "AWS/Lambda"
FAILS_WHEN_ASKED = (
    "def handler(event, context):\n"
    "    if event.get('fails'):\n"
    "        raise ValueError('as asked')\n"
    "    return event\n"
)


def test_invocations_are_told_by_function_name_and_executed_version(
    cloud: Any, lam: Any, make: Any
) -> None:
    name = make(FAILS_WHEN_ASKED)
    for text in (b"{}", b"{}", b'{"fails": true}'):
        lam.invoke(FunctionName=name, Payload=text)
    lam.publish_version(FunctionName=name)
    lam.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    lam.invoke(FunctionName=name, Qualifier="1")
    for _ in range(2):
        lam.invoke(FunctionName=name, Qualifier="live")
    function = (("FunctionName", name),)
    plain = (*function, ("Resource", name))
    version = (*function, ("Resource", f"{name}:1"))
    alias = (*function, ("Resource", f"{name}:live"))
    executed = (*alias, ("ExecutedVersion", "1"))
    wanted = {
        ("Invocations", "Sum", function): 6.0,
        ("Invocations", "Sum", plain): 3.0,
        ("Invocations", "Sum", version): 1.0,
        ("Invocations", "Sum", alias): 2.0,
        ("Invocations", "Sum", executed): 2.0,
        ("Errors", "Sum", function): 1.0,
        ("Errors", "SampleCount", function): 6.0,
        ("Errors", "Sum", alias): 0.0,
        ("Throttles", "Sum", function): 0.0,
        ("Duration", "SampleCount", function): 6.0,
        ("Duration", "SampleCount", executed): 2.0,
        ("ConcurrentExecutions", "Maximum", function): 1.0,
        ("ConcurrentExecutions", "Maximum", alias): 1.0,
    }
    await_figures(cloud, SPACE, wanted)
    watch = cloud.client("cloudwatch")
    for metric in ("Invocations", "UnreservedConcurrentExecutions", "ClaimedAccountConcurrency"):
        assert (figure(watch, SPACE, (metric, "Maximum", ())) or 0) >= 1
    listed = watch.list_metrics(
        Namespace=SPACE, Dimensions=[{"Name": "FunctionName", "Value": name}]
    )["Metrics"]
    now = datetime.now(UTC)
    told = watch.get_metric_statistics(
        Namespace=SPACE,
        MetricName="Duration",
        Dimensions=[{"Name": "FunctionName", "Value": name}],
        StartTime=now - timedelta(hours=2),
        EndTime=now + timedelta(minutes=5),
        Period=3600,
        Statistics=["Sum"],
    )["Datapoints"]
    assert {point["Unit"] for point in told} == {"Milliseconds"}
    assert {one["MetricName"] for one in listed} == {
        "Invocations",
        "Errors",
        "Throttles",
        "Duration",
        "ConcurrentExecutions",
    }


def test_a_throttled_invocation_is_no_invocation(cloud: Any, lam: Any, make: Any) -> None:
    name = make()
    lam.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(lam.exceptions.TooManyRequestsException):
        lam.invoke(FunctionName=name)
    function = (("FunctionName", name),)
    await_figures(
        cloud,
        SPACE,
        {
            ("Throttles", "Sum", function): 1.0,
            ("Throttles", "Sum", (*function, ("Resource", name))): 1.0,
        },
    )
    watch = cloud.client("cloudwatch")
    assert figure(watch, SPACE, ("Invocations", "Sum", function)) is None


def test_asynchronous_events_and_what_cannot_be_sent_on(cloud: Any, lam: Any, make: Any) -> None:
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=unique("gone"))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    name = make(FAILS_WHEN_ASKED, DeadLetterConfig={"TargetArn": arn})
    lam.put_function_event_invoke_config(
        FunctionName=name,
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": arn}},
    )
    sqs.delete_queue(QueueUrl=url)
    for text in (b"{}", b'{"fails": true}'):
        lam.invoke(FunctionName=name, InvocationType="Event", Payload=text)
    function = (("FunctionName", name),)
    await_figures(
        cloud,
        SPACE,
        {
            ("AsyncEventsReceived", "Sum", function): 2.0,
            ("AsyncEventAge", "SampleCount", function): 2.0,
            ("AsyncEventsDropped", "Sum", function): 1.0,
            ("DestinationDeliveryFailures", "Sum", function): 1.0,
            ("DeadLetterErrors", "Sum", function): 1.0,
            ("Invocations", "Sum", function): 2.0,
            ("Errors", "Sum", function): 1.0,
        },
    )


def test_requests_to_a_function_url_are_told(cloud: Any, lam: Any, make: Any) -> None:
    name = make()
    url = lam.create_function_url_config(FunctionName=name, AuthType="AWS_IAM")["FunctionUrl"]
    request = urllib.request.Request(cloud.endpoint, headers={"Host": urlsplit(url).netloc})
    with contextlib.suppress(urllib.error.HTTPError):
        urllib.request.urlopen(request, timeout=60)
    function = (("FunctionName", name),)
    await_figures(
        cloud,
        SPACE,
        {
            ("UrlRequestCount", "Sum", function): 1.0,
            ("Url4xxCount", "Sum", (*function, ("Resource", f"{name}:$LATEST"))): 1.0,
            ("Url5xxCount", "Sum", function): 0.0,
            ("UrlRequestLatency", "SampleCount", function): 1.0,
        },
    )
