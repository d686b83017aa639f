"""BatchGetItem, BatchWriteItem, TransactGetItems, TransactWriteItems.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""

import pytest
from botocore.exceptions import ClientError
from tests.services.dynamodb.conftest import n, refused, s


def test_a_batch_writes_and_reads(db, make):
    table = make()
    db.put_item(TableName=table, Item={"p": s("old")})
    requests = [{"PutRequest": {"Item": {"p": s(str(one)), "v": n(one)}}} for one in range(24)]
    requests.append({"DeleteRequest": {"Key": {"p": s("old")}}})
    answer = db.batch_write_item(RequestItems={table: requests})
    assert answer["UnprocessedItems"] == {}
    keys = [{"p": s(key)} for key in ("1", "2", "old")]
    found = db.batch_get_item(RequestItems={table: {"Keys": keys, "ProjectionExpression": "v"}})
    assert found["Responses"][table] == [{"v": n(1)}, {"v": n(2)}]
    assert found["UnprocessedKeys"] == {}


def test_a_batch_asks_for_each_item_once(db, make):
    table = make()
    said = "Provided list of item keys contains duplicates"
    keys = [{"p": s("a")}, {"p": s("a")}]
    assert refused(db.batch_get_item, RequestItems={table: {"Keys": keys}})[1] == said
    puts = [{"PutRequest": {"Item": key}} for key in keys]
    assert refused(db.batch_write_item, RequestItems={table: puts})[1] == said
    many = [{"PutRequest": {"Item": {"p": s(str(one))}}} for one in range(26)]
    assert refused(db.batch_write_item, RequestItems={table: many})[0] == "ValidationException"


def test_sixteen_megabytes_are_read_and_the_rest_is_left(db, make):
    table = make()
    for one in range(45):
        db.put_item(TableName=table, Item={"p": s(str(one)), "v": s("x" * 390_000)})
    keys = [{"p": s(str(one))} for one in range(45)]
    answer = db.batch_get_item(RequestItems={table: {"Keys": keys}})
    left = answer["UnprocessedKeys"][table]["Keys"]
    assert len(answer["Responses"][table]) + len(left) == 45
    assert left
    rest = db.batch_get_item(RequestItems=answer["UnprocessedKeys"])
    assert len(rest["Responses"][table]) == len(left)


def test_a_transaction_is_all_or_nothing(db, make):
    table = make()
    db.put_item(TableName=table, Item={"p": s("a"), "v": n(1)})
    items = [
        {"Put": {"TableName": table, "Item": {"p": s("b")}}},
        {
            "ConditionCheck": {
                "TableName": table,
                "Key": {"p": s("a")},
                "ConditionExpression": "v = :v",
                "ExpressionAttributeValues": {":v": n(2)},
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        },
    ]
    with pytest.raises(ClientError) as caught:
        db.transact_write_items(TransactItems=items)
    answer = caught.value.response
    assert answer["Error"]["Code"] == "TransactionCanceledException"
    assert answer["Error"]["Message"] == (
        "Transaction cancelled, please refer cancellation reasons for specific reasons "
        "[None, ConditionalCheckFailed]"
    )
    assert answer["CancellationReasons"] == [
        {"Code": "None"},
        {
            "Code": "ConditionalCheckFailed",
            "Message": "The conditional request failed",
            "Item": {"p": s("a"), "v": n(1)},
        },
    ]
    assert "Item" not in db.get_item(TableName=table, Key={"p": s("b")})
    items[1]["ConditionCheck"]["ExpressionAttributeValues"] = {":v": n(1)}
    db.transact_write_items(TransactItems=items)
    gets = [{"Get": {"TableName": table, "Key": {"p": s(key)}}} for key in ("b", "nobody")]
    answer = db.transact_get_items(TransactItems=gets, ReturnConsumedCapacity="TOTAL")
    assert answer["Responses"] == [{"Item": {"p": s("b")}}, {}]
    assert answer["ConsumedCapacity"][0]["CapacityUnits"] == 4.0


def test_a_token_is_good_for_one_request(db, make):
    table = make()

    def add(amount):
        update = {
            "TableName": table,
            "Key": {"p": s("a")},
            "UpdateExpression": "ADD v :v",
            "ExpressionAttributeValues": {":v": n(amount)},
        }
        token = f"token-of-{table}"[:36]
        return {"TransactItems": [{"Update": update}], "ClientRequestToken": token}

    db.transact_write_items(**add(1))
    db.transact_write_items(**add(1))
    assert db.get_item(TableName=table, Key={"p": s("a")})["Item"]["v"] == n(1)
    code, _ = refused(db.transact_write_items, **add(2))
    assert code == "IdempotentParameterMismatchException"


def test_a_transaction_touches_an_item_once(db, make):
    table = make()
    put = {"Put": {"TableName": table, "Item": {"p": s("a")}}}
    delete = {"Delete": {"TableName": table, "Key": {"p": s("a")}}}
    assert refused(db.transact_write_items, TransactItems=[put, delete])[1] == (
        "Transaction request cannot include multiple operations on one item"
    )


def test_an_item_that_does_not_fit_its_table_is_a_reason(db, make):
    table = make()
    parts = [
        {"Put": {"TableName": table, "Item": {"p": s("a")}}},
        {"Put": {"TableName": table, "Item": {"p": n(1)}}},
        {"Put": {"TableName": table, "Item": {"q": n(1)}}},
    ]
    with pytest.raises(ClientError) as caught:
        db.transact_write_items(TransactItems=parts)
    reasons = caught.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "ValidationError", "None"]
    assert reasons[1]["Message"].endswith("Type mismatch for key p expected: S actual: N")
