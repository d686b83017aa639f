"""FIFO queues: order within groups, each message once, one group's trouble no other's."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest


def send(sqs: Any, url: str, body: str, group: str = "g", **words: Any) -> dict[str, Any]:
    words = {"MessageDeduplicationId": body, **words}
    answer: dict[str, Any] = sqs.send_message(
        QueueUrl=url, MessageBody=body, MessageGroupId=group, **words
    )
    return answer


def receive(sqs: Any, url: str, most: int = 10, **words: Any) -> list[dict[str, Any]]:
    answer = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=most, AttributeNames=["All"], **words
    )
    found: list[dict[str, Any]] = answer.get("Messages", [])
    return found


def bodies(messages: list[dict[str, Any]]) -> list[str]:
    return [message["Body"] for message in messages]


def delete(sqs: Any, url: str, message: dict[str, Any]) -> None:
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def test_a_group_is_received_in_its_order(sqs: Any, make: Any) -> None:
    url = make(fifo=True)
    numbers = [send(sqs, url, str(number))["SequenceNumber"] for number in range(15)]
    assert numbers == sorted(numbers)
    assert all(len(number) == 20 for number in numbers)
    first = receive(sqs, url)
    assert bodies(first) == [str(number) for number in range(10)]
    # While any of them is in flight, nothing more of the group is handed out.
    assert receive(sqs, url) == []
    for message in first[:9]:
        delete(sqs, url, message)
    assert receive(sqs, url) == []
    delete(sqs, url, first[9])
    rest = receive(sqs, url)
    assert bodies(rest) == [str(number) for number in range(10, 15)]
    facts = rest[0]["Attributes"]
    assert (facts["MessageGroupId"], facts["MessageDeduplicationId"]) == ("g", "10")
    assert facts["SequenceNumber"] == numbers[10]


def test_groups_do_not_wait_for_one_another(sqs: Any, make: Any) -> None:
    url = make(fifo=True)
    for body, group in (("a1", "a"), ("a2", "a"), ("b1", "b"), ("b2", "b")):
        send(sqs, url, body, group)
    assert bodies(receive(sqs, url, 1)) == ["a1"]
    assert bodies(receive(sqs, url, 10)) == ["b1", "b2"]
    assert receive(sqs, url) == []


def test_what_comes_back_comes_first(sqs: Any, make: Any) -> None:
    url = make(fifo=True)
    for body in ("1", "2", "3"):
        send(sqs, url, body)
    [first] = receive(sqs, url, 1)
    sqs.change_message_visibility(
        QueueUrl=url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0
    )
    assert bodies(receive(sqs, url)) == ["1", "2", "3"]


def test_a_message_sent_again_is_taken_once(sqs: Any, make: Any) -> None:
    url = make(fifo=True)
    first = send(sqs, url, "m")
    again = send(sqs, url, "m")
    assert (again["MessageId"], again["SequenceNumber"]) == (
        first["MessageId"],
        first["SequenceNumber"],
    )
    [message] = receive(sqs, url)
    delete(sqs, url, message)
    # The five minutes count from the sending, whatever became of the message.
    send(sqs, url, "m")
    assert receive(sqs, url) == []


def test_deduplication_by_content_and_by_group(sqs: Any, make: Any, refusal: Any) -> None:
    url = make(
        fifo=True,
        ContentBasedDeduplication="true",
        DeduplicationScope="messageGroup",
        FifoThroughputLimit="perMessageGroupId",
    )
    for group in ("a", "a", "b"):
        sqs.send_message(QueueUrl=url, MessageBody="same", MessageGroupId=group)
    assert len(receive(sqs, url)) == 2
    plain = make(fifo=True)
    code, words = refusal(sqs.send_message, QueueUrl=plain, MessageBody="m", MessageGroupId="g")
    assert (code, words) == (
        "InvalidParameterValue",
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId "
        "provided explicitly",
    )


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ({}, "MissingParameter", "The request must contain the parameter MessageGroupId."),
        (
            {"MessageGroupId": "g", "MessageDeduplicationId": "a b"},
            "InvalidParameterValue",
            "Value a b for parameter MessageDeduplicationId is invalid. Reason: "
            "MessageDeduplicationId can only include alphanumeric and punctuation characters. 1 to "
            "128 in length.",
        ),
        (
            {"MessageGroupId": "g", "MessageDeduplicationId": "d", "DelaySeconds": 2},
            "InvalidParameterValue",
            "Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter "
            "that is not valid for this queue type.",
        ),
    ],
)
def test_messages_that_cannot_be_are_refused(
    sqs: Any, make: Any, refusal: Any, words: dict[str, Any], code: str, message: str
) -> None:
    url = make(fifo=True)
    assert refusal(sqs.send_message, QueueUrl=url, MessageBody="m", **words) == (code, message)


def test_the_time_of_a_handle_is_over(sqs: Any, make: Any, refusal: Any) -> None:
    url = make(fifo=True, VisibilityTimeout="0")
    send(sqs, url, "m")
    [message] = receive(sqs, url)
    code, words = refusal(sqs.delete_message, QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert code == "InvalidParameterValue"
    assert words.endswith("Reason: The receipt handle has expired.")


def test_a_receive_that_was_lost_is_asked_for_again(sqs: Any, make: Any) -> None:
    url = make(fifo=True)
    for body in ("1", "2"):
        send(sqs, url, body)
    first = receive(sqs, url, 1, ReceiveRequestAttemptId="try")
    again = receive(sqs, url, 1, ReceiveRequestAttemptId="try")
    assert bodies(first) == bodies(again) == ["1"]
    assert receive(sqs, url, 1, ReceiveRequestAttemptId="other") == []
    delete(sqs, url, again[0])
    assert bodies(receive(sqs, url, 1)) == ["2"]


def test_dead_letters_let_the_group_go_on(sqs: Any, make: Any, arn_of: Any) -> None:
    dead = make(fifo=True)
    redrive = json.dumps({"deadLetterTargetArn": arn_of(dead), "maxReceiveCount": 1})
    url = make(fifo=True, RedrivePolicy=redrive)
    for body in ("poison", "fine"):
        send(sqs, url, body)
    [message] = receive(sqs, url, 1)
    sqs.change_message_visibility(
        QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
    )
    assert bodies(receive(sqs, url)) == ["fine"]
    assert bodies(receive(sqs, dead)) == ["poison"]


def test_order_holds_under_many_senders_and_receivers(sqs: Any, cloud: Any, make: Any) -> None:
    url = make(fifo=True)
    groups = [f"g{number}" for number in range(4)]
    each = 15
    seen: dict[str, list[int]] = {group: [] for group in groups}

    def produce(group: str) -> None:
        client = cloud.client("sqs")
        for number in range(each):
            send(client, url, f"{group}-{number}", group)

    def consume() -> None:
        client = cloud.client("sqs")
        while sum(map(len, seen.values())) < each * len(groups):
            for message in receive(client, url, 3, WaitTimeSeconds=1):
                group, _, number = message["Body"].partition("-")
                seen[group].append(int(number))
                delete(client, url, message)

    threads = [threading.Thread(target=produce, args=(group,)) for group in groups]
    threads += [threading.Thread(target=consume) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert seen == {group: list(range(each)) for group in groups}
