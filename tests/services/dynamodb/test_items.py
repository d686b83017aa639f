"""GetItem, PutItem, UpdateItem, DeleteItem.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html
"""

import pytest
from botocore.exceptions import ClientError
from tests.services.dynamodb.conftest import n, refused, s

FULL = {
    "text": s("ä"),
    "number": n("12.5"),
    "binary": {"B": b"\0\xff"},
    "flag": {"BOOL": True},
    "nothing": {"NULL": True},
    "things": {"L": [s("x"), n(1), {"B": b"1"}]},
    "inside": {"M": {"inmost": {"M": {"b": {"B": b"2"}}}}},
    "texts": {"SS": ["a", "b"]},
    "numbers": {"NS": ["1", "2"]},
    "binaries": {"BS": [b"1", b"2"]},
}


def test_an_item_comes_back_as_it_went(db, make):
    table = make("p:S s:B")
    item = {"p": s("a"), "s": {"B": b"\0\0\1"}, **FULL}
    db.put_item(TableName=table, Item=item)
    key = {"p": s("a"), "s": {"B": b"\0\0\1"}}
    assert db.get_item(TableName=table, Key=key)["Item"] == item
    shown = db.get_item(TableName=table, Key=key, ProjectionExpression="inside.inmost, things[2]")
    assert shown["Item"] == {"inside": FULL["inside"], "things": {"L": [{"B": b"1"}]}}
    other = {**key, "s": {"B": b"\0\0\2"}}
    assert "Item" not in db.get_item(TableName=table, Key=other)


def test_a_put_replaces_the_whole_item_and_can_show_it(db, make):
    table = make()
    db.put_item(TableName=table, Item={"p": s("a"), "old": n(1)})
    put = db.put_item(TableName=table, Item={"p": s("a"), "new": n(2)}, ReturnValues="ALL_OLD")
    assert put["Attributes"] == {"p": s("a"), "old": n(1)}
    assert db.get_item(TableName=table, Key={"p": s("a")})["Item"] == {"p": s("a"), "new": n(2)}


def test_a_condition_refuses_and_can_show_the_item(db, make):
    table = make()
    db.put_item(TableName=table, Item={"p": s("a"), "v": n(1)})
    with pytest.raises(ClientError) as caught:
        db.put_item(
            TableName=table,
            Item={"p": s("a")},
            ConditionExpression="attribute_not_exists(p)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    answer = caught.value.response
    assert answer["Error"]["Code"] == "ConditionalCheckFailedException"
    assert answer["Error"]["Message"] == "The conditional request failed"
    assert answer["Item"] == {"p": s("a"), "v": n(1)}
    found = db.get_item(TableName=table, Key={"p": s("a")}, ConsistentRead=True)
    assert found["Item"] == {"p": s("a"), "v": n(1)}


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("NONE", None),
        ("ALL_OLD", {"p": s("a"), "v": n(1), "m": {"M": {"x1": n(1), "y1": n(2)}}}),
        ("UPDATED_OLD", {"v": n(1), "m": {"M": {"x1": n(1)}}}),
        ("ALL_NEW", {"p": s("a"), "v": n(6), "m": {"M": {"x1": n(5), "y1": n(2)}}}),
        ("UPDATED_NEW", {"v": n(6), "m": {"M": {"x1": n(5)}}}),
    ],
)
def test_an_update_shows_what_is_asked(db, make, shown, expected):
    table = make()
    old = {"p": s("a"), "v": n(1), "m": {"M": {"x1": n(1), "y1": n(2)}}}
    db.put_item(TableName=table, Item=old)
    answer = db.update_item(
        TableName=table,
        Key={"p": s("a")},
        UpdateExpression="SET v = v + :five, m.x1 = :five",
        ExpressionAttributeValues={":five": n(5)},
        ReturnValues=shown,
    )
    assert answer.get("Attributes") == expected


def test_the_older_parameters_do_the_same(db, make):
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.html
    table = make()
    db.update_item(
        TableName=table,
        Key={"p": s("a")},
        AttributeUpdates={"v": {"Value": n(1), "Action": "ADD"}, "t": {"Value": s("x")}},
    )
    expected = {"v": {"ComparisonOperator": "GT", "AttributeValueList": [n(1)]}}
    code, _ = refused(db.delete_item, TableName=table, Key={"p": s("a")}, Expected=expected)
    assert code == "ConditionalCheckFailedException"
    db.delete_item(TableName=table, Key={"p": s("a")}, Expected={"v": {"Value": n(1)}})
    assert "Item" not in db.get_item(TableName=table, Key={"p": s("a")})


def test_deleting_what_is_not_there_is_no_error(db, make):
    table = make()
    answer = db.delete_item(TableName=table, Key={"p": s("a")}, ReturnValues="ALL_OLD")
    assert "Attributes" not in answer


def test_an_item_may_have_four_hundred_kilobytes_and_no_byte_more(db, make):
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
    table = make()
    room = 400 * 1024 - len("pav")
    db.put_item(TableName=table, Item={"p": s("a"), "v": s("x" * room)})
    request = {"TableName": table, "Item": {"p": s("a"), "v": s("x" * (room + 1))}}
    assert refused(db.put_item, **request) == (
        "ValidationException",
        "Item size has exceeded the maximum allowed size",
    )
    update = {
        "TableName": table,
        "Key": {"p": s("a")},
        "UpdateExpression": "SET w = :w",
        "ExpressionAttributeValues": {":w": s("x")},
    }
    assert refused(db.update_item, **update)[1] == (
        "Item size to update has exceeded the maximum allowed size"
    )


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"v": s("x")}, "One or more parameter values were invalid: Missing the key p in the item"),
        (
            {"p": n(1), "s": n(1)},
            "One or more parameter values were invalid: Type mismatch for key p expected: S "
            "actual: N",
        ),
        (
            {"p": s(""), "s": n(1)},
            "One or more parameter values are not valid. The AttributeValue for a key attribute "
            "cannot contain an empty string value. Key: p",
        ),
        (
            {"p": s("x" * 2049), "s": n(1)},
            "One or more parameter values were invalid: Size of hashkey has exceeded the maximum "
            "size limit of2048 bytes",
        ),
    ],
)
def test_keys_are_what_the_table_says(db, make, item, said):
    table = make("p:S s:N")
    assert refused(db.put_item, TableName=table, Item=item) == ("ValidationException", said)


def test_a_key_has_all_of_its_attributes_and_no_others(db, make):
    table = make("p:S s:N")
    said = "The provided key element does not match the schema"
    for key in ({"p": s("a")}, {"p": s("a"), "s": s("1")}, {"p": s("a"), "s": n(1), "x": n(1)}):
        assert refused(db.get_item, TableName=table, Key=key) == ("ValidationException", said)


def test_a_key_cannot_be_updated(db, make):
    table = make()
    request = {
        "TableName": table,
        "Key": {"p": s("a")},
        "UpdateExpression": "SET p = :v",
        "ExpressionAttributeValues": {":v": s("b")},
    }
    assert refused(db.update_item, **request)[1] == (
        "One or more parameter values were invalid: Cannot update attribute p. "
        "This attribute is part of the key"
    )


def test_what_is_wrong_with_the_request_is_told_before_the_table_is_missed(db, name):
    request = {"TableName": name, "Item": {"p": s("a")}}
    assert refused(db.put_item, **request)[0] == "ResourceNotFoundException"
    request["ConditionExpression"] = "a ="
    assert refused(db.put_item, **request)[0] == "ValidationException"


def test_capacity_is_counted_in_kilobytes(db, make):
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    table = make("p:S", gsi=[("by-g", "g:S")])
    item = {"p": s("a"), "g": s("x"), "v": s("x" * 5000)}
    put = db.put_item(TableName=table, Item=item, ReturnConsumedCapacity="INDEXES")
    assert put["ConsumedCapacity"] == {
        "TableName": table,
        "CapacityUnits": 10.0,
        "Table": {"CapacityUnits": 5.0},
        "GlobalSecondaryIndexes": {"by-g": {"CapacityUnits": 5.0}},
    }
    for consistent, units in ((True, 2.0), (False, 1.0)):
        got = db.get_item(
            TableName=table,
            Key={"p": s("a")},
            ConsistentRead=consistent,
            ReturnConsumedCapacity="TOTAL",
        )
        assert got["ConsumedCapacity"]["CapacityUnits"] == units


def test_collections_are_measured_where_local_indexes_are(db, make):
    table = make("p:S s:N", lsi=[("by-t", "p:S t:N")])
    put = db.put_item(
        TableName=table,
        Item={"p": s("a"), "s": n(1), "t": n(2)},
        ReturnItemCollectionMetrics="SIZE",
    )
    assert put["ItemCollectionMetrics"] == {
        "ItemCollectionKey": {"p": s("a")},
        "SizeEstimateRangeGB": [0.0, 1.0],
    }


def test_what_needs_more_room_in_json_than_it_counts_for_is_kept(db, streams, make):
    view = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    table = make("p:S s:N", gsi=[("by-g", "g:S")], StreamSpecification=view)
    key = {"p": s("a"), "s": n(1)}
    control = {**key, "g": s("x"), "v": s("\x01" * 380_000)}
    nothing = {**key, "g": s("x"), "v": {"L": [s("")] * 350_000}}
    for item in (control, nothing):
        db.put_item(TableName=table, Item=item)
        assert db.get_item(TableName=table, Key=key)["Item"] == item
        assert db.scan(TableName=table)["Items"] == [item]
        assert db.scan(TableName=table, IndexName="by-g")["Items"] == [item]
    size = db.describe_table(TableName=table)["Table"]["TableSizeBytes"]
    assert 350_000 < size < 360_000
    arn = db.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    at = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")[
        "ShardIterator"
    ]
    records = []
    while len(records) < 2:
        answer = streams.get_records(ShardIterator=at)
        records += answer["Records"]
        at = answer["NextShardIterator"]
    assert records[1]["dynamodb"]["OldImage"] == control
    assert records[1]["dynamodb"]["NewImage"] == nothing
