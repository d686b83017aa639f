"""Requests that become events of EventBridge, without a function between.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html
"""

from __future__ import annotations

import json
import uuid

import pytest


@pytest.fixture
def bus(cloud):
    """The name of a bus, and the URL of the queue that all its events go to."""
    events, sqs = cloud.client("events"), cloud.client("sqs")
    name = f"http-{uuid.uuid4().hex[:8]}"
    events.create_event_bus(Name=name)
    rule = events.put_rule(
        Name=name, EventBusName=name, EventPattern='{"source": [{"prefix": ""}]}'
    )["RuleArn"]
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    events.put_targets(Rule=name, EventBusName=name, Targets=[{"Id": "q", "Arn": arn}])
    return name, url


@pytest.fixture
def put(http_api, role_of_functions, bus):
    """The API's `POST /orders` puts an event on the bus."""
    backend_id = http_api.integration(
        IntegrationType="AWS_PROXY",
        IntegrationSubtype="EventBridge-PutEvents",
        CredentialsArn=role_of_functions,
        PayloadFormatVersion="1.0",
        RequestParameters={
            "Detail": "$request.body",
            "DetailType": "order ${request.header.kind}",
            "Source": "shop.orders",
            "EventBusName": bus[0],
            "Time": "$request.querystring.at",
            "Resources": "$request.header.about",
        },
    )
    http_api.route("POST /orders", backend_id)


def allow(cloud, role, bus):
    statement = {
        "Effect": "Allow",
        "Action": "events:PutEvents",
        "Resource": f"arn:aws:events:*:*:event-bus/{bus}",
    }
    cloud.client("iam").put_role_policy(
        RoleName=role.rpartition("/")[2],
        PolicyName=bus,
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statement}),
    )


@pytest.mark.usefixtures("put")
def test_a_request_becomes_an_event_as_the_role(cloud, http_api, role_of_functions, bus):
    name, url = bus
    order = json.dumps({"id": 7, "lines": ["a", "b"]}).encode()
    headers = {"kind": "made", "about": "arn:one, arn:two", "Content-Type": "application/json"}
    refusal = http_api.call("POST", "/orders", headers=headers, body=order)
    assert refusal.status == 403
    allow(cloud, role_of_functions, name)
    answer = http_api.call("POST", "/orders?at=2024-05-06T07:08:09Z", headers=headers, body=order)
    assert (answer.status, answer.json["FailedEntryCount"]) == (200, 0)
    [entry] = answer.json["Entries"]
    [message] = cloud.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    event = json.loads(message["Body"])
    assert event["id"] == entry["EventId"]
    assert (event["source"], event["detail-type"]) == ("shop.orders", "order made")
    assert event["detail"] == {"id": 7, "lines": ["a", "b"]}
    assert event["time"] == "2024-05-06T07:08:09Z"
    assert event["resources"] == ["arn:one", "arn:two"]


@pytest.mark.usefixtures("put")
@pytest.mark.parametrize(
    ("query", "body"), [("", b""), ("?at=tomorrow", b"{}"), ("?at=2024-05-06T07:08:09", b"{}")]
)
def test_a_request_that_makes_no_event_is_refused(http_api, query, body):
    answer = http_api.call("POST", f"/orders{query}", headers={"kind": "x"}, body=body)
    assert (answer.status, answer.body) == (400, b'{"message":"Bad Request"}')


def test_what_eventbridge_refuses_of_an_entry_is_told(cloud, http_api, role_of_functions, bus, put):
    allow(cloud, role_of_functions, bus[0])
    answer = http_api.call("POST", "/orders", headers={"kind": "x"}, body=b"no document")
    assert (answer.status, answer.json["FailedEntryCount"]) == (200, 1)
    assert answer.json["Entries"][0]["ErrorCode"] == "MalformedDetail"
