"""ListStreams, DescribeStream, GetShardIterator, GetRecords.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
"""

import pytest
from tests.services.dynamodb.conftest import n, refused, s


def on(view):
    return {"StreamEnabled": True, "StreamViewType": view}


def iterator(streams, db, table, kind="TRIM_HORIZON", **more):
    arn = db.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    shards = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    return streams.get_shard_iterator(
        StreamArn=arn, ShardId=shards[0]["ShardId"], ShardIteratorType=kind, **more
    )["ShardIterator"]


def change_an_item(db, table):
    db.put_item(TableName=table, Item={"p": s("a"), "v": n(1)})
    db.put_item(TableName=table, Item={"p": s("a"), "v": n(1)})
    db.update_item(
        TableName=table,
        Key={"p": s("a")},
        UpdateExpression="SET v = :v",
        ExpressionAttributeValues={":v": n(2)},
    )
    db.delete_item(TableName=table, Key={"p": s("a")})
    db.delete_item(TableName=table, Key={"p": s("a")})


@pytest.mark.parametrize("view", ["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"])
def test_changes_come_in_order_with_the_images_asked_for(db, streams, make, view):
    table = make(StreamSpecification=on(view))
    change_an_item(db, table)
    records = streams.get_records(ShardIterator=iterator(streams, db, table))["Records"]
    assert [record["eventName"] for record in records] == ["INSERT", "MODIFY", "REMOVE"]
    one, two = ({"p": s("a"), "v": n(number)} for number in (1, 2))
    for record, old, new in zip(records, (None, one, two), (one, two, None), strict=True):
        told = record["dynamodb"]
        assert told["Keys"] == {"p": s("a")}
        assert told["StreamViewType"] == view
        assert told.get("NewImage") == (new if "NEW" in view else None)
        assert told.get("OldImage") == (old if "OLD" in view else None)
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    assert numbers == sorted(numbers, key=int)
    assert len({record["eventID"] for record in records}) == 3


def test_reading_goes_on_and_begins_anywhere(db, streams, make):
    table = make(StreamSpecification=on("KEYS_ONLY"))
    change_an_item(db, table)
    latest = iterator(streams, db, table, "LATEST")
    first = streams.get_records(ShardIterator=iterator(streams, db, table), Limit=1)
    second = streams.get_records(ShardIterator=first["NextShardIterator"])
    assert [len(part["Records"]) for part in (first, second)] == [1, 2]
    number = first["Records"][0]["dynamodb"]["SequenceNumber"]
    for kind, count in (("AT_SEQUENCE_NUMBER", 3), ("AFTER_SEQUENCE_NUMBER", 2)):
        at = iterator(streams, db, table, kind, SequenceNumber=number)
        assert len(streams.get_records(ShardIterator=at)["Records"]) == count
    assert streams.get_records(ShardIterator=latest)["Records"] == []
    db.put_item(TableName=table, Item={"p": s("b")})
    found = streams.get_records(ShardIterator=latest)["Records"]
    assert [record["dynamodb"]["Keys"] for record in found] == [{"p": s("b")}]


def test_a_stream_that_was_turned_off_is_still_read_and_ends(db, streams, make):
    table = make(StreamSpecification=on("KEYS_ONLY"))
    db.put_item(TableName=table, Item={"p": s("a")})
    at = iterator(streams, db, table)
    db.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})
    db.put_item(TableName=table, Item={"p": s("b")})
    answer = streams.get_records(ShardIterator=at)
    assert len(answer["Records"]) == 1
    last = streams.get_records(ShardIterator=answer["NextShardIterator"])
    assert (last["Records"], "NextShardIterator" in last) == ([], False)
    arn = db.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    description = streams.describe_stream(StreamArn=arn)["StreamDescription"]
    assert description["StreamStatus"] == "DISABLED"
    assert "EndingSequenceNumber" in description["Shards"][0]["SequenceNumberRange"]
    db.update_table(TableName=table, StreamSpecification=on("NEW_IMAGE"))
    listed = streams.list_streams(TableName=table)["Streams"]
    assert listed[0]["StreamArn"] == arn
    assert len(listed) == 2


def test_a_transaction_is_told_in_the_order_of_its_parts(db, streams, make):
    table = make(StreamSpecification=on("KEYS_ONLY"))
    puts = [{"Put": {"TableName": table, "Item": {"p": s(str(one))}}} for one in range(20)]
    db.transact_write_items(TransactItems=puts)
    records = streams.get_records(ShardIterator=iterator(streams, db, table))["Records"]
    found = [record["dynamodb"]["Keys"]["p"]["S"] for record in records]
    assert found == [str(one) for one in range(20)]


def test_what_is_no_iterator(db, streams, make):
    make(StreamSpecification=on("KEYS_ONLY"))
    assert refused(streams.get_records, ShardIterator="bm90IG9uZQ==")[0] == "ValidationException"
    assert refused(
        streams.describe_stream,
        StreamArn="arn:aws:dynamodb:us-east-1:000000000000:table/none/stream/2020",
    )[0] in ("ResourceNotFoundException", "AccessDeniedException")


def test_a_write_that_changes_nothing_is_no_change(db, streams, make):
    table = make(StreamSpecification=on("KEYS_ONLY"))
    inner = {"M": {"x1": n(1), "y1": {"SS": ["a", "b"]}}}
    turned = {"M": {"y1": {"SS": ["b", "a"]}, "x1": n("1.0")}}
    for value in (inner, turned):
        db.put_item(TableName=table, Item={"p": s("a"), "v": value})
    records = streams.get_records(ShardIterator=iterator(streams, db, table))["Records"]
    assert [record["eventName"] for record in records] == ["INSERT"]
