"""Metrics by boto3: put, listed, told by period, in each of the three protocols."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Cloud

FIGURES = ["Sum", "SampleCount", "Minimum", "Maximum", "Average"]
PROTOCOLS = ("smithy-rpc-v2-cbor", "json", "query")


@pytest.fixture(params=PROTOCOLS)
def metrics(cloud: Cloud, request: pytest.FixtureRequest) -> Any:
    """A client that speaks one protocol, whatever botocore would choose."""
    session = cloud.session()
    loader = session._loader  # type: ignore[attr-defined]
    load = loader.load_service_model

    def load_one(service: str, kind: str, *rest: Any, **named: Any) -> Any:
        model = load(service, kind, *rest, **named)
        if kind == "service-2" and service == "cloudwatch":
            metadata = {**model["metadata"], "protocol": request.param}
            metadata["protocols"] = [request.param]
            model = {**model, "metadata": metadata}
        return model

    loader.load_service_model = load_one
    return session.client("cloudwatch", endpoint_url=cloud.endpoint)


@pytest.fixture
def namespace() -> str:
    return f"Tests/{uuid.uuid4().hex}"


def sums(metrics: Any, namespace: str, name: str, begin: float, **more: Any) -> list[Any]:
    answer = metrics.get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        StartTime=begin,
        EndTime=begin + 600,
        Period=60,
        **(more if "ExtendedStatistics" in more else {**more, "Statistics": FIGURES}),
    )
    return sorted(answer["Datapoints"], key=lambda one: one["Timestamp"])


def refusal(call: Any, **words: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**words)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_what_was_put_is_told_by_minute(metrics: Any, namespace: str) -> None:
    begin = int(time.time()) // 60 * 60 - 300
    for offset, value in ((0, 1.0), (30, 3.0), (60, 5.0)):
        metrics.put_metric_data(
            Namespace=namespace,
            MetricData=[
                {
                    "MetricName": "Load",
                    "Dimensions": [{"Name": "Host", "Value": "a"}],
                    "Timestamp": begin + offset,
                    "Value": value,
                    "Unit": "Percent",
                }
            ],
        )
    with_host = {"Dimensions": [{"Name": "Host", "Value": "a"}]}
    first, second = sums(metrics, namespace, "Load", begin, **with_host)
    assert first["Timestamp"].timestamp() == begin
    assert (first["Sum"], first["SampleCount"], first["Average"]) == (4.0, 2.0, 2.0)
    assert (first["Minimum"], first["Maximum"], first["Unit"]) == (1.0, 3.0, "Percent")
    assert second["Sum"] == 5.0
    # A metric without that dimension is another one: AWS does not add dimensions up.
    assert sums(metrics, namespace, "Load", begin) == []


def test_percentiles_come_from_values_with_counts(metrics: Any, namespace: str) -> None:
    begin = int(time.time()) // 60 * 60 - 300
    metrics.put_metric_data(
        Namespace=namespace,
        MetricData=[
            {
                "MetricName": "Wait",
                "Timestamp": begin,
                "Values": [1.0, 2.0, 3.0, 100.0],
                "Counts": [25.0, 25.0, 49.0, 1.0],
            }
        ],
    )
    answer = sums(metrics, namespace, "Wait", begin, ExtendedStatistics=["p50", "p90", "p100"])
    told = answer[0]["ExtendedStatistics"]
    assert told == {"p50": 2.5, "p90": 3.0, "p100": 100.0}


def test_metric_data_of_several_metrics_at_once(metrics: Any, namespace: str) -> None:
    begin = int(time.time()) // 60 * 60 - 300
    metrics.put_metric_data(
        Namespace=namespace,
        MetricData=[
            {"MetricName": name, "Timestamp": begin + offset, "Value": value}
            for name, offset, value in (("A", 0, 1.0), ("A", 60, 2.0), ("B", 0, 7.0))
        ],
    )
    queries = [
        {
            "Id": name.lower(),
            "MetricStat": {
                "Metric": {"Namespace": namespace, "MetricName": name},
                "Period": 60,
                "Stat": "Sum",
            },
        }
        for name in ("A", "B", "C")
    ]
    words = {"MetricDataQueries": queries, "StartTime": begin, "EndTime": begin + 300}
    answer = metrics.get_metric_data(**words)["MetricDataResults"]
    assert [(one["Id"], one["Values"]) for one in answer] == [
        ("a", [2.0, 1.0]),
        ("b", [7.0]),
        ("c", []),
    ]
    ascending = metrics.get_metric_data(**words, ScanBy="TimestampAscending")
    assert ascending["MetricDataResults"][0]["Values"] == [1.0, 2.0]
    paged = metrics.get_paginator("get_metric_data").paginate(**words, MaxDatapoints=1)
    values = [
        (one["Id"], value)
        for page in paged
        for one in page["MetricDataResults"]
        for value in one["Values"]
    ]
    assert values == [("a", 2.0), ("a", 1.0), ("b", 7.0)]


def test_metrics_are_listed_by_name_and_dimensions(metrics: Any, namespace: str) -> None:
    for name, host in (("A", "x"), ("A", "y"), ("B", "x")):
        metrics.put_metric_data(
            Namespace=namespace,
            MetricData=[
                {"MetricName": name, "Dimensions": [{"Name": "Host", "Value": host}], "Value": 1.0}
            ],
        )

    def listed(**words: Any) -> list[tuple[str, str]]:
        found = metrics.list_metrics(Namespace=namespace, **words)["Metrics"]
        return sorted((one["MetricName"], one["Dimensions"][0]["Value"]) for one in found)

    assert listed() == [("A", "x"), ("A", "y"), ("B", "x")]
    assert listed(MetricName="A") == [("A", "x"), ("A", "y")]
    assert listed(Dimensions=[{"Name": "Host", "Value": "x"}]) == [("A", "x"), ("B", "x")]
    assert listed(Dimensions=[{"Name": "Host"}], MetricName="B") == [("B", "x")]
    assert listed(Dimensions=[{"Name": "Zone"}]) == []


# The words are those that localstack's recorded answers of AWS hold
# (tests/aws/services/cloudwatch/test_cloudwatch.snapshot.json, test_put_metric_data_validation,
# test_invalid_amount_of_datapoints).
def test_values_that_exclude_one_another_are_refused(metrics: Any, namespace: str) -> None:
    def put(**datum: Any) -> tuple[str, str]:
        data = [{"MetricName": "A", **datum}]
        return refusal(metrics.put_metric_data, Namespace=namespace, MetricData=data)

    assert put(Value=1.0, Values=[1.0]) == (
        "InvalidParameterCombination",
        "The parameters MetricData.member.1.Value and MetricData.member.1.Values are mutually "
        "exclusive and you have specified both.",
    )
    statistics = {"SampleCount": 1.0, "Sum": 1.0, "Minimum": 1.0, "Maximum": 1.0}
    assert put(Value=1.0, StatisticValues=statistics)[0] == "InvalidParameterCombination"
    assert put(Values=[1.0, 2.0], Counts=[1.0]) == (
        "InvalidParameterValue",
        "The parameters MetricData.member.1.Values and MetricData.member.1.Counts must be of the "
        "same size.",
    )
    assert put()[0] == "MissingParameter"
    assert put(Value=1.0, Timestamp=time.time() - 30 * 86_400)[0] == "InvalidParameterValue"
    assert metrics.list_metrics(Namespace=namespace)["Metrics"] == []


def test_a_span_with_too_many_points_is_refused(metrics: Any, namespace: str) -> None:
    words = {"Namespace": namespace, "MetricName": "A", "Period": 1, "Statistics": ["Sum"]}
    now = int(time.time())
    assert refusal(
        metrics.get_metric_statistics, StartTime=now - 3600, EndTime=now + 82_800, **words
    ) == (
        "InvalidParameterCombination",
        "You have requested up to 86400 datapoints, which exceeds the limit of 1440. You may "
        "reduce the datapoints requested by increasing Period, or decreasing the time range.",
    )
    assert refusal(metrics.get_metric_statistics, StartTime=now, EndTime=now, **words) == (
        "InvalidParameterValue",
        "The parameter StartTime must be less than the parameter EndTime.",
    )


def test_what_is_not_there_is_refused_by_name(metrics: Any, namespace: str) -> None:
    assert refusal(
        metrics.put_metric_data,
        Namespace="AWS/Lambda",
        MetricData=[{"MetricName": "Errors", "Value": 0.0}],
    ) == ("InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid.")
    now = time.time()
    code, words = refusal(
        metrics.get_metric_data,
        MetricDataQueries=[{"Id": "e", "Expression": "1 + 1", "Period": 60}],
        StartTime=now - 60,
        EndTime=now,
    )
    assert code == "ValidationError"
    assert words == "Error in expression 'e': the value is not a time series."
    assert refusal(metrics.list_metrics, NextToken="nonsense")[0] == "InvalidParameterValue"


def test_metrics_of_another_region_are_not_seen(cloud: Cloud, namespace: str) -> None:
    here = cloud.client("cloudwatch", region="eu-west-1")
    here.put_metric_data(Namespace=namespace, MetricData=[{"MetricName": "A", "Value": 1.0}])
    assert cloud.client("cloudwatch").list_metrics(Namespace=namespace)["Metrics"] == []
    assert here.list_metrics(Namespace=namespace)["Metrics"]


def test_a_policy_can_hold_a_caller_to_a_namespace(cloud: Cloud, namespace: str) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/iam-cw-condition-keys-namespace.html"""
    iam = cloud.client("iam")
    name = f"metrics-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    statement = {
        "Effect": "Allow",
        "Action": "cloudwatch:PutMetricData",
        "Resource": "*",
        "Condition": {"StringEquals": {"cloudwatch:namespace": namespace}},
    }
    iam.put_user_policy(
        UserName=name,
        PolicyName="one",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    key = iam.create_access_key(UserName=name)["AccessKey"]
    held = cloud.client("cloudwatch", key=(key["AccessKeyId"], key["SecretAccessKey"]))
    data = [{"MetricName": "A", "Value": 1.0}]
    held.put_metric_data(Namespace=namespace, MetricData=data)
    refused = refusal(held.put_metric_data, Namespace="Other", MetricData=data)
    assert refused[0] in ("AccessDenied", "AccessDeniedException")
