"""Tables of a test's own in the shared cloud."""

import contextlib
import itertools

import pytest
from botocore.exceptions import ClientError

_numbers = itertools.count(1)


@pytest.fixture
def db(cloud):
    return cloud.client("dynamodb")


@pytest.fixture
def streams(cloud):
    return cloud.client("dynamodbstreams")


@pytest.fixture
def name(request):
    """A table name that no other test uses."""
    words = request.node.name.split("[")[0].removeprefix("test_").replace("_", "-")[:80]
    return f"{words}-{next(_numbers)}"


def definition(name, keys="p:S", gsi=(), lsi=(), **more):
    """A CreateTable request: `p:S s:N` is a key, and so for each index."""
    kinds = {}

    def key(text):
        parts = [part.split(":") for part in text.split()]
        kinds.update(dict(parts))
        return [
            {"AttributeName": one, "KeyType": "RANGE" if place else "HASH"}
            for place, (one, _) in enumerate(parts)
        ]

    def index(entry):
        index_name, text, *projection = entry
        return {
            "IndexName": index_name,
            "KeySchema": key(text),
            "Projection": projection[0] if projection else {"ProjectionType": "ALL"},
        }

    request = {"TableName": name, "KeySchema": key(keys), "BillingMode": "PAY_PER_REQUEST"}
    if gsi:
        request["GlobalSecondaryIndexes"] = [index(one) for one in gsi]
    if lsi:
        request["LocalSecondaryIndexes"] = [index(one) for one in lsi]
    request["AttributeDefinitions"] = [
        {"AttributeName": one, "AttributeType": kind} for one, kind in kinds.items()
    ]
    return {**request, **more}


@pytest.fixture
def make(db, name):
    """Makes the test's table; it goes when the test ends."""

    def make_table(keys="p:S", **more):
        db.create_table(**definition(name, keys, **more))
        db.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
        return name

    yield make_table
    with contextlib.suppress(db.exceptions.ResourceNotFoundException):
        db.delete_table(TableName=name)


def refused(call, **request):
    """Code and message of the refusal of a call."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def s(text):
    return {"S": text}


def n(number):
    return {"N": str(number)}
