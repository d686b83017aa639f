"""BatchExecuteStatement and ExecuteTransaction, and who may execute statements."""

import json

import pytest
from tests.services.dynamodb.conftest import n, refused, s

NEEDS_KEY = "must specify the primary key in the where clause."


def put(db, table, *names):
    for one in names:
        db.put_item(TableName=table, Item={"p": s(one), "n": n(1)})


def test_each_statement_of_a_batch_is_answered_on_its_own(db, make):
    table = make()
    put(db, table, "a", "b")
    select = f'SELECT * FROM "{table}" WHERE'
    answer = db.batch_execute_statement(
        Statements=[
            {"Statement": f"{select} p = 'a'"},
            {"Statement": f"{select} p = ?", "Parameters": [s("absent")]},
            {"Statement": f"{select} n = 1"},
            {"Statement": f"{select} p ="},
            {"Statement": "SELECT * FROM \"nowhere-at-all\" WHERE p = 'a'"},
        ],
        ReturnConsumedCapacity="TOTAL",
    )
    first, second, third, fourth, fifth = answer["Responses"]
    assert first == {"TableName": table, "Item": {"p": s("a"), "n": n(1)}}
    assert second == {"TableName": table}
    assert (
        third["Error"]["Message"] == f"Select statements within BatchExecuteStatement {NEEDS_KEY}"
    )
    assert fourth["Error"]["Code"] == "ValidationError"
    assert fifth["Error"]["Code"] == "ResourceNotFound"
    assert answer["ConsumedCapacity"][0]["CapacityUnits"] == 1.0


def test_writes_of_a_batch_do_not_depend_on_each_other(db, make):
    table = make()
    put(db, table, "a")
    responses = db.batch_execute_statement(
        Statements=[
            {"Statement": f"INSERT INTO \"{table}\" VALUE {{'p': 'a'}}"},
            {"Statement": f"INSERT INTO \"{table}\" VALUE {{'p': 'b'}}"},
            {
                "Statement": f"UPDATE \"{table}\" SET n = 2 WHERE p = 'a' AND n = 9",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            },
        ]
    )["Responses"]
    codes = [one.get("Error", {}).get("Code") for one in responses]
    assert codes == ["DuplicateItem", None, "ConditionalCheckFailed"]
    assert responses[2]["Error"]["Item"] == {"p": s("a"), "n": n(1)}
    assert db.scan(TableName=table)["Count"] == 2
    mixed = [
        {"Statement": f"SELECT * FROM \"{table}\" WHERE p = 'a'"},
        {"Statement": f"DELETE FROM \"{table}\" WHERE p = 'a'"},
    ]
    assert refused(db.batch_execute_statement, Statements=mixed)[0] == "ValidationException"


def transact(db, *statements, **more):
    listed = [{"Statement": one} for one in statements]
    return db.execute_transaction(TransactStatements=listed, **more)["Responses"]


def test_a_transaction_reads_or_writes_everything(db, make):
    table = make()
    put(db, table, "a", "b")
    assert (
        transact(
            db,
            f"EXISTS(SELECT * FROM \"{table}\" WHERE p = 'b' AND n = 1)",
            f"UPDATE \"{table}\" SET n = n + 1 WHERE p = 'a'",
            f"INSERT INTO \"{table}\" VALUE {{'p': 'c'}}",
        )
        == []
    )
    found = transact(
        db,
        f"SELECT n FROM \"{table}\" WHERE p = 'a'",
        f"SELECT * FROM \"{table}\" WHERE p = 'c'",
        f"SELECT * FROM \"{table}\" WHERE p = 'absent'",
    )
    assert found == [{"Item": {"n": n(2)}}, {"Item": {"p": s("c")}}, {}]


def test_one_false_condition_cancels_a_transaction(db, make):
    table = make()
    put(db, table, "a", "b")
    with pytest.raises(db.exceptions.TransactionCanceledException) as caught:
        transact(
            db,
            f"UPDATE \"{table}\" SET n = 7 WHERE p = 'a'",
            f"INSERT INTO \"{table}\" VALUE {{'p': 'b'}}",
            f"EXISTS(SELECT * FROM \"{table}\" WHERE p = 'absent' AND n = 1)",
        )
    codes = [one["Code"] for one in caught.value.response["CancellationReasons"]]
    assert codes == ["None", "DuplicateItem", "ConditionalCheckFailed"]
    assert db.get_item(TableName=table, Key={"p": s("a")})["Item"]["n"] == n(1)


def test_a_token_makes_a_transaction_happen_once(db, make):
    table = make()
    put(db, table, "a")
    for _ in range(2):
        statement = f"UPDATE \"{table}\" SET n = n + 1 WHERE p = 'a'"
        transact(db, statement, ClientRequestToken="once-only")
    assert db.get_item(TableName=table, Key={"p": s("a")})["Item"]["n"] == n(2)


def test_a_transaction_tells_which_statement_is_wrong(db, make):
    table = make()
    good = f"UPDATE \"{table}\" SET n = 1 WHERE p = 'a'"
    listed = [{"Statement": good}, {"Statement": "UPDATE"}]
    assert refused(db.execute_transaction, TransactStatements=listed)[1].startswith(
        "Validation failed in TransactStatements[1]: Statement wasn't well formed"
    )
    bare = [{"Statement": f"EXISTS(SELECT * FROM \"{table}\" WHERE p = 'a')"}, {"Statement": good}]
    assert refused(db.execute_transaction, TransactStatements=bare)[1] == (
        "Validation failed in TransactStatements[0]: EXISTS() must contain a single item read with "
        "additional condition"
    )
    scan = [{"Statement": f'SELECT * FROM "{table}" WHERE n = 1'}]
    assert refused(db.execute_transaction, TransactStatements=scan)[1] == (
        "Validation failed in TransactStatements[0]: Select statements within ExecuteTransaction "
        f"{NEEDS_KEY}"
    )


@pytest.fixture
def user(cloud, name):
    """Makes a client of a user with one statement."""
    iam = cloud.client("iam")
    user_name = f"q-{name}"[:60]
    iam.create_user(UserName=user_name)
    key = iam.create_access_key(UserName=user_name)["AccessKey"]

    def make_client(**statement):
        document = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", **statement}}
        iam.put_user_policy(
            UserName=user_name, PolicyName="one", PolicyDocument=json.dumps(document)
        )
        return cloud.client("dynamodb", key=(key["AccessKeyId"], key["SecretAccessKey"]))

    yield make_client
    iam.delete_user_policy(UserName=user_name, PolicyName="one")
    iam.delete_access_key(UserName=user_name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=user_name)


def denied(call, **request):
    return refused(call, **request)[0] == "AccessDeniedException"


def test_each_kind_of_statement_is_a_permission_of_its_own(db, make, user):
    table = make()
    put(db, table, "a")
    arn = db.describe_table(TableName=table)["Table"]["TableArn"]
    client = user(Action="dynamodb:PartiQLSelect", Resource=arn)
    run = client.execute_statement
    assert run(Statement=f"SELECT * FROM \"{table}\" WHERE p = 'a'")["Items"]
    assert denied(run, Statement=f"INSERT INTO \"{table}\" VALUE {{'p': 'b'}}")
    assert denied(run, Statement=f"UPDATE \"{table}\" SET n = 2 WHERE p = 'a'")
    assert denied(run, Statement=f"DELETE FROM \"{table}\" WHERE p = 'a'")
    batch = [{"Statement": f"DELETE FROM \"{table}\" WHERE p = 'a'"}]
    assert denied(client.batch_execute_statement, Statements=batch)
    assert denied(client.execute_transaction, TransactStatements=batch)


def test_a_policy_can_refuse_scans_and_other_partitions(db, make, user):
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html"""
    table = make()
    put(db, table, "a", "b")
    arn = db.describe_table(TableName=table)["Table"]["TableArn"]
    condition = {"Bool": {"dynamodb:FullTableScan": "false"}}
    client = user(Action="dynamodb:PartiQL*", Resource=arn, Condition=condition)
    run = client.execute_statement
    assert run(Statement=f"SELECT * FROM \"{table}\" WHERE p IN ['a', 'b']")["Items"]
    assert denied(run, Statement=f'SELECT * FROM "{table}" WHERE n = 1')
    condition = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["a"]}}
    condition["Bool"] = {"dynamodb:FullTableScan": "false"}
    user(Action="dynamodb:PartiQL*", Resource=arn, Condition=condition)
    assert run(Statement=f"SELECT * FROM \"{table}\" WHERE p = 'a'")["Items"]
    assert denied(run, Statement=f"SELECT * FROM \"{table}\" WHERE p IN ['a', 'b']")
    assert denied(run, Statement=f"DELETE FROM \"{table}\" WHERE p = 'b'")
