"""Query and Scan: order, pages, filters, indexes.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html
"""

import pytest
from tests.services.dynamodb.conftest import n, refused, s

NUMBERS = [-1000, -2.5, -1, 0, 0.001, 1, 2, 10, 99, 100]


def fill(db, table):
    for number in NUMBERS:
        db.put_item(TableName=table, Item={"p": s("a"), "s": n(number), "v": n(number)})
    db.put_item(TableName=table, Item={"p": s("b"), "s": n(0)})


def numbers(answer):
    return [float(item["s"]["N"]) for item in answer["Items"]]


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("s = :x", lambda number: number == 1),
        ("s < :x", lambda number: number < 1),
        ("s <= :x", lambda number: number <= 1),
        ("s > :x", lambda number: number > 1),
        ("s >= :x", lambda number: number >= 1),
        ("s BETWEEN :w AND :x", lambda number: -2.5 <= number <= 1),
    ],
)
@pytest.mark.parametrize("forward", [True, False])
def test_the_sort_key_has_the_order_of_numbers(db, make, condition, holds, forward):
    table = make("p:S s:N")
    fill(db, table)
    values = {":p": s("a"), ":x": n(1), ":w": n(-2.5)}
    answer = db.query(
        TableName=table,
        KeyConditionExpression=f"p = :p AND {condition}",
        ExpressionAttributeValues={key: v for key, v in values.items() if key in f":p {condition}"},
        ScanIndexForward=forward,
    )
    expected = [number for number in NUMBERS if holds(number)]
    assert numbers(answer) == (expected if forward else expected[::-1])


def test_texts_begin_with_a_text(db, make):
    table = make("p:S s:S")
    words = ["a", "ab", "abc", "abÿ", "ac", "b", "a\0b"]
    for word in words:
        db.put_item(TableName=table, Item={"p": s("x"), "s": s(word)})
    answer = db.query(
        TableName=table,
        KeyConditionExpression="p = :p AND begins_with(s, :s)",
        ExpressionAttributeValues={":p": s("x"), ":s": s("ab")},
    )
    assert [item["s"]["S"] for item in answer["Items"]] == ["ab", "abc", "abÿ"]


@pytest.mark.parametrize("forward", [True, False])
def test_pages_go_on_where_they_ended(db, make, forward):
    table = make("p:S s:N")
    fill(db, table)
    found, start = [], {}
    while True:
        answer = db.query(
            TableName=table,
            KeyConditionExpression="p = :p",
            ExpressionAttributeValues={":p": s("a")},
            ScanIndexForward=forward,
            Limit=3,
            **start,
        )
        found += numbers(answer)
        if "LastEvaluatedKey" not in answer:
            break
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
    assert found == (NUMBERS if forward else NUMBERS[::-1])


def test_a_page_ends_at_a_megabyte(db, make):
    table = make("p:S s:N")
    for number in range(5):
        db.put_item(TableName=table, Item={"p": s("a"), "s": n(number), "v": s("x" * 300_000)})
    first = db.scan(TableName=table)
    assert first["Count"] == 4
    assert first["LastEvaluatedKey"] == {"p": s("a"), "s": n(3)}
    second = db.scan(TableName=table, ExclusiveStartKey=first["LastEvaluatedKey"])
    assert (second["Count"], "LastEvaluatedKey" in second) == (1, False)


def test_a_filter_takes_away_after_the_reading(db, make):
    table = make("p:S s:N")
    fill(db, table)
    answer = db.query(
        TableName=table,
        KeyConditionExpression="p = :p",
        FilterExpression="v > :x",
        ExpressionAttributeValues={":p": s("a"), ":x": n(2)},
        Limit=8,
    )
    assert (numbers(answer), answer["ScannedCount"]) == ([10.0], 8)
    older = db.query(
        TableName=table,
        KeyConditions={"p": {"ComparisonOperator": "EQ", "AttributeValueList": [s("a")]}},
        QueryFilter={"v": {"ComparisonOperator": "GT", "AttributeValueList": [n(2)]}},
    )
    assert numbers(older) == [10.0, 99.0, 100.0]


def test_segments_together_are_the_table(db, make):
    table = make("p:S")
    for number in range(50):
        db.put_item(TableName=table, Item={"p": s(str(number))})
    parts = []
    for segment in range(4):
        answer = db.scan(TableName=table, Segment=segment, TotalSegments=4)
        parts.append({item["p"]["S"] for item in answer["Items"]})
    assert set().union(*parts) == {str(number) for number in range(50)}
    assert sum(map(len, parts)) == 50
    assert all(parts)
    said = refused(db.scan, TableName=table, Segment=4, TotalSegments=4)[1]
    assert said.startswith("The Segment parameter is zero-based and must be less than parameter")


def test_a_global_index_has_the_items_that_have_its_key(db, make):
    keys_only = {"ProjectionType": "KEYS_ONLY"}
    table = make("p:S", gsi=[("by-g", "g:S t:N"), ("keys", "g:S", keys_only)])
    db.put_item(TableName=table, Item={"p": s("1"), "g": s("x"), "t": n(2), "v": n(1)})
    db.put_item(TableName=table, Item={"p": s("2"), "g": s("x"), "t": n(10)})
    db.put_item(TableName=table, Item={"p": s("3"), "g": s("x")})
    db.put_item(TableName=table, Item={"p": s("4"), "t": n(1)})
    query = {
        "TableName": table,
        "KeyConditionExpression": "g = :g",
        "ExpressionAttributeValues": {":g": s("x")},
    }
    answer = db.query(IndexName="by-g", **query)
    assert [item["p"]["S"] for item in answer["Items"]] == ["1", "2"]
    narrow = db.query(IndexName="keys", **query)
    assert sorted(map(str, narrow["Items"])) == sorted(
        str({"p": s(key), "g": s("x")}) for key in "123"
    )
    db.update_item(TableName=table, Key={"p": s("1")}, UpdateExpression="REMOVE t")
    db.delete_item(TableName=table, Key={"p": s("2")})
    assert db.query(IndexName="by-g", **query)["Count"] == 0
    assert refused(db.query, IndexName="by-g", ConsistentRead=True, **query)[1] == (
        "Consistent reads are not supported on global secondary indexes"
    )
    wide = refused(db.query, IndexName="keys", Select="ALL_ATTRIBUTES", **query)[1]
    assert wide.endswith(
        "Select type ALL_ATTRIBUTES is not supported for global secondary index keys because its "
        "projection type is not ALL"
    )


def test_a_local_index_fetches_what_it_has_not(db, make):
    table = make("p:S s:N", lsi=[("by-t", "p:S t:N", {"ProjectionType": "KEYS_ONLY"})])
    db.put_item(TableName=table, Item={"p": s("a"), "s": n(1), "t": n(9), "v": n(1)})
    db.put_item(TableName=table, Item={"p": s("a"), "s": n(2), "t": n(5), "v": n(2)})
    query = {
        "TableName": table,
        "IndexName": "by-t",
        "KeyConditionExpression": "p = :p",
        "ExpressionAttributeValues": {":p": s("a")},
        "ConsistentRead": True,
    }
    plain = db.query(**query)
    assert plain["Items"] == [
        {"p": s("a"), "s": n(2), "t": n(5)},
        {"p": s("a"), "s": n(1), "t": n(9)},
    ]
    whole = db.query(Select="ALL_ATTRIBUTES", **query)
    assert [item["v"] for item in whole["Items"]] == [n(2), n(1)]


def test_a_global_index_may_have_keys_of_several_attributes(db, make):
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.DesignPattern.MultiAttributeKeys.html
    index = {
        "IndexName": "many",
        "KeySchema": [
            {"AttributeName": "a1", "KeyType": "HASH"},
            {"AttributeName": "b1", "KeyType": "HASH"},
            {"AttributeName": "c1", "KeyType": "RANGE"},
            {"AttributeName": "d1", "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "ALL"},
    }
    kinds = {"p": "S", "a1": "S", "b1": "N", "c1": "N", "d1": "S"}
    table = make(
        GlobalSecondaryIndexes=[index],
        AttributeDefinitions=[
            {"AttributeName": key, "AttributeType": kind} for key, kind in kinds.items()
        ],
    )
    for number in range(6):
        item = {"p": s(str(number)), "a1": s("x"), "b1": n(1), "c1": n(number // 3)}
        db.put_item(TableName=table, Item={**item, "d1": s("cba"[number % 3])})
    query = {"TableName": table, "IndexName": "many"}
    values = {":a": s("x"), ":b": n(1), ":c": n(1), ":d": s("b")}
    answer = db.query(
        KeyConditionExpression="a1 = :a AND b1 = :b AND c1 = :c AND d1 >= :d",
        ExpressionAttributeValues=values,
        **query,
    )
    assert [item["p"]["S"] for item in answer["Items"]] == ["4", "3"]
    code, _ = refused(
        db.query,
        KeyConditionExpression="a1 = :a",
        ExpressionAttributeValues={":a": s("x")},
        **query,
    )
    assert code == "ValidationException"


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("s = :x", "Query condition missed key schema element: p"),
        ("p < :p", "Query key condition not supported"),
        ("p = :p OR s = :x", "Invalid operator used in KeyConditionExpression: OR"),
        ("p = :p AND v = :x", "Query condition missed key schema element: s"),
        (
            "p = :p AND s.a1 = :x",
            "KeyConditionExpressions cannot have conditions on nested attributes",
        ),
        (
            "p = :x",
            "One or more parameter values were invalid: Condition parameter type does not "
            "match schema type",
        ),
    ],
)
def test_what_a_query_cannot_ask(db, make, condition, said):
    table = make("p:S s:N")
    values = {":p": s("a"), ":x": n(1)}
    request = {
        "TableName": table,
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": {k: v for k, v in values.items() if k in condition},
    }
    assert refused(db.query, **request) == ("ValidationException", said)
