"""Subscriptions: of queues, functions and endpoints; filters; confirmation; retries.

https://docs.aws.amazon.com/sns/latest/dg/sns-create-subscribe-endpoint-to-topic.html
"""

from __future__ import annotations

import base64
import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from tests.services.sns.conftest import Endpoint, Stand

Refusal = Callable[..., tuple[str, str]]


def visit(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        text: str = answer.read().decode()
    return text


def test_a_subscription_is_described_changed_and_ended(stand: Stand, refusal: Refusal) -> None:
    topic = stand.topic()
    url = stand.queue(topic)
    arn = stand.subscribe(topic, url, RawMessageDelivery="true")
    assert stand.subscribe(topic, url) == arn
    has = stand.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert has["Protocol"] == "sqs"
    assert has["Endpoint"] == stand.arn(url)
    assert (has["PendingConfirmation"], has["RawMessageDelivery"]) == ("false", "true")
    stand.sns.set_subscription_attributes(
        SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue='{"a": ["b"]}'
    )
    has = stand.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
    assert has["FilterPolicyScope"] == "MessageAttributes"
    [listed] = stand.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert (listed["SubscriptionArn"], listed["Endpoint"]) == (arn, stand.arn(url))
    pages = stand.sns.get_paginator("list_subscriptions").paginate()
    assert arn in [one["SubscriptionArn"] for page in pages for one in page["Subscriptions"]]
    stand.sns.unsubscribe(SubscriptionArn=arn)
    stand.sns.unsubscribe(SubscriptionArn=arn)
    code, told = refusal(stand.sns.get_subscription_attributes, SubscriptionArn=arn)
    assert (code, told) == ("NotFound", "Subscription does not exist")
    has = stand.sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (has["SubscriptionsConfirmed"], has["SubscriptionsDeleted"]) == ("0", "1")


@pytest.mark.parametrize(
    ("policy", "passing", "failing"),
    [
        ({"s": ["a", "b"]}, {"s": ("String", "b")}, {"s": ("String", "c")}),
        ({"s": [{"prefix": "ab"}]}, {"s": ("String", "abc")}, {"s": ("String", "bc")}),
        ({"s": [{"anything-but": ["x"]}]}, {"s": ("String", "y")}, {"s": ("String", "x")}),
        ({"n": [{"numeric": [">=", 5]}]}, {"n": ("Number", "5")}, {"n": ("Number", "4.9")}),
        ({"n": [5]}, {"n": ("Number", "5.0")}, {"n": ("String", "5")}),
        ({"s": [{"exists": False}]}, {"t": ("String", "x")}, {"s": ("String", "x")}),
        ({"l": ["b"]}, {"l": ("String.Array", '["a", "b"]')}, {"l": ("String.Array", '["a"]')}),
        ({"a": ["1"], "b": ["2"]}, {"a": ("String", "1"), "b": ("String", "2")},
         {"a": ("String", "1")}),
        ({"$or": [{"a": ["1"]}, {"b": ["2"]}]}, {"b": ("String", "2")}, {"b": ("String", "1")}),
    ],
)  # fmt: skip
def test_filters_ask_for_attributes(
    stand: Stand, policy: Any, passing: dict[str, Any], failing: dict[str, Any]
) -> None:
    """https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html"""
    topic = stand.topic()
    url = stand.queue(topic)
    stand.subscribe(topic, url, FilterPolicy=json.dumps(policy), RawMessageDelivery="true")
    for text, given in (("no", failing), ("yes", passing), ("plain no", {})):
        attributes = {
            name: {"DataType": kind, "StringValue": value} for name, (kind, value) in given.items()
        }
        if given or "exists" not in str(policy):
            stand.sns.publish(TopicArn=topic, Message=text, MessageAttributes=attributes)
    stand.sns.publish(
        TopicArn=topic,
        Message="yes",
        MessageAttributes={
            name: {"DataType": kind, "StringValue": value}
            for name, (kind, value) in passing.items()
        },
    )
    assert [message["Body"] for message in stand.take(url, 2)] == ["yes", "yes"]


def test_filters_ask_for_the_body(stand: Stand) -> None:
    """https://docs.aws.amazon.com/sns/latest/dg/sns-message-filtering-scope.html"""
    topic = stand.topic()
    url = stand.queue(topic)
    policy = json.dumps({"order": {"total": [{"numeric": [">", 10]}]}})
    stand.subscribe(
        topic, url, FilterPolicy=policy, FilterPolicyScope="MessageBody", RawMessageDelivery="true"
    )
    bodies = ["no json", '{"order": {"total": 5}}', '{"order": {"total": 11}}']
    for body in bodies:
        stand.sns.publish(TopicArn=topic, Message=body)
    assert [message["Body"] for message in stand.take(url)] == bodies[2:]


def test_an_endpoint_confirms_and_gets_messages(stand: Stand, endpoint: Endpoint) -> None:
    """https://docs.aws.amazon.com/sns/latest/dg/sns-http-https-endpoint-as-subscriber.html"""
    topic = stand.topic()
    made = stand.sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint.url)
    assert made["SubscriptionArn"] == "pending confirmation"
    [(headers, body)] = endpoint.wait(1)
    asked = json.loads(body)
    assert headers["x-amz-sns-message-type"] == asked["Type"] == "SubscriptionConfirmation"
    assert headers["content-type"] == "text/plain; charset=UTF-8"
    check_signature(asked, ("SubscribeURL", "Timestamp", "Token"))
    stand.sns.publish(TopicArn=topic, Message="too early")
    [listed] = stand.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed["SubscriptionArn"] == "PendingConfirmation"
    text = visit(asked["SubscribeURL"])
    stand.sns.publish(TopicArn=topic, Message="hello")
    headers, body = endpoint.wait(2)[1]
    assert json.loads(body)["Message"] == "hello"
    assert headers["x-amz-sns-message-type"] == "Notification"
    assert headers["x-amz-sns-topic-arn"] == topic
    assert f"<SubscriptionArn>{headers['x-amz-sns-subscription-arn']}</" in text
    visit(json.loads(body)["UnsubscribeURL"])
    headers, body = endpoint.wait(3)[2]
    assert json.loads(body)["Type"] == "UnsubscribeConfirmation"
    stand.sns.publish(TopicArn=topic, Message="too late")
    visit(json.loads(body)["SubscribeURL"])
    stand.sns.publish(TopicArn=topic, Message="back")
    assert json.loads(endpoint.wait(4)[3][1])["Message"] == "back"


def check_signature(message: dict[str, Any], more: tuple[str, ...]) -> None:
    key = x509.load_pem_x509_certificate(visit(message["SigningCertURL"]).encode()).public_key()
    assert isinstance(key, RSAPublicKey)
    names = ("Message", "MessageId", *more, "TopicArn", "Type")
    text = "".join(f"{name}\n{message[name]}\n" for name in names)
    signature = base64.b64decode(message["Signature"])
    key.verify(signature, text.encode(), padding.PKCS1v15(), hashes.SHA1())


def confirmed(stand: Stand, topic: str, endpoint: Endpoint, **attributes: str) -> str:
    stand.sns.subscribe(
        TopicArn=topic, Protocol="http", Endpoint=endpoint.url, Attributes=attributes
    )
    token = json.loads(endpoint.wait(1)[0][1])["Token"]
    arn: str = stand.sns.confirm_subscription(TopicArn=topic, Token=token)["SubscriptionArn"]
    return arn


def test_a_wrong_token_confirms_nothing(stand: Stand, refusal: Refusal) -> None:
    code, told = refusal(stand.sns.confirm_subscription, TopicArn=stand.topic(), Token="0" * 256)
    assert (code, told) == ("InvalidParameter", "Invalid parameter: Token")


def test_a_failing_endpoint_is_tried_again_and_stops_nobody(
    stand: Stand, endpoint: Endpoint
) -> None:
    """https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html"""
    topic = stand.topic()
    url = stand.queue(topic)
    stand.subscribe(topic, url)
    retry = {"numRetries": 3, "numNoDelayRetries": 2, "minDelayTarget": 1, "maxDelayTarget": 1}
    policy = json.dumps({"healthyRetryPolicy": retry})
    arn = confirmed(stand, topic, endpoint, DeliveryPolicy=policy, RawMessageDelivery="true")
    endpoint.statuses = [500, 503, 429, 200]
    stand.sns.publish(TopicArn=topic, Message="again")
    assert stand.notices(url)[0]["Message"] == "again"
    got = endpoint.wait(5)[1:]
    assert [body for _, body in got] == ["again"] * 4
    assert {headers["x-amz-sns-rawdelivery"] for headers, _ in got} == {"true"}
    assert {headers["x-amz-sns-subscription-arn"] for headers, _ in got} == {arn}


def test_what_an_endpoint_refuses_goes_to_the_dead_letters(
    stand: Stand, endpoint: Endpoint
) -> None:
    topic = stand.topic()
    dead = stand.queue(topic)
    redrive = json.dumps({"deadLetterTargetArn": stand.arn(dead)})
    confirmed(stand, topic, endpoint, RedrivePolicy=redrive)
    endpoint.statuses = [404]
    stand.sns.publish(TopicArn=topic, Message="unwanted")
    [letter] = stand.take(dead)
    assert json.loads(letter["Body"])["Message"] == "unwanted"
    assert len(endpoint.got) == 2, "a refusal for good is not tried again"


def test_what_cannot_be_subscribed_is_refused(stand: Stand, refusal: Refusal) -> None:
    topic = stand.topic()
    queue = stand.arn(stand.queue())

    def refused(**words: Any) -> str:
        asked = {"TopicArn": topic, "Protocol": "sqs", "Endpoint": queue, **words}
        code, told = refusal(stand.sns.subscribe, **asked)
        assert code == "InvalidParameter"
        return told

    for protocol in ("email", "email-json", "sms", "application", "firehose"):
        told = refused(Protocol=protocol, Endpoint="somebody")
        assert (
            told == f"Invalid parameter: Protocol Reason: {protocol} is not supported by Cumulet."
        )
    assert "protocol string" in refused(Protocol="carrier-pigeon")
    assert "SQS endpoint ARN" in refused(Endpoint="nothing")
    assert "specified protocol" in refused(Protocol="https", Endpoint="http://x")
    assert "FIFO SQS Queues" in refused(Endpoint=queue + ".fifo")
    assert "FilterPolicy" in refused(Attributes={"FilterPolicy": "{"})
    assert "nested" in refused(Attributes={"FilterPolicy": '{"a": {"b": ["c"]}}'})
    assert "RawMessageDelivery" in refused(Attributes={"RawMessageDelivery": "perhaps"})
    assert "RedrivePolicy" in refused(Attributes={"RedrivePolicy": "{}"})
    assert "ReplayPolicy" in refused(Attributes={"ReplayPolicy": "{}"})


def test_a_function_gets_the_event(stand: Stand) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html"""
    out = stand.queue()
    lam = stand.cloud.client("lambda")
    name = stand.function(
        "import boto3, json, os\n"
        "def handler(event, context):\n"
        f"    boto3.client('sqs').send_message(QueueUrl={out!r}, MessageBody=json.dumps(event))\n"
    )
    arn = lam.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    topic = stand.topic()
    made = stand.sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    lam.add_permission(
        FunctionName=name,
        StatementId="sns",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=topic,
    )
    sent = stand.sns.publish(
        TopicArn=topic,
        Message="hello",
        MessageAttributes={"a": {"DataType": "String", "StringValue": "b"}},
    )
    [event] = stand.notices(out)
    [record] = event["Records"]
    assert record["EventSource"] == "aws:sns"
    assert record["EventSubscriptionArn"] == made["SubscriptionArn"]
    assert record["Sns"]["MessageId"] == sent["MessageId"]
    assert (record["Sns"]["Message"], record["Sns"]["Subject"]) == ("hello", None)
    assert record["Sns"]["MessageAttributes"] == {"a": {"Type": "String", "Value": "b"}}
    lam.delete_function(FunctionName=name)
