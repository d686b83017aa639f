"""What tables, buckets, logs, alarms and dashboards hold is counted hour by hour."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.services.events.conftest import Inside, run_inside

from cumulet.core.http import BytesBody
from cumulet.core.usage import GIB
from cumulet.services.ce.gather import UsageGatherer
from cumulet.services.ce.model import hours_of_month
from cumulet.services.ce.workers import count_holdings

START = 1_790_000_000.0  # 2026-09-21
MONTH_HOURS = hours_of_month("2026-09-21")
ALARM = {
    "Namespace": "Held",
    "MetricName": "m",
    "Statistic": "Sum",
    "EvaluationPeriods": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanThreshold",
}


async def hold(inside: Inside) -> None:
    """Something of everything that is charged for by time."""
    for name, billing in (
        ("held", {"BillingMode": "PAY_PER_REQUEST"}),
        ("bought", {"ProvisionedThroughput": {"ReadCapacityUnits": 7, "WriteCapacityUnits": 3}}),
    ):
        await inside.call(
            "dynamodb",
            "CreateTable",
            TableName=name,
            KeySchema=[{"AttributeName": "p", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "p", "AttributeType": "S"}],
            **billing,
        )
    item = {"p": {"S": "a"}, "v": {"S": "x" * 898}}
    await inside.call("dynamodb", "PutItem", TableName="held", Item=item)
    await inside.call("s3", "CreateBucket", Bucket="held")
    for key in ("a", "b", "a"):
        body = BytesBody(b"x" * 1_048_576)
        await inside.call("s3", "PutObject", Bucket="held", Key=key, Body=body)
    await inside.call("s3", "DeleteObject", Bucket="held", Key="b")
    now_ms = int(inside.clock.now() * 1000)
    await inside.call("logs", "CreateLogGroup", logGroupName="held")
    await inside.call("logs", "CreateLogStream", logGroupName="held", logStreamName="s")
    events = [{"timestamp": now_ms, "message": "x" * 974}]
    await inside.call(
        "logs", "PutLogEvents", logGroupName="held", logStreamName="s", logEvents=events
    )
    data = [{"MetricName": name, "Value": 1.0} for name in ("m", "n")]
    await inside.call("cloudwatch", "PutMetricData", Namespace="Held", MetricData=data)
    await inside.call("cloudwatch", "PutMetricAlarm", AlarmName="slow", Period=60, **ALARM)
    await inside.call("cloudwatch", "PutMetricAlarm", AlarmName="fast", Period=10, **ALARM)
    board = json.dumps({"widgets": []})
    await inside.call("cloudwatch", "PutDashboard", DashboardName="held", DashboardBody=board)


async def used(inside: Inside) -> dict[tuple[str, str], float]:
    answer = await inside.call(
        "ce",
        "GetCostAndUsageWithResources",
        TimePeriod={"Start": "2026-09-01", "End": "2026-10-01"},
        Granularity="MONTHLY",
        Metrics=["UsageQuantity"],
        GroupBy=[{"Type": "DIMENSION", "Key": key} for key in ("RESOURCE_ID", "USAGE_TYPE")],
        Filter={},
    )
    groups = [group for step in answer["ResultsByTime"] for group in step["Groups"]]
    return {
        (group["Keys"][0].split(":", 5)[-1], group["Keys"][1]): float(
            group["Metrics"]["UsageQuantity"]["Amount"]
        )
        for group in groups
    }


def test_an_hour_of_everything(tmp_path: Path) -> None:
    async def story(inside: Inside) -> None:
        await hold(inside)
        before: dict[Any, float] = await used(inside)
        await inside.platform.need(UsageGatherer).flush()
        await count_holdings(inside.platform)
        await inside.clock.advance(3600)
        await count_holdings(inside.platform)
        found = await used(inside)
        hour = 1 / MONTH_HOURS
        close = {"rel": 1e-3, "abs": 2e-12}
        assert found["table/held", "TimedStorage-ByteHrs"] == pytest.approx(
            1000 / GIB * hour, **close
        )
        assert found["table/bought", "ReadCapacityUnit-Hrs"] == pytest.approx(7)
        assert found["table/bought", "WriteCapacityUnit-Hrs"] == pytest.approx(3)
        assert found["held", "TimedStorage-ByteHrs"] == pytest.approx(1 / 1024 * hour, **close)
        logs = ("log-group:held:*", "USE1-TimedStorage-ByteHrs")
        assert found[logs] == pytest.approx(1000 / GIB * hour, **close)
        assert found["metric/Held", "CW:MetricMonitorUsage"] == pytest.approx(2 * hour)
        assert found["alarm:slow", "CW:AlarmMonitorUsage"] == pytest.approx(hour)
        assert found["alarm:fast", "CW:HighResAlarmMonitorUsage"] == pytest.approx(hour)
        assert found["dashboard/held", "DashboardsUsageHour"] == pytest.approx(hour)
        assert not [key for key in before if "TimedStorage" in key[1]]

    run_inside(tmp_path / "data", story, START)
