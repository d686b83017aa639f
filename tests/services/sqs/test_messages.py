"""Messages of standard queues: sent, received, held, deleted, and dead in the end."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from typing import Any

import pytest


def receive(sqs: Any, url: str, **words: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sqs.receive_message(QueueUrl=url, **words).get("Messages", [])
    return found


def counts(sqs: Any, url: str) -> tuple[int, int, int]:
    has = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    names = ("", "NotVisible", "Delayed")
    one, two, three = (int(has[f"ApproximateNumberOfMessages{name}"]) for name in names)
    return one, two, three


def test_a_message_is_received_with_all_that_came_with_it(sqs: Any, make: Any) -> None:
    url = make()
    attributes = {
        "kind": {"DataType": "String", "StringValue": "greeting"},
        "size": {"DataType": "Number.int", "StringValue": "5"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    sent = sqs.send_message(
        QueueUrl=url,
        MessageBody="hällo\U0001f600",
        MessageAttributes=attributes,
        MessageSystemAttributes={
            "AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988"}
        },
    )
    assert sent["MD5OfMessageBody"] == hashlib.md5("hällo\U0001f600".encode()).hexdigest()
    # botocore itself compares the MD5 sums of what it receives.
    [message] = receive(sqs, url, AttributeNames=["All"], MessageAttributeNames=["All"])
    assert message["Body"] == "hällo\U0001f600"
    assert message["MessageId"] == sent["MessageId"]
    assert message["MessageAttributes"] == attributes
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    facts = message["Attributes"]
    assert facts["ApproximateReceiveCount"] == "1"
    assert facts["AWSTraceHeader"] == "Root=1-5759e988"
    assert facts["SenderId"] == "000000000000"
    assert abs(int(facts["SentTimestamp"]) / 1000 - time.time()) < 60
    assert "MessageGroupId" not in facts


def test_only_the_attributes_asked_for_are_told(sqs: Any, make: Any) -> None:
    url = make(VisibilityTimeout="0")
    attributes = {name: {"DataType": "String", "StringValue": name} for name in ("a.x", "a.y", "b")}
    sqs.send_message(QueueUrl=url, MessageBody="m", MessageAttributes=attributes)

    def told(*names: str) -> set[str]:
        [message] = receive(sqs, url, MessageAttributeNames=list(names))
        return set(message.get("MessageAttributes", {}))

    assert told() == set()
    assert told("a.*") == {"a.x", "a.y"}
    assert told("b", "a.x") == {"b", "a.x"}
    assert told(".*") == {"a.x", "a.y", "b"}


def test_a_received_message_is_held_until_it_is_deleted(sqs: Any, make: Any) -> None:
    url = make()
    sqs.send_message(QueueUrl=url, MessageBody="once")
    assert counts(sqs, url) == (1, 0, 0)
    [message] = receive(sqs, url)
    assert receive(sqs, url) == []
    assert counts(sqs, url) == (0, 1, 0)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert counts(sqs, url) == (0, 0, 0)
    # What is gone may be deleted again.
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def test_a_message_comes_back_when_its_time_is_over(sqs: Any, make: Any) -> None:
    url = make(VisibilityTimeout="1")
    sqs.send_message(QueueUrl=url, MessageBody="again")
    [first] = receive(sqs, url)
    [second] = receive(sqs, url, WaitTimeSeconds=5, AttributeNames=["All"])
    assert second["MessageId"] == first["MessageId"]
    assert second["Attributes"]["ApproximateReceiveCount"] == "2"
    assert second["ReceiptHandle"] != first["ReceiptHandle"]
    # An old handle deletes nothing, and is no error.
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    assert sum(counts(sqs, url)) == 1


def test_the_hold_is_changed_and_given_up(sqs: Any, make: Any, refusal: Any) -> None:
    url = make()
    sqs.send_message(QueueUrl=url, MessageBody="m")
    [message] = receive(sqs, url)
    handle = {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}
    sqs.change_message_visibility(**handle, VisibilityTimeout=0)
    assert counts(sqs, url) == (1, 0, 0)
    # Whoever received it last may hold it again, though its time is over: so AWS was recorded
    # (test_change_message_visibility_after_visibility_timeout_expiration).
    sqs.change_message_visibility(**handle, VisibilityTimeout=5)
    assert counts(sqs, url) == (0, 1, 0)
    sqs.change_message_visibility(**handle, VisibilityTimeout=0)
    [again] = receive(sqs, url)
    code, _ = refusal(sqs.change_message_visibility, **handle, VisibilityTimeout=5)
    assert code == "AWS.SimpleQueueService.MessageNotInflight"
    assert again["MessageId"] == message["MessageId"]
    code, words = refusal(
        sqs.change_message_visibility,
        QueueUrl=url,
        ReceiptHandle=again["ReceiptHandle"],
        VisibilityTimeout=43_201,
    )
    assert code == "InvalidParameterValue"
    assert "VisibilityTimeout" in words


def test_a_waiting_receiver_is_woken_at_once(sqs: Any, cloud: Any, make: Any) -> None:
    url = make()
    found: list[tuple[float, str]] = []
    waiter = cloud.client("sqs", read_timeout=40)

    def wait() -> None:
        [message] = receive(waiter, url, WaitTimeSeconds=20)
        found.append((time.monotonic(), message["Body"]))

    thread = threading.Thread(target=wait)
    thread.start()
    # Until the receiver waits, a send would be found by its first look.
    thread.join(0.5)
    sent = time.monotonic()
    sqs.send_message(QueueUrl=url, MessageBody="now")
    thread.join(20)
    [(when, body)] = found
    assert body == "now"
    assert when - sent < 5


def test_a_delayed_message_waits(sqs: Any, make: Any, refusal: Any) -> None:
    url = make()
    begin = time.monotonic()
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=1)
    assert counts(sqs, url) == (0, 0, 1)
    assert receive(sqs, url) == []
    [message] = receive(sqs, url, WaitTimeSeconds=10)
    assert message["Body"] == "later"
    assert time.monotonic() - begin >= 0.9
    code, _ = refusal(sqs.send_message, QueueUrl=url, MessageBody="m", DelaySeconds=901)
    assert code == "InvalidParameterValue"


def test_batches_succeed_and_fail_entry_by_entry(sqs: Any, make: Any, refusal: Any) -> None:
    url = make()
    entries = [
        {"Id": "good", "MessageBody": "fine"},
        {"Id": "bad", "MessageBody": "\x01"},
        {"Id": "late", "MessageBody": "m", "DelaySeconds": 901},
    ]
    answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert [one["Id"] for one in answer["Successful"]] == ["good"]
    failed = {one["Id"]: (one["Code"], one["SenderFault"]) for one in answer["Failed"]}
    assert failed == {
        "bad": ("InvalidMessageContents", True),
        "late": ("InvalidParameterValue", True),
    }
    [message] = receive(sqs, url, MaxNumberOfMessages=10)
    handles: list[dict[str, Any]] = [
        {"Id": "a", "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 100},
        {"Id": "b", "ReceiptHandle": "nonsense", "VisibilityTimeout": 100},
    ]
    changed = sqs.change_message_visibility_batch(QueueUrl=url, Entries=handles)
    assert [one["Id"] for one in changed["Successful"]] == ["a"]
    assert changed["Failed"][0]["Code"] == "ReceiptHandleIsInvalid"
    deleted = sqs.delete_message_batch(
        QueueUrl=url,
        Entries=[{k: v for k, v in one.items() if k != "VisibilityTimeout"} for one in handles],
    )
    assert [one["Id"] for one in deleted["Successful"]] == ["a"]
    assert counts(sqs, url) == (0, 0, 0)
    twenty = [{"Id": str(number), "MessageBody": "m"} for number in range(20)]
    assert refusal(sqs.send_message_batch, QueueUrl=url, Entries=twenty) == (
        "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        "Maximum number of entries per request are 10. You have sent 20.",
    )
    assert refusal(
        sqs.send_message_batch, QueueUrl=url, Entries=[{"Id": "a b", "MessageBody": "m"}]
    ) == (
        "AWS.SimpleQueueService.InvalidBatchEntryId",
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It "
        "can be at most 80 letters long.",
    )
    same = [{"Id": "a", "MessageBody": "m"}] * 2
    code, _ = refusal(sqs.send_message_batch, QueueUrl=url, Entries=same)
    assert code == "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"
    assert refusal(
        sqs.send_message_batch,
        QueueUrl=url,
        Entries=[
            {"Id": "a", "MessageBody": "a" * 524_288},
            {"Id": "b", "MessageBody": "b" * 524_289},
        ],
    ) == (
        "AWS.SimpleQueueService.BatchRequestTooLong",
        "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.",
    )
    assert counts(sqs, url) == (0, 0, 0)


def test_messages_up_to_a_mebibyte_go_through_whole(sqs: Any, make: Any, refusal: Any) -> None:
    url = make()
    body = "x" * 1_048_576
    sqs.send_message(QueueUrl=url, MessageBody=body)
    [message] = receive(sqs, url)
    assert message["Body"] == body
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert refusal(sqs.send_message, QueueUrl=url, MessageBody=body + "x") == (
        "InvalidParameterValue",
        "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.",
    )
    small = make(MaximumMessageSize="1024")
    attribute = {"a": {"DataType": "String", "StringValue": "v" * 10}}
    words = {"QueueUrl": small, "MessageBody": "x" * 1_010, "MessageAttributes": attribute}
    assert refusal(sqs.send_message, **words) == (
        "InvalidParameterValue",
        "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.",
    )


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (
            {"MaxNumberOfMessages": 11},
            "InvalidParameterValue",
            "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and "
            "10, if provided.",
        ),
        (
            {"WaitTimeSeconds": 21},
            "InvalidParameterValue",
            "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if "
            "provided.",
        ),
        ({"VisibilityTimeout": -1}, "InvalidParameterValue", None),
        ({"ReceiveRequestAttemptId": "x"}, "InvalidParameterValue", None),
    ],
)
def test_receives_that_cannot_be_are_refused(
    sqs: Any, make: Any, refusal: Any, words: dict[str, Any], code: str, message: str | None
) -> None:
    found = refusal(sqs.receive_message, QueueUrl=make(), **words)
    assert found[0] == code
    assert message is None or found[1] == message


def test_attributes_that_cannot_be_are_refused(sqs: Any, make: Any, refusal: Any) -> None:
    url = make()

    def send(name: str, **value: Any) -> tuple[str, str]:
        return refusal(
            sqs.send_message, QueueUrl=url, MessageBody="m", MessageAttributes={name: value}
        )

    assert send("ErrorDetails", DataType="String", StringValue="") == (
        "InvalidParameterValue",
        "Message (user) attribute 'ErrorDetails' must contain a non-empty value of type 'String'.",
    )
    assert send("n", DataType="Number", StringValue="ten")[0] == "InvalidParameterValue"
    assert send("aws.x", DataType="String", StringValue="v")[0] == "InvalidParameterValue"
    assert send("x", DataType="Text", StringValue="v")[0] == "InvalidParameterValue"
    assert refusal(sqs.send_message, QueueUrl=url, MessageBody="") == (
        "MissingParameter",
        "The request must contain the parameter MessageBody.",
    )
    code, _ = refusal(sqs.delete_message, QueueUrl=url, ReceiptHandle="nonsense")
    assert code == "ReceiptHandleIsInvalid"


def test_a_message_received_too_often_goes_to_the_dead_letters(
    sqs: Any, make: Any, arn_of: Any
) -> None:
    dead = make()
    redrive = json.dumps({"deadLetterTargetArn": arn_of(dead), "maxReceiveCount": 2})
    url = make(RedrivePolicy=redrive, VisibilityTimeout="0")
    sent = sqs.send_message(QueueUrl=url, MessageBody="poison")
    assert len(receive(sqs, url)) == 1
    assert len(receive(sqs, url)) == 1
    assert receive(sqs, url) == []
    [letter] = receive(sqs, dead, AttributeNames=["All"])
    assert letter["MessageId"] == sent["MessageId"]
    assert letter["Attributes"]["DeadLetterQueueSourceArn"] == arn_of(url)
    assert counts(sqs, url) == (0, 0, 0)


def test_ten_receivers_get_every_message_once(sqs: Any, cloud: Any, make: Any) -> None:
    url = make()
    bodies = {str(number) for number in range(200)}
    ordered = sorted(bodies)
    for start in range(0, 200, 10):
        entries = [{"Id": one, "MessageBody": one} for one in ordered[start : start + 10]]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    found: list[str] = []

    def work() -> None:
        client = cloud.client("sqs")
        while messages := receive(client, url, MaxNumberOfMessages=10):
            found.extend(message["Body"] for message in messages)
            entries = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(messages)
            ]
            client.delete_message_batch(QueueUrl=url, Entries=entries)

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(found) == ordered
    assert counts(sqs, url) == (0, 0, 0)


def test_the_query_protocol_answers_the_same(cloud: Any, make: Any) -> None:
    """As clients before 2023 speak: a form in, XML out, the queue's URL as the address."""
    import urllib.request

    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    url = make()

    def ask(**form: str) -> str:
        body = "&".join(f"{key}={value}" for key, value in form.items())
        signed = AWSRequest(
            "POST", url, data=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
        )
        SigV4Auth(cloud.session().get_credentials(), "sqs", "us-east-1").add_auth(signed)
        request = urllib.request.Request(url, body.encode(), dict(signed.headers))
        with urllib.request.urlopen(request, timeout=30) as answer:
            text: str = answer.read().decode()
            return text

    version = {"Version": "2012-11-05"}
    sent = ask(Action="SendMessage", MessageBody="form", **version)
    assert f"<MD5OfMessageBody>{hashlib.md5(b'form').hexdigest()}</MD5OfMessageBody>" in sent
    received = ask(Action="ReceiveMessage", MaxNumberOfMessages="10", **version)
    assert "<Body>form</Body>" in received
    assert "<ReceiveMessageResult><Message>" in received
