"""Who may do what: identity policies with DynamoDB's condition keys, and tables' own policies.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
"""

import json

import pytest
from tests.services.dynamodb.conftest import n, refused, s


@pytest.fixture
def user(cloud, name):
    """Makes a client of a user who is allowed what the statements say."""
    iam = cloud.client("iam")
    user_name = f"u-{name}"[:60]
    iam.create_user(UserName=user_name)
    key = iam.create_access_key(UserName=user_name)["AccessKey"]

    def make_client(*statements, **statement):
        given = [*statements, statement] if statement else [*statements]
        if given:
            allowed = [{"Effect": "Allow", **each} for each in given]
            document = {"Version": "2012-10-17", "Statement": allowed}
            iam.put_user_policy(
                UserName=user_name, PolicyName="one", PolicyDocument=json.dumps(document)
            )
        return cloud.client("dynamodb", key=(key["AccessKeyId"], key["SecretAccessKey"]))

    make_client.arn = iam.get_user(UserName=user_name)["User"]["Arn"]
    yield make_client
    for policy in iam.list_user_policies(UserName=user_name)["PolicyNames"]:
        iam.delete_user_policy(UserName=user_name, PolicyName=policy)
    iam.delete_access_key(UserName=user_name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=user_name)


def arn_of(db, table):
    return db.describe_table(TableName=table)["Table"]["TableArn"]


def denied(call, **request):
    code, message = refused(call, **request)
    return code == "AccessDeniedException" and "not authorized to perform" in message


def test_a_table_and_its_indexes_are_permitted_apart(db, make, user):
    table = make("p:S", gsi=[("by-g", "g:S")])
    client = user(Action="dynamodb:Query", Resource=f"{arn_of(db, table)}/index/by-g")
    query = {"TableName": table, "ExpressionAttributeValues": {":v": s("x")}}
    found = client.query(IndexName="by-g", KeyConditionExpression="g = :v", **query)
    assert found["Count"] == 0
    assert denied(client.query, KeyConditionExpression="p = :v", **query)


def test_leading_keys_keep_everyone_to_their_own_partition(db, make, user):
    table = make("p:S s:N")
    client = user(
        Action="dynamodb:*",
        Resource=arn_of(db, table),
        Condition={"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["mine"]}},
    )
    client.put_item(TableName=table, Item={"p": s("mine"), "s": n(1)})
    key = {"p": s("mine"), "s": n(1)}
    assert "Item" in client.get_item(TableName=table, Key=key)
    query = {"TableName": table, "KeyConditionExpression": "p = :p"}
    assert client.query(ExpressionAttributeValues={":p": s("mine")}, **query)["Count"] == 1
    yours = {"p": s("yours"), "s": n(1)}
    assert denied(client.get_item, TableName=table, Key=yours)
    assert denied(client.put_item, TableName=table, Item=yours)
    assert denied(client.query, ExpressionAttributeValues={":p": s("yours")}, **query)
    assert denied(client.batch_get_item, RequestItems={table: {"Keys": [key, yours]}})
    put = {"PutRequest": {"Item": yours}}
    assert denied(client.batch_write_item, RequestItems={table: [put]})
    part = {"Put": {"TableName": table, "Item": yours}}
    assert denied(client.transact_write_items, TransactItems=[part])


def test_attributes_may_be_named_one_by_one(db, make, user):
    table = make()
    client = user(
        Action=["dynamodb:GetItem", "dynamodb:UpdateItem"],
        Resource=arn_of(db, table),
        Condition={
            "ForAllValues:StringEquals": {"dynamodb:Attributes": ["p", "open"]},
            "StringEqualsIfExists": {"dynamodb:Select": "SPECIFIC_ATTRIBUTES"},
        },
    )
    key = {"TableName": table, "Key": {"p": s("a")}}
    client.get_item(ProjectionExpression="#o", ExpressionAttributeNames={"#o": "open"}, **key)
    assert denied(client.get_item, ProjectionExpression="secret", **key)
    assert denied(client.get_item, **key)
    values = {":v": n(1)}
    assert denied(
        client.update_item,
        UpdateExpression="SET secret = :v",
        ExpressionAttributeValues=values,
        **key,
    )


def test_a_transaction_needs_the_permission_of_each_part(db, make, user):
    table = make()
    client = user(Action="dynamodb:PutItem", Resource=arn_of(db, table))
    put = {"Put": {"TableName": table, "Item": {"p": s("a")}}}
    delete = {"Delete": {"TableName": table, "Key": {"p": s("b")}}}
    client.transact_write_items(TransactItems=[put])
    assert denied(client.transact_write_items, TransactItems=[put, delete])


def test_each_table_of_a_transaction_is_asked_for_its_own_parts_alone(db, make, user):
    first = make()
    second = f"{first[:200]}-second"
    key = {"AttributeName": "p"}
    db.create_table(
        TableName=second, BillingMode="PAY_PER_REQUEST",
        KeySchema=[{**key, "KeyType": "HASH"}],
        AttributeDefinitions=[{**key, "AttributeType": "S"}],
    )  # fmt: skip
    db.get_waiter("table_exists").wait(TableName=second, WaiterConfig={"Delay": 1})
    client = user(
        {"Action": "dynamodb:PutItem", "Resource": arn_of(db, first)},
        {"Action": "dynamodb:DeleteItem", "Resource": arn_of(db, second)},
    )

    def put(table):
        return {"Put": {"TableName": table, "Item": {"p": s("a")}}}

    def delete(table):
        return {"Delete": {"TableName": table, "Key": {"p": s("b")}}}

    client.transact_write_items(TransactItems=[put(first), delete(second)])
    assert denied(client.transact_write_items, TransactItems=[put(second), delete(first)])
    db.delete_table(TableName=second)


def test_a_tables_own_policy_allows_and_denies(db, make, user):
    table = make()
    arn = arn_of(db, table)
    client = user()
    key = {"p": s("a")}
    assert denied(client.get_item, TableName=table, Key=key)

    def statement(effect, action):
        return {
            "Effect": effect,
            "Principal": {"AWS": user.arn},
            "Action": action,
            "Resource": arn,
        }

    def attach(*statements):
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        db.put_resource_policy(ResourceArn=arn, Policy=json.dumps(document))

    attach(statement("Allow", "dynamodb:GetItem"))
    client.get_item(TableName=table, Key=key)
    allowed = user(Action="dynamodb:*", Resource="*")
    attach(statement("Deny", "dynamodb:BatchGetItem"), statement("Deny", "dynamodb:DeleteItem"))
    allowed.get_item(TableName=table, Key=key)
    assert denied(allowed.batch_get_item, RequestItems={table: {"Keys": [key]}})
    delete = {"Delete": {"TableName": table, "Key": key}}
    assert denied(allowed.transact_write_items, TransactItems=[delete])


def test_streams_are_permitted_by_their_own_names(cloud, db, make, user):
    table = make(StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    arn = db.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    user(Action=["dynamodb:DescribeStream", "dynamodb:GetShardIterator"], Resource=arn)
    credentials = user()._request_signer._credentials
    client = cloud.client("dynamodbstreams", key=(credentials.access_key, credentials.secret_key))
    shard = client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = client.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="LATEST")[
        "ShardIterator"
    ]
    assert denied(client.get_records, ShardIterator=iterator)
