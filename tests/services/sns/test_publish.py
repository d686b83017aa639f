"""Messages to topics, and what queues that subscribed get of them.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
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
from tests.services.sns.conftest import Stand

Refusal = Callable[..., tuple[str, str]]


def test_a_message_comes_to_a_queue_in_its_envelope(stand: Stand) -> None:
    topic = stand.topic()
    url = stand.queue(topic)
    subscription = stand.subscribe(topic, url)
    sent = stand.sns.publish(
        TopicArn=topic,
        Message="hello",
        Subject="greeting",
        MessageAttributes={
            "kind": {"DataType": "String", "StringValue": "warm"},
            "raw": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
        },
    )
    [notice] = stand.notices(url)
    assert notice["Type"] == "Notification"
    assert notice["MessageId"] == sent["MessageId"]
    assert notice["TopicArn"] == topic
    assert (notice["Subject"], notice["Message"]) == ("greeting", "hello")
    assert notice["MessageAttributes"] == {
        "kind": {"Type": "String", "Value": "warm"},
        "raw": {"Type": "Binary", "Value": "AAE="},
    }
    assert subscription.rpartition(":")[2] in notice["UnsubscribeURL"]
    assert notice["Timestamp"].endswith("Z")


@pytest.mark.parametrize(("version", "digest"), [("1", hashes.SHA1()), ("2", hashes.SHA256())])
def test_a_message_is_signed(stand: Stand, version: str, digest: Any) -> None:
    """https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html"""
    topic = stand.topic(SignatureVersion=version)
    url = stand.queue(topic)
    stand.subscribe(topic, url)
    stand.sns.publish(TopicArn=topic, Message="hello", Subject="greeting")
    [notice] = stand.notices(url)
    assert notice["SignatureVersion"] == version
    with urllib.request.urlopen(notice["SigningCertURL"], timeout=10) as answer:
        key = x509.load_pem_x509_certificate(answer.read()).public_key()
    assert isinstance(key, RSAPublicKey)
    names = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
    text = "".join(f"{name}\n{notice[name]}\n" for name in names)
    signature = base64.b64decode(notice["Signature"])
    key.verify(signature, text.encode(), padding.PKCS1v15(), digest)


def test_raw_delivery_is_the_message_with_its_attributes(stand: Stand) -> None:
    topic = stand.topic()
    url = stand.queue(topic)
    stand.subscribe(topic, url, RawMessageDelivery="true")
    stand.sns.publish(
        TopicArn=topic,
        Message="plain",
        MessageAttributes={"n": {"DataType": "Number", "StringValue": "5"}},
    )
    [message] = stand.take(url)
    assert message["Body"] == "plain"
    assert message["MessageAttributes"] == {"n": {"DataType": "Number", "StringValue": "5"}}


def test_each_protocol_gets_its_text(stand: Stand) -> None:
    topic = stand.topic()
    url = stand.queue(topic)
    stand.subscribe(topic, url, RawMessageDelivery="true")
    texts = json.dumps({"default": "for all", "sqs": "for queues", "lambda": "for functions"})
    stand.sns.publish(TopicArn=topic, Message=texts, MessageStructure="json")
    stand.sns.publish(
        TopicArn=topic, Message=json.dumps({"default": "only"}), MessageStructure="json"
    )
    bodies = {message["Body"] for message in stand.take(url, 2)}
    assert bodies == {"for queues", "only"}


def test_a_queue_that_does_not_let_the_topic_in_gets_nothing(stand: Stand) -> None:
    topic, other = stand.topic(), stand.topic()
    closed, dead, opened = stand.queue(other), stand.queue(topic), stand.queue(topic)
    redrive = json.dumps({"deadLetterTargetArn": stand.arn(dead)})
    stand.subscribe(topic, closed, RedrivePolicy=redrive)
    stand.subscribe(topic, opened)
    stand.sns.publish(TopicArn=topic, Message="hello")
    assert stand.notices(opened)[0]["Message"] == "hello"
    [letter] = stand.take(dead)
    assert json.loads(letter["Body"])["Message"] == "hello"
    assert letter["MessageAttributes"]["ErrorCode"]["StringValue"] == "AccessDenied"
    has = stand.sqs.get_queue_attributes(QueueUrl=closed, AttributeNames=["All"])["Attributes"]
    assert has["ApproximateNumberOfMessages"] == "0"


def test_a_batch_tells_of_each_entry(stand: Stand, refusal: Refusal) -> None:
    topic = stand.topic()
    url = stand.queue(topic)
    stand.subscribe(topic, url, RawMessageDelivery="true")
    answer = stand.sns.publish_batch(
        TopicArn=topic,
        PublishBatchRequestEntries=[
            {"Id": "a", "Message": "one"},
            {"Id": "b", "Message": "two", "MessageStructure": "json"},
            {"Id": "c", "Message": "three"},
        ],
    )
    assert [one["Id"] for one in answer["Successful"]] == ["a", "c"]
    [failed] = answer["Failed"]
    assert (failed["Id"], failed["Code"], failed["SenderFault"]) == ("b", "InvalidParameter", True)
    assert {message["Body"] for message in stand.take(url, 2)} == {"one", "three"}
    same = [{"Id": "a", "Message": "x"}] * 2
    code, _ = refusal(stand.sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=same)
    assert code == "BatchEntryIdsNotDistinct"
    code, _ = refusal(stand.sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=[])
    assert code == "EmptyBatchRequest"
    many = [{"Id": str(n), "Message": "x"} for n in range(11)]
    code, _ = refusal(stand.sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=many)
    assert code == "TooManyEntriesInBatchRequest"
    long = [{"Id": str(n), "Message": "x" * 200_000} for n in range(2)]
    code, _ = refusal(stand.sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=long)
    assert code == "BatchRequestTooLong"


def test_what_cannot_be_published_is_refused_in_awss_words(stand: Stand, refusal: Refusal) -> None:
    """https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""
    topic = stand.topic()

    def refused(**words: Any) -> tuple[str, str]:
        return refusal(stand.sns.publish, **{"TopicArn": topic, "Message": "m", **words})

    assert refused(Message="") == ("InvalidParameter", "Invalid parameter: Empty message")
    assert refused(Message="x" * 262_145) == (
        "InvalidParameter",
        "Invalid parameter: Message too long",
    )
    assert refused(Subject="\n") == ("InvalidParameter", "Invalid parameter: Subject")
    assert refused(MessageStructure="json")[1] == (
        "Invalid parameter: Message Structure - JSON message body failed to parse"
    )
    assert refused(MessageStructure="json", Message="{}")[1] == (
        "Invalid parameter: Message Structure - No default entry in JSON message body"
    )
    assert refused(TopicArn=topic + "x") == ("NotFound", "Topic does not exist")
    assert refused(TopicArn="nothing")[0] == "InvalidParameter"
    assert refused(MessageDeduplicationId="d")[0] == "InvalidParameter"
    bad = {"n": {"DataType": "Number", "StringValue": "five"}}
    assert refused(MessageAttributes=bad)[0] == "ParameterValueInvalid"
    code, told = refusal(stand.sns.publish, PhoneNumber="+4912345", Message="m")
    assert (code, "not supported" in told) == ("InvalidParameter", True)


def test_a_fifo_topic_keeps_order_and_leaves_repeats_out(stand: Stand, refusal: Refusal) -> None:
    """https://docs.aws.amazon.com/sns/latest/dg/fifo-topic-message-ordering.html"""
    topic = stand.topic(fifo=True, ContentBasedDeduplication="true")
    url = stand.queue(topic, fifo=True)
    stand.subscribe(topic, url, RawMessageDelivery="true")
    sent = [
        stand.sns.publish(TopicArn=topic, Message=f"{n}", MessageGroupId="g") for n in range(12)
    ]
    again = stand.sns.publish(TopicArn=topic, Message="3", MessageGroupId="g")
    assert again["MessageId"] == sent[3]["MessageId"]
    assert again["SequenceNumber"] == sent[3]["SequenceNumber"]
    numbers = [one["SequenceNumber"] for one in sent]
    assert numbers == sorted(numbers)
    assert {len(number) for number in numbers} == {20}
    assert [message["Body"] for message in stand.take(url, 12)] == [str(n) for n in range(12)]
    _, told = refusal(stand.sns.publish, TopicArn=topic, Message="x")
    assert told == "Invalid parameter: The MessageGroupId parameter is required for FIFO topics"


def test_a_fifo_topic_without_content_deduplication_wants_an_id(
    stand: Stand, refusal: Refusal
) -> None:
    topic = stand.topic(fifo=True)
    url = stand.queue(topic, fifo=True)
    stand.subscribe(topic, url)
    words = {"TopicArn": topic, "Message": "x", "MessageGroupId": "g"}
    _, told = refusal(stand.sns.publish, **words)
    assert "ContentBasedDeduplication" in told
    stand.sns.publish(**words, MessageDeduplicationId="d")
    [notice] = stand.notices(url)
    assert "SequenceNumber" in notice
    assert "Signature" not in notice
