"""What CloudWatch is told of tables.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
"""

import time
from datetime import UTC, datetime, timedelta

import pytest
from tests.services.dynamodb.conftest import refused, s

WAIT_SECONDS = 120


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
    put = {"Name": "Operation", "Value": "PutItem"}
    scan = {"Name": "Operation", "Value": "Scan"}
    wanted = {
        ("ConsumedWriteCapacityUnits", "Sum"): ([], 8.0),
        ("ConsumedReadCapacityUnits", "Sum"): ([], 1.0),
        ("ConditionalCheckFailedRequests", "Sum"): ([], 1.0),
        ("SuccessfulRequestLatency", "SampleCount"): ([put], 3.0),
        ("ReturnedItemCount", "Sum"): ([scan], 1.0),
    }
    wait_for(cloud, table, wanted)


def test_what_expires_and_what_streams_return_is_told(cloud, db, streams, make):
    table = make(StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    specification = {"Enabled": True, "AttributeName": "until"}
    db.update_time_to_live(TableName=table, TimeToLiveSpecification=specification)
    past = {"N": str(int(time.time()) - 3600)}
    db.put_item(TableName=table, Item={"p": s("a"), "until": past})
    arn = db.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    records = streams.get_records(ShardIterator=iterator, Limit=1)["Records"]
    returned = [
        {"Name": "Operation", "Value": "GetRecords"},
        {"Name": "StreamLabel", "Value": arn.rpartition("/")[2]},
    ]
    size = float(records[0]["dynamodb"]["SizeBytes"])
    wanted = {
        ("TimeToLiveDeletedItemCount", "Sum"): ([], 1.0),
        ("ReturnedRecordsCount", "Sum"): (returned, 1.0),
        ("ReturnedBytes", "Sum"): (returned, size),
    }
    wait_for(cloud, table, wanted)


def wait_for(cloud, table, wanted):
    """Until CloudWatch says of the table what is wanted, by metric and statistic."""
    watch = cloud.client("cloudwatch")

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
