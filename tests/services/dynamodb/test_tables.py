"""CreateTable, DescribeTable, ListTables, UpdateTable, DeleteTable and what belongs to tables.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html
"""

import itertools
import json
import time

import pytest
from tests.services.dynamodb.conftest import definition, n, refused, s

WAIT_SECONDS = 30


def wait_until(holds):
    """Ask again and again, bounded; the answers themselves take the time."""
    until = time.monotonic() + WAIT_SECONDS
    for _ in itertools.count():
        if holds():
            return
        assert time.monotonic() < until


def test_a_table_is_made_shown_listed_and_removed(db, name, cloud):
    made = db.create_table(**definition(name, "p:S s:N", lsi=[("by-t", "p:S t:N")]))
    assert made["TableDescription"]["TableStatus"] == "CREATING"
    table = db.describe_table(TableName=name)["Table"]
    assert table["TableStatus"] == "ACTIVE"
    assert table["KeySchema"] == [
        {"AttributeName": "p", "KeyType": "HASH"},
        {"AttributeName": "s", "KeyType": "RANGE"},
    ]
    arn = table["TableArn"]
    assert arn.endswith(f":table/{name}")
    assert table["LocalSecondaryIndexes"][0]["IndexArn"] == f"{arn}/index/by-t"
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert db.describe_table(TableName=arn)["Table"]["TableId"] == table["TableId"]
    pages = db.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 1})
    assert name in [one for page in pages for one in page["TableNames"]]
    again = refused(db.create_table, **definition(name))
    assert again == ("ResourceInUseException", f"Table already exists: {name}")
    gone = db.delete_table(TableName=name)["TableDescription"]
    assert gone["TableStatus"] == "DELETING"
    assert refused(db.describe_table, TableName=name) == (
        "ResourceNotFoundException",
        f"Requested resource not found: Table: {name} not found",
    )


def test_a_table_of_the_same_name_begins_empty(db, make, name):
    make()
    db.put_item(TableName=name, Item={"p": s("a")})
    db.delete_table(TableName=name)
    make()
    assert db.scan(TableName=name)["Count"] == 0
    assert db.describe_table(TableName=name)["Table"]["ItemCount"] == 0


def test_counts_are_exact(db, make):
    table = make("p:S", gsi=[("by-g", "g:S")])
    for one in range(5):
        db.put_item(TableName=table, Item={"p": s(str(one)), "g": s("x")})
    db.put_item(TableName=table, Item={"p": s("0")})
    db.delete_item(TableName=table, Key={"p": s("1")})
    found = db.describe_table(TableName=table)["Table"]
    assert (found["ItemCount"], found["TableSizeBytes"]) == (4, 3 * 4 + 2)
    assert found["GlobalSecondaryIndexes"][0]["ItemCount"] == 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"BillingMode": "PROVISIONED"},
            "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits "
            "must both be specified when BillingMode is PROVISIONED",
        ),
        (
            {"AttributeDefinitions": []},
            "One or more parameter values were invalid: Some index key attributes are not defined "
            "in AttributeDefinitions. Keys: [p], AttributeDefinitions: []",
        ),
        (
            {"KeySchema": [{"AttributeName": "p", "KeyType": "RANGE"}]},
            "Invalid KeySchema: The first KeySchemaElement is not a HASH key type",
        ),
        (
            {"GlobalSecondaryIndexes": []},
            "One or more parameter values were invalid: List of GlobalSecondaryIndexes is empty",
        ),
        (
            {
                "LocalSecondaryIndexes": definition("x", lsi=[("i12", "p:S q:S")])[
                    "LocalSecondaryIndexes"
                ]
            },
            "One or more parameter values were invalid: Table KeySchema does not have a range key, "
            "which is required when specifying a LocalSecondaryIndex",
        ),
        (
            {"GlobalTableSettingsReplicationMode": "ENABLED"},
            "One or more parameter values were invalid: GlobalTableSettingsReplicationMode is not "
            "supported in Cumulet",
        ),
    ],
)
def test_what_is_no_table(db, name, changes, said):
    assert refused(db.create_table, **{**definition(name), **changes}) == (
        "ValidationException",
        said,
    )


def test_names_are_bounded(db):
    code, said = refused(db.describe_table, TableName="x")
    assert code == "ValidationException"
    assert "between 3 and 255 characters long" in said


def test_an_index_is_made_and_removed_on_a_live_table(db, make):
    table = make("p:S")
    for one in range(250):
        db.put_item(TableName=table, Item={"p": s(str(one)), "g": s("x"), "t": n(one)})
    db.put_item(TableName=table, Item={"p": s("wrong"), "g": n(1), "t": n(1)})
    change = {
        "IndexName": "late",
        "KeySchema": definition("x", "g:S t:N")["KeySchema"],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }
    made = db.update_table(
        TableName=table,
        AttributeDefinitions=definition("x", "g:S t:N")["AttributeDefinitions"],
        GlobalSecondaryIndexUpdates=[{"Create": change}],
    )["TableDescription"]
    assert made["GlobalSecondaryIndexes"][0]["IndexStatus"] == "CREATING"
    db.put_item(TableName=table, Item={"p": s("new"), "g": s("x"), "t": n(1000)})
    db.delete_item(TableName=table, Key={"p": s("7")})

    def is_active():
        found = db.describe_table(TableName=table)["Table"]
        return found["TableStatus"] == "ACTIVE"

    wait_until(is_active)
    answer = db.query(
        TableName=table,
        IndexName="late",
        KeyConditionExpression="g = :g",
        ExpressionAttributeValues={":g": s("x")},
    )
    expected = [number for number in range(250) if number != 7]
    assert [int(item["t"]["N"]) for item in answer["Items"]] == [*expected, 1000]
    index = db.describe_table(TableName=table)["Table"]["GlobalSecondaryIndexes"][0]
    assert (index["IndexStatus"], index["ItemCount"]) == ("ACTIVE", 250)
    wrong = {"TableName": table, "Item": {"p": s("w"), "g": n(1)}}
    assert refused(db.put_item, **wrong)[1] == (
        "One or more parameter values were invalid: Type mismatch for Index Key g Expected: S "
        "Actual: N IndexName: late"
    )
    gone = [{"Delete": {"IndexName": "late"}}]
    db.update_table(TableName=table, GlobalSecondaryIndexUpdates=gone)
    assert "GlobalSecondaryIndexes" not in db.describe_table(TableName=table)["Table"]
    db.put_item(**wrong)


def test_a_protected_table_stays(db, make):
    table = make(DeletionProtectionEnabled=True)
    code, said = refused(db.delete_table, TableName=table)
    assert code == "ValidationException"
    assert "currently protected against deletion" in said
    db.update_table(TableName=table, DeletionProtectionEnabled=False)
    db.delete_table(TableName=table)


def test_capacity_changes_its_mode(db, make):
    table = make()
    units = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6}
    db.update_table(TableName=table, BillingMode="PROVISIONED", ProvisionedThroughput=units)
    found = db.describe_table(TableName=table)["Table"]
    assert found["BillingModeSummary"]["BillingMode"] == "PROVISIONED"
    assert found["ProvisionedThroughput"]["WriteCapacityUnits"] == 6
    same = refused(db.update_table, TableName=table, ProvisionedThroughput=units)[1]
    assert same.startswith("The provisioned throughput for the table will not change.")


def test_tags_come_and_go(db, make):
    table = make(Tags=[{"Key": "a", "Value": "1"}])
    arn = db.describe_table(TableName=table)["Table"]["TableArn"]
    db.tag_resource(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    db.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert db.list_tags_of_resource(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    assert refused(db.list_tags_of_resource, ResourceArn=f"{arn}-none")[0] == (
        "ResourceNotFoundException"
    )


def test_expired_items_go_and_the_stream_says_who_did_it(db, streams, make):
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
    table = make(StreamSpecification={"StreamEnabled": True, "StreamViewType": "OLD_IMAGE"})
    now = int(time.time())
    db.put_item(TableName=table, Item={"p": s("before"), "until": n(now - 60)})
    specification = {"AttributeName": "until", "Enabled": True}
    db.update_time_to_live(TableName=table, TimeToLiveSpecification=specification)
    described = db.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert described == {"TimeToLiveStatus": "ENABLED", "AttributeName": "until"}
    db.put_item(TableName=table, Item={"p": s("after"), "until": n(now - 60)})
    db.put_item(TableName=table, Item={"p": s("later"), "until": n(now + 3600)})
    db.put_item(TableName=table, Item={"p": s("long ago"), "until": n(1000)})
    db.put_item(TableName=table, Item={"p": s("text"), "until": s(str(now - 60))})

    def are_gone():
        return {item["p"]["S"] for item in db.scan(TableName=table)["Items"]} == {
            "later",
            "long ago",
            "text",
        }

    wait_until(are_gone)
    arn = db.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    records = streams.get_records(ShardIterator=iterator)["Records"]
    removed = [record for record in records if record["eventName"] == "REMOVE"]
    assert {record["dynamodb"]["Keys"]["p"]["S"] for record in removed} == {"before", "after"}
    assert {record["userIdentity"]["PrincipalId"] for record in removed} == {
        "dynamodb.amazonaws.com"
    }


def test_a_policy_is_kept_with_its_revision(db, make, cloud):
    table = make()
    arn = db.describe_table(TableName=table)["Table"]["TableArn"]
    account = arn.split(":")[4]
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "dynamodb:GetItem",
        "Resource": arn,
    }
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    revision = db.put_resource_policy(ResourceArn=arn, Policy=text)["RevisionId"]
    found = db.get_resource_policy(ResourceArn=arn)
    assert (found["Policy"], found["RevisionId"]) == (text, revision)
    elsewhere = text.replace(f'"{arn}"', f'"{arn}-other"')
    assert refused(db.put_resource_policy, ResourceArn=arn, Policy=elsewhere)[0] == (
        "ValidationException"
    )
    db.delete_resource_policy(ResourceArn=arn)
    assert refused(db.get_resource_policy, ResourceArn=arn)[0] == "PolicyNotFoundException"


def test_what_clients_ask_of_the_account_and_of_tables(db, make, cloud):
    table = make()
    assert db.describe_limits()["TableMaxReadCapacityUnits"] == 40_000
    endpoint = db.describe_endpoints()["Endpoints"][0]["Address"]
    assert cloud.endpoint.endswith(endpoint)
    backups = db.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "DISABLED"
    kinesis = db.describe_kinesis_streaming_destination(TableName=table)
    assert kinesis["KinesisDataStreamDestinations"] == []


def test_capacity_is_held_to_where_a_table_asks_for_it(db, make):
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html
    units = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
    table = make(
        BillingMode="PROVISIONED",
        ProvisionedThroughput=units,
        Tags=[{"Key": "cumulet:throttle", "Value": "true"}],
    )
    item = {"p": s("a"), "v": s("x" * 102_000)}
    codes = [""]
    for _ in range(5):
        try:
            db.put_item(TableName=table, Item=item)
        except db.exceptions.ProvisionedThroughputExceededException as error:
            codes.append(error.response["Error"]["Message"])
    assert codes[-1] == (
        "The level of configured provisioned throughput for the table was exceeded. Consider "
        "increasing your provisioning level with the UpdateTable API."
    )
    assert len(codes) == 2, "three hundred units of five minutes may be spent at once"
    db.get_item(TableName=table, Key={"p": s("a")})
    other = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1000}
    db.update_table(TableName=table, ProvisionedThroughput=other)
    db.untag_resource(
        ResourceArn=db.describe_table(TableName=table)["Table"]["TableArn"],
        TagKeys=["cumulet:throttle"],
    )
    db.put_item(TableName=table, Item=item)
