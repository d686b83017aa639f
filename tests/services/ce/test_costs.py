"""What is used is counted, priced and answered by Cost Explorer; it survives a kill."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

WAIT_SECONDS = 60
CODE = "def handler(event, context):\n    return {'statusCode': 200, 'body': 'x'}\n"


def period() -> dict[str, str]:
    """The last month and this one: the day may turn while a test runs."""
    today = datetime.now(UTC).date()
    begin = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    end = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    return {"Start": begin.isoformat(), "End": end.isoformat()}


def grouped(ce: Any, *keys: str, **more: Any) -> dict[tuple[str, ...], tuple[float, float]]:
    """Amount and cost by the values of dimensions, over all the time."""
    found: dict[tuple[str, ...], tuple[float, float]] = {}
    answer = ce.get_cost_and_usage_with_resources(
        TimePeriod=period(),
        Granularity="MONTHLY",
        Metrics=["UsageQuantity", "UnblendedCost"],
        GroupBy=[{"Type": "DIMENSION", "Key": key} for key in keys],
        **{"Filter": {}, **more},
    )
    for step in answer["ResultsByTime"]:
        for group in step["Groups"]:
            amount, cost = (
                float(group["Metrics"][name]["Amount"])
                for name in ("UsageQuantity", "UnblendedCost")
            )
            before = found.get(tuple(group["Keys"]), (0.0, 0.0))
            found[tuple(group["Keys"])] = (before[0] + amount, before[1] + cost)
    return found


def of_resource(ce: Any, arn: str) -> dict[str, tuple[float, float]]:
    """Amount and cost by usage type of one resource."""
    only = {"Dimensions": {"Key": "RESOURCE_ID", "Values": [arn]}}
    return {kind: pair for (kind,), pair in grouped(ce, "USAGE_TYPE", Filter=only).items()}


@pytest.fixture(scope="module")
def ce(cloud: Any) -> Any:
    return cloud.client("ce")


def package() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("app.py", CODE)
    return sink.getvalue()


@pytest.fixture(scope="module")
def function(cloud: Any) -> Iterator[str]:
    trust = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        },
    }
    iam, client = cloud.client("iam"), cloud.client("lambda")
    role = iam.create_role(RoleName="ce-costs", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    made = client.create_function(
        FunctionName="ce-costs",
        Role=role["Arn"],
        Runtime="python3.11",
        Handler="app.handler",
        MemorySize=256,
        Code={"ZipFile": package()},
    )
    yield made["FunctionArn"]
    client.delete_function(FunctionName="ce-costs")
    iam.delete_role(RoleName="ce-costs")


def test_an_invocation_is_a_request_and_gigabyte_seconds(
    cloud: Any, ce: Any, function: str
) -> None:
    answer = cloud.client("lambda").invoke(FunctionName="ce-costs", LogType="Tail")
    assert answer["StatusCode"] == 200
    used = of_resource(ce, function)
    amount, cost = used["Request"]
    assert (amount, cost) == (1, pytest.approx(2e-7))
    amount, cost = used["Lambda-GB-Second"]
    assert amount == pytest.approx(round(amount * 4000) / 4000)
    assert amount > 0
    assert cost == pytest.approx(amount * 0.0000166667, rel=1e-3)


def test_an_on_demand_table_is_charged_by_units(cloud: Any, ce: Any) -> None:
    db = cloud.client("dynamodb")
    arn = db.create_table(
        TableName="ce-costs",
        KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )["TableDescription"]["TableArn"]
    db.put_item(TableName="ce-costs", Item={"p": {"S": "a"}, "v": {"S": "x" * 1500}})
    db.get_item(TableName="ce-costs", Key={"p": {"S": "a"}})
    used = of_resource(ce, arn)
    until = time.monotonic() + WAIT_SECONDS  # Tables tell what they used once a second.
    while len(used) < 2 and time.monotonic() < until:
        used = of_resource(ce, arn)
    assert used["WriteRequestUnits"] == (2, pytest.approx(2 * 6.25e-7))
    assert used["ReadRequestUnits"] == (0.5, pytest.approx(0.5 * 1.25e-7))
    db.delete_table(TableName="ce-costs")


def test_a_queue_is_charged_for_each_64_kilobytes(cloud: Any, ce: Any) -> None:
    sqs = cloud.client("sqs")
    for name, attributes in (("ce-costs", {}), ("ce-costs.fifo", {"FifoQueue": "true"})):
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        group = {"MessageGroupId": "g", "MessageDeduplicationId": "d"} if attributes else {}
        sqs.send_message(QueueUrl=url, MessageBody="x" * 65_537, **group)
        arn = f"arn:aws:sqs:us-east-1:000000000000:{name}"
        used = of_resource(ce, arn)
        kind, price = ("Requests-FIFO-Tier1", 5e-7) if attributes else ("Requests-Tier1", 4e-7)
        # One made the queue, two sent the message.
        assert used == {kind: (3, pytest.approx(3 * price))}
        sqs.delete_queue(QueueUrl=url)


def test_a_bucket_is_charged_by_class_and_for_what_leaves_it(cloud: Any, ce: Any) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="ce-costs")
    s3.put_object(Bucket="ce-costs", Key="k", Body=b"x" * 1_048_576)
    s3.get_object(Bucket="ce-costs", Key="k")["Body"].read()
    s3.delete_object(Bucket="ce-costs", Key="k")
    used = of_resource(ce, "arn:aws:s3:::ce-costs")
    assert used["Requests-Tier1"][0] == 2
    assert used["Requests-Tier2"][0] == 1
    assert used["DataTransfer-Out-Bytes"] == (1 / 1024, pytest.approx(0.09 / 1024))
    s3.delete_bucket(Bucket="ce-costs")


def test_topics_events_logs_and_metrics_are_counted(cloud: Any, ce: Any) -> None:
    sns, events, logs = (cloud.client(name) for name in ("sns", "events", "logs"))
    topic = sns.create_topic(Name="ce-costs")["TopicArn"]
    sns.publish(TopicArn=topic, Message="x" * 70_000)
    events.put_events(Entries=[{"Source": "a", "DetailType": "b", "Detail": "{}"}])
    logs.create_log_group(logGroupName="ce-costs")
    logs.create_log_stream(logGroupName="ce-costs", logStreamName="s")
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    logs.put_log_events(
        logGroupName="ce-costs",
        logStreamName="s",
        logEvents=[{"timestamp": now_ms, "message": "x" * 1000}],
    )
    cloud.client("cloudwatch").put_metric_data(
        Namespace="Costs", MetricData=[{"MetricName": "m", "Value": 1.0}]
    )
    place = "us-east-1:000000000000"
    assert of_resource(ce, topic)["Requests-Tier1"][0] == 2
    bus = of_resource(ce, f"arn:aws:events:{place}:event-bus/default")
    assert bus["Event-64K-Chunks"][0] >= 1
    group = of_resource(ce, f"arn:aws:logs:{place}:log-group:ce-costs:*")
    assert group["USE1-DataProcessing-Bytes"][0] == pytest.approx(1026 / 2**30, rel=1e-6)
    assert of_resource(ce, f"arn:aws:cloudwatch:{place}:metric/Costs")["CW:Requests"][0] == 1
    logs.delete_log_group(logGroupName="ce-costs")
    sns.delete_topic(TopicArn=topic)


def test_every_grouping_has_the_same_total(ce: Any, cloud: Any) -> None:
    cloud.client("sqs").list_queues()
    whole = ce.get_cost_and_usage(
        TimePeriod=period(), Granularity="MONTHLY", Metrics=["UnblendedCost", "BlendedCost"]
    )
    total = sum(float(step["Total"]["UnblendedCost"]["Amount"]) for step in whole["ResultsByTime"])
    assert total > 0
    assert all(step["Estimated"] for step in whole["ResultsByTime"])
    for key in ("SERVICE", "RESOURCE_ID", "REGION", "OPERATION", "LINKED_ACCOUNT"):
        parts = sum(cost for _, cost in grouped(ce, key).values())
        # Other tests of this cloud may use something in between.
        assert parts >= total * (1 - 1e-6)


def test_the_dates_of_prices_come_with_services(ce: Any, cloud: Any) -> None:
    cloud.client("sqs").list_queues()
    answer = ce.get_cost_and_usage(
        TimePeriod=period(),
        Granularity="DAILY",
        Metrics=["UnblendedCost"],
        GroupBy=[{"Type": "DIMENSION", "Key": "SERVICE"}],
    )
    told = {one["Value"]: one["Attributes"] for one in answer["DimensionValueAttributes"]}
    queue = told["Amazon Simple Queue Service"]
    assert queue["pricesFrom"] <= queue["pricesTo"]
    assert int(queue["prices"]) >= 1


def test_tags_are_grouped_as_where_none_is_activated(ce: Any, cloud: Any) -> None:
    """https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/cost-alloc-tags.html"""
    cloud.client("sqs").list_queues()
    answer = ce.get_cost_and_usage(
        TimePeriod=period(),
        Granularity="MONTHLY",
        Metrics=["UnblendedCost"],
        GroupBy=[{"Type": "TAG", "Key": "team"}],
    )
    keys = {tuple(group["Keys"]) for step in answer["ResultsByTime"] for group in step["Groups"]}
    assert keys == {("team$",)}


def test_filters_are_combined(ce: Any, cloud: Any) -> None:
    cloud.client("sqs").list_queues()
    queues = {"Dimensions": {"Key": "SERVICE", "Values": ["Amazon Simple Queue Service"]}}
    here = {"Dimensions": {"Key": "REGION", "Values": ["us-east-1"]}}
    assert set(grouped(ce, "SERVICE", Filter={"And": [queues, here]})) == {
        ("Amazon Simple Queue Service",)
    }
    assert ("Amazon Simple Queue Service",) not in grouped(ce, "SERVICE", Filter={"Not": queues})
    assert not grouped(ce, "SERVICE", Filter={"Tags": {"Key": "team", "Values": ["a"]}})


def test_dimension_values_are_those_that_were_used(ce: Any, cloud: Any) -> None:
    cloud.client("sqs").list_queues()
    answer = ce.get_dimension_values(TimePeriod=period(), Dimension="SERVICE", SearchString="queue")
    assert [one["Value"] for one in answer["DimensionValues"]] == ["Amazon Simple Queue Service"]
    assert (answer["ReturnSize"], answer["TotalSize"]) == (1, 1)


def day(offset: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=offset)).isoformat()


def refusal(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


# The words of these are what callers of AWS report: https://github.com/aws/aws-sdk-js/issues/2732
REFUSED = {
    "Start date (and hour) should be before end date (and hour)": {
        "TimePeriod": {"Start": day(0), "End": day(0)}
    },
    "end date past the beginning of next month": {"TimePeriod": {"Start": day(0), "End": day(70)}},
    "You haven't enabled historical data beyond 14 months": {
        "TimePeriod": {"Start": "2017-01-01", "End": "2017-02-01"}
    },
    "Start date is invalid: 2026-13-01": {"TimePeriod": {"Start": "2026-13-01", "End": day(0)}},
    "Invalid metric: Costs.": {"Metrics": ["Costs"]},
    "Group Definition dimension is invalid: AZ": {"GroupBy": [{"Type": "DIMENSION", "Key": "AZ"}]},
    "Only up to 2 groups can be used in GroupBy.": {
        "GroupBy": [{"Type": "DIMENSION", "Key": key} for key in ("SERVICE", "REGION", "OPERATION")]
    },
    "Expression should have exactly one root operator.": {
        "Filter": {
            "Dimensions": {"Key": "SERVICE", "Values": ["a"]},
            "Tags": {"Key": "a", "Values": ["b"]},
        }
    },
    "And expression must have at least 2 operands.": {
        "Filter": {"And": [{"Dimensions": {"Key": "SERVICE", "Values": ["a"]}}]}
    },
}


@pytest.mark.parametrize("words", REFUSED, ids=str)
def test_what_does_not_hold_is_refused(ce: Any, words: str) -> None:
    asked = {
        "TimePeriod": {"Start": day(-1), "End": day(0)},
        "Granularity": "DAILY",
        "Metrics": ["UnblendedCost"],
        **REFUSED[words],
    }
    code, message = refusal(lambda: ce.get_cost_and_usage(**asked))
    assert code == "ValidationException"
    assert message.startswith(words)


def test_hours_are_refused_as_where_nobody_opted_in(ce: Any) -> None:
    code, message = refusal(
        lambda: ce.get_cost_and_usage(
            TimePeriod={"Start": f"{day(-1)}T00:00:00Z", "End": f"{day(0)}T00:00:00Z"},
            Granularity="HOURLY",
            Metrics=["UnblendedCost"],
        )
    )
    assert code == "AccessDeniedException"
    assert "opt-in" in message


def test_a_forecast_is_refused_and_not_made_up(ce: Any) -> None:
    code, message = refusal(
        lambda: ce.get_cost_forecast(
            TimePeriod={"Start": day(0), "End": day(5)},
            Metric="UNBLENDED_COST",
            Granularity="MONTHLY",
        )
    )
    assert "not implemented" in message, code


def test_a_token_of_another_question_is_refused(ce: Any) -> None:
    code, _ = refusal(
        lambda: ce.get_cost_and_usage(
            TimePeriod={"Start": day(-1), "End": day(0)},
            Granularity="DAILY",
            Metrics=["UnblendedCost"],
            NextPageToken="nonsense",
        )
    )
    assert code == "InvalidNextTokenException"


def test_usage_survives_a_kill_to_the_last_batch(tmp_path: Path) -> None:
    from tests.conftest import Cloud

    cloud = Cloud(tmp_path / "data").start()
    try:
        url = cloud.client("sqs").create_queue(QueueName="kept")["QueueUrl"]
        for _ in range(9):
            cloud.client("sqs").send_message(QueueUrl=url, MessageBody="x")
        arn = "arn:aws:sqs:us-east-1:000000000000:kept"
        # Asking writes what waits, as each second does.
        assert of_resource(cloud.client("ce"), arn)["Requests-Tier1"][0] == 10
        cloud.kill()
        cloud.start()
        assert of_resource(cloud.client("ce"), arn)["Requests-Tier1"][0] == 10
    finally:
        cloud.stop()
