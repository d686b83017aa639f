"""What CloudWatch is told of tables.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
"""

import time
from datetime import UTC, datetime, timedelta

import pytest
from tests.services.dynamodb.conftest import refused, s

WAIT_SECONDS = 30


def test_units_latency_and_failed_conditions_are_told(cloud, db, make):
    table = make()
    for _ in range(3):
        db.put_item(TableName=table, Item={"p": s("a"), "v": s("x" * 1500)})
    refused(
        db.put_item,
        TableName=table,
        Item={"p": s("a")},
        ConditionExpression="attribute_not_exists(p)",
    )
    db.scan(TableName=table, ConsistentRead=True)
    watch = cloud.client("cloudwatch")
    put = {"Name": "Operation", "Value": "PutItem"}
    scan = {"Name": "Operation", "Value": "Scan"}
    wanted = {
        ("ConsumedWriteCapacityUnits", "Sum"): ([], 8.0),
        ("ConsumedReadCapacityUnits", "Sum"): ([], 1.0),
        ("ConditionalCheckFailedRequests", "Sum"): ([], 1.0),
        ("SuccessfulRequestLatency", "SampleCount"): ([put], 3.0),
        ("ReturnedItemCount", "Sum"): ([scan], 1.0),
    }

    def told(metric, statistic, dimensions):
        found = watch.get_metric_statistics(
            Namespace="AWS/DynamoDB",
            MetricName=metric,
            Dimensions=[{"Name": "TableName", "Value": table}, *dimensions],
            StartTime=datetime.now(UTC) - timedelta(minutes=10),
            EndTime=datetime.now(UTC) + timedelta(minutes=1),
            Period=3600,
            Statistics=[statistic],
        )["Datapoints"]
        return sum(point[statistic] for point in found)

    until = time.monotonic() + WAIT_SECONDS
    found = {}
    while time.monotonic() < until:
        found = {key: told(*key, dimensions) for key, (dimensions, _) in wanted.items()}
        if found == {key: expected for key, (_, expected) in wanted.items()}:
            return
    pytest.fail(f"after {WAIT_SECONDS} seconds CloudWatch says {found}")
