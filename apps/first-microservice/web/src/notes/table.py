"""The table: the only file that knows its keys. A notebook is an item of the partition `/`, a note
one of its notebook's partition. What has expired is not there, even before DynamoDB removes it.
"""

import os
import random
import time

import boto3
from boto3.dynamodb.conditions import Attr, Key
from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError

NOTEBOOKS = "/"
ROUNDS_MAX = 10
"""How many pages of the table one page of a list may take: what has expired fills some of them."""

TRIES_MAX = 8
PAUSE_SECONDS = 0.02

table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
client = table.meta.client


class Differs(Exception):
    """The condition of a write was not fulfilled; `item` is what is there, or None."""

    def __init__(self, item=None):
        super().__init__("the condition was not fulfilled")
        self.item = item


class Busy(Exception):
    """Too many write to the same notebook at once."""


class BadStart(Exception):
    """A list cannot begin at this key."""


def load_note(notebook, note, now):
    found = table.get_item(Key={"notebook": notebook, "id": note}, ConsistentRead=True).get("Item")
    return found if found and is_alive(found, now) else None


def is_alive(item, now):
    return "expires" not in item or int(item["expires"]) > now.timestamp()


def load_notebook(name):
    key = {"notebook": NOTEBOOKS, "id": name}
    return table.get_item(Key=key, ConsistentRead=True).get("Item")


def list_notebooks(limit, start):
    return page(Key("notebook").eq(NOTEBOOKS), limit, start, None)


def list_notes(notebook, limit, start, now, newest_first=True):
    """The notes of a notebook in the order of time, as the local index has them."""
    return page(
        Key("notebook").eq(notebook), limit, start, now,
        IndexName="ByTime", ScanIndexForward=not newest_first, ConsistentRead=True,
    )  # fmt: skip


def list_tagged(tag, limit, start, now):
    """The notes with a tag, of all notebooks, the newest first."""
    condition = Key("tag").eq(tag)
    return page(condition, limit, start, now, IndexName="ByTag", ScanIndexForward=False)


def list_titled(beginning, limit, start, now):
    """The notes whose title begins so, of all notebooks, in the order of titles."""
    condition = Key("initial").eq(beginning[0]) & Key("sorted_title").begins_with(beginning)
    return page(condition, limit, start, now, IndexName="ByTitle")


def page(condition, limit, start, now, **more):
    """Up to `limit` items, and the key to go on from, or None. Raises BadStart."""
    if now is not None:
        seconds = int(now.timestamp())
        more["FilterExpression"] = Attr("expires").not_exists() | Attr("expires").gt(seconds)
    items = []
    for _ in range(ROUNDS_MAX):
        if start is not None:
            more["ExclusiveStartKey"] = start
        try:
            found = table.query(KeyConditionExpression=condition, Limit=limit - len(items), **more)
        except ClientError as problem:
            if start is not None and problem.response["Error"]["Code"] == "ValidationException":
                raise BadStart from None
            raise
        items += found["Items"]
        start = found.get("LastEvaluatedKey")
        if start is None or len(items) == limit:
            break
    return items, start


def make_notebook(name, created):
    """Raises Differs when there is one."""
    item = {"notebook": NOTEBOOKS, "id": name, "created": created, "made": 0}
    conditionally(lambda: table.put_item(Item=item, ConditionExpression=Attr("id").not_exists()))


def drop_notebook(name, made):
    """Raises Differs when a note was made since `made` was read: then it is not known as empty."""
    key = {"notebook": NOTEBOOKS, "id": name}
    conditionally(lambda: table.delete_item(Key=key, ConditionExpression=Attr("made").eq(made)))


def make_note(item):
    """A new note and the count of its notebook, in one transaction.

    Raises Differs when the notebook is not there, and Busy.
    """
    counted = {
        "TableName": table.name,
        "Key": {"notebook": NOTEBOOKS, "id": item["notebook"]},
        "UpdateExpression": "ADD made :one",
        "ConditionExpression": "attribute_exists(id)",
        "ExpressionAttributeValues": {":one": 1},
    }
    put = {
        "TableName": table.name,
        "Item": item,
        "ConditionExpression": "attribute_not_exists(id)",
    }
    for attempt in range(TRIES_MAX):
        try:
            client.transact_write_items(TransactItems=[{"Update": counted}, {"Put": put}])
            return
        except client.exceptions.TransactionCanceledException as problem:
            codes = [reason["Code"] for reason in problem.response["CancellationReasons"]]
            if codes[0] == "ConditionalCheckFailed":
                raise Differs from None
            if "TransactionConflict" not in codes:
                raise
        # Another note of the same notebook is being made at this moment.
        time.sleep(PAUSE_SECONDS * 2**attempt * random.random())
    raise Busy


def replace_note(item, seen, now):
    """Put a note in the place of version `seen`. Raises Differs with what is there."""
    conditionally(
        lambda: table.put_item(
            Item=item,
            ConditionExpression=is_version(seen, now),
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    )


def drop_note(notebook, note, seen, now):
    """Remove version `seen` of a note. Raises Differs with what is there."""
    conditionally(
        lambda: table.delete_item(
            Key={"notebook": notebook, "id": note},
            ConditionExpression=is_version(seen, now),
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    )


def is_version(seen, now):
    alive = Attr("expires").not_exists() | Attr("expires").gt(int(now.timestamp()))
    return Attr("version").eq(seen) & alive


def conditionally(write):
    try:
        return write()
    except client.exceptions.ConditionalCheckFailedException as problem:
        read = TypeDeserializer().deserialize
        there = problem.response.get("Item")
        raise Differs(there and {name: read(one) for name, one in there.items()}) from None
    except client.exceptions.TransactionConflictException:
        raise Busy from None
