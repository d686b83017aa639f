"""Integrations straight with tables and queues, as AWS's tutorials make them.

https://docs.aws.amazon.com/apigateway/latest/developerguide/integrating-api-with-aws-services-sqs.html
https://aws.amazon.com/blogs/compute/using-amazon-api-gateway-as-a-proxy-for-dynamodb/
"""

from __future__ import annotations

import json

import pytest
from tests.services.apigateway.backend.conftest import responses, unique

JSON = "application/json"


def aws(api, place, service, what, credentials, **more):
    return api.client.put_integration(
        **place,
        type="AWS",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:us-east-1:{service}:{what}",
        credentials=credentials,
        **more,
    )


@pytest.fixture
def table(cloud):
    client = cloud.client("dynamodb")
    name = unique("t")
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    yield name
    client.delete_table(TableName=name)


def test_items_of_a_table(cloud, api, role, table):
    arn = role("dynamodb:PutItem", "dynamodb:GetItem")
    put = api.method("POST", "items")
    item = {"id": {"S": "ID"}, "text": {"S": "TEXT"}}
    template = json.dumps({"TableName": table, "Item": item})
    template = template.replace("ID", "$context.requestId").replace("TEXT", "$input.path('$.text')")
    aws(api, put, "dynamodb", "action/PutItem", arn, requestTemplates={JSON: template})
    responses(api, put, "200", "400", responseTemplates={JSON: '{"id": "$context.requestId"}'})
    get = api.method("GET", "items", "{id}", requestParameters={"method.request.path.id": True})
    key = json.dumps({"TableName": table, "Key": {"id": {"S": "ID"}}})
    key = key.replace("ID", "$input.params('id')")
    aws(api, get, "dynamodb", "action/GetItem", arn, requestTemplates={JSON: key})
    shape = (
        "#set($item = $input.path('$.Item'))"
        "#if($item == '')#set($context.responseOverride.status = 404){}"
        '#else{"text": "$item.text.S"}#end'
    )
    responses(api, get, "200", "400", responseTemplates={JSON: shape})
    api.deploy()
    made = api.call("POST", "/items", body=b'{"text": "hello"}')
    assert made.status == 200
    found = api.call("GET", f"/items/{made.json['id']}")
    assert (found.status, found.json) == (200, {"text": "hello"})
    missing = api.call("GET", "/items/none")
    assert (missing.status, missing.json) == (404, {})


def test_messages_by_path_and_by_action(cloud, api, role):
    queues = cloud.client("sqs")
    name = unique("q")
    url = queues.create_queue(QueueName=name)["QueueUrl"]
    account = cloud.client("sts").get_caller_identity()["Account"]
    arn = role("sqs:SendMessage")
    by_path = api.method("POST", "path")
    aws(
        api,
        by_path,
        "sqs",
        f"path/{account}/{name}",
        arn,
        requestParameters={
            "integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"
        },
        requestTemplates={JSON: "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"},
    )
    by_action = api.method(
        "POST", "action", requestParameters={"method.request.querystring.text": True}
    )
    aws(
        api,
        by_action,
        "sqs",
        "action/SendMessage",
        arn,
        requestParameters={
            "integration.request.querystring.MessageBody": "method.request.querystring.text",
            "integration.request.querystring.QueueUrl": f"'{url}'",
        },
        requestTemplates={JSON: ""},
    )
    for place in (by_path, by_action):
        responses(api, place, "200", "400", "403")
    api.deploy()
    path = api.call("POST", "/path", body=b'{"a": "b&c"}')
    assert path.status == 200, path.body
    action = api.call("POST", "/action?text=by%20action")
    assert action.status == 200, action.body
    bodies = set()
    while len(bodies) < 2:
        got = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
        bodies |= {one["Body"] for one in got["Messages"]}
    assert bodies == {'{"a": "b&c"}', "by action"}
    queues.delete_queue(QueueUrl=url)
