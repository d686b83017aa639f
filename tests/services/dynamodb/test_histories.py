"""Random histories of a table with indexes, a stream and conditions, against a plain dictionary;
and that all of it is there after the cloud was killed.
"""

import random

import pytest
from botocore.exceptions import ClientError
from tests.services.dynamodb.conftest import definition, n, s

STEPS = 250
KEYS = [(p, number) for p in "ab" for number in (-1, 0, 5)]


def key_of(key):
    return {"p": s(key[0]), "s": n(key[1])}


class Model:
    """What the table must hold, and every change in order."""

    def __init__(self):
        self.items = {}
        self.changes = []

    def write(self, key, new):
        old = self.items.pop(key, None)
        if new is not None:
            self.items[key] = new
        if old != new:
            self.changes.append((key, old, new))


def step(db, table, model, chance):
    """One random write to both; conditions decide the same for both."""
    key = chance.choice(KEYS)
    old = model.items.get(key)
    kind = chance.choice(("put", "update", "delete", "conditional", "transact", "batch"))
    attributes = {"g": s(chance.choice("xy")), "t": n(chance.randint(0, 3))}
    kept = {name: value for name, value in attributes.items() if chance.random() < 0.7}
    item = {**key_of(key), **kept}
    if kind == "put":
        db.put_item(TableName=table, Item=item)
        model.write(key, item)
    elif kind == "delete":
        db.delete_item(TableName=table, Key=key_of(key))
        model.write(key, None)
    elif kind == "update":
        db.update_item(
            TableName=table,
            Key=key_of(key),
            UpdateExpression="ADD c :one SET g = :g REMOVE t",
            ExpressionAttributeValues={":one": n(1), ":g": attributes["g"]},
        )
        count = int((old or {}).get("c", n(0))["N"]) + 1
        new = {**(old or key_of(key)), "c": n(count), "g": attributes["g"]}
        new.pop("t", None)
        model.write(key, new)
    elif kind == "conditional":
        conditional(db, table, model, key, item)
    elif kind == "batch":
        db.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": item}}]})
        model.write(key, item)
    else:
        transact(db, table, model, key, item)


def conditional(db, table, model, key, item):
    try:
        db.put_item(
            TableName=table,
            Item=item,
            ConditionExpression="attribute_not_exists(p) OR t >= :two",
            ExpressionAttributeValues={":two": n(2)},
        )
        done = True
    except ClientError as error:
        done = False
        code = error.response["Error"]["Code"]
    old = model.items.get(key)
    if old is None or int(old.get("t", n(-1))["N"]) >= 2:
        assert done
        model.write(key, item)
    else:
        assert not done
        assert code == "ConditionalCheckFailedException"


def transact(db, table, model, key, item):
    other = KEYS[(KEYS.index(key) + 1) % len(KEYS)]
    put = {"Put": {"TableName": table, "Item": item}}
    delete = {
        "Delete": {
            "TableName": table,
            "Key": key_of(other),
            "ConditionExpression": "attribute_exists(p)",
        }
    }
    try:
        db.transact_write_items(TransactItems=[put, delete])
        done = True
    except ClientError:
        done = False
    assert done == (other in model.items)
    if done:
        model.write(key, item)
        model.write(other, None)


def rows(items):
    return sorted(str(sorted(item.items())) for item in items)


def agrees(db, streams, table, model):
    """Table, indexes, counts and stream say what the model says."""
    assert rows(db.scan(TableName=table)["Items"]) == rows(model.items.values())
    in_global = [item for item in model.items.values() if "g" in item and "t" in item]
    assert rows(db.scan(TableName=table, IndexName="by-g")["Items"]) == rows(in_global)
    in_local = [item for item in model.items.values() if "t" in item]
    assert rows(db.scan(TableName=table, IndexName="by-t")["Items"]) == rows(in_local)
    for g in "xy":
        found = db.query(
            TableName=table,
            IndexName="by-g",
            KeyConditionExpression="g = :g",
            ExpressionAttributeValues={":g": s(g)},
        )["Items"]
        order = [int(item["t"]["N"]) for item in found]
        assert order == sorted(order)
        assert rows(found) == rows(item for item in in_global if item["g"] == s(g))
    described = db.describe_table(TableName=table)["Table"]
    assert described["ItemCount"] == len(model.items)
    counts = {
        index["IndexName"]: index["ItemCount"]
        for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
        for index in described[kind]
    }
    assert counts == {"by-g": len(in_global), "by-t": len(in_local)}
    assert changes_of(streams, described["LatestStreamArn"]) == [
        (key_of(key), old, new) for key, old, new in model.changes
    ]


def changes_of(streams, arn):
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    answer = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )
    iterator, found = answer["ShardIterator"], []
    while True:
        answer = streams.get_records(ShardIterator=iterator)
        if not answer["Records"]:
            return found
        iterator = answer["NextShardIterator"]
        for record in answer["Records"]:
            told = record["dynamodb"]
            found.append((told["Keys"], told.get("OldImage"), told.get("NewImage")))


def whole(name):
    stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    return definition(
        name, "p:S s:N", gsi=[("by-g", "g:S t:N")], lsi=[("by-t", "p:S t:N")],
        StreamSpecification=stream,
    )  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
def test_a_random_history_is_kept_everywhere(db, streams, name, seed):
    db.create_table(**whole(name))
    model, chance = Model(), random.Random(seed)
    for _ in range(STEPS):
        step(db, name, model, chance)
    agrees(db, streams, name, model)
    db.delete_table(TableName=name)


def test_a_kill_loses_nothing_that_was_answered(new_cloud):
    cloud = new_cloud()
    model, chance = Model(), random.Random(3)
    cloud.client("dynamodb").create_table(**whole("kept"))
    for _ in range(3):
        for _ in range(40):
            step(cloud.client("dynamodb"), "kept", model, chance)
        cloud.kill()
        cloud.start()
        agrees(cloud.client("dynamodb"), cloud.client("dynamodbstreams"), "kept", model)
