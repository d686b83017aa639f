"""Dead letters on their way back.

The words are those of AWS's recorded answers (localstack's
tests/aws/services/sqs/test_sqs_move_task.snapshot.json).
"""

from __future__ import annotations

import json
import time
from typing import Any


def dead_letters(sqs: Any, make: Any, arn_of: Any, count: int) -> tuple[str, str]:
    """A queue and its dead-letter queue, with so many messages that were received too often."""
    dead = make()
    redrive = json.dumps({"deadLetterTargetArn": arn_of(dead), "maxReceiveCount": 1})
    url = make(RedrivePolicy=redrive, VisibilityTimeout="0")
    for number in range(count):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    for _ in range(2):
        sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    return url, dead


def ended(sqs: Any, arn: str) -> dict[str, Any]:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        task: dict[str, Any] = sqs.list_message_move_tasks(SourceArn=arn)["Results"][0]
        if task["Status"] != "RUNNING":
            return task
    raise AssertionError("the task did not end")


def test_dead_letters_go_back_to_where_they_came_from(sqs: Any, make: Any, arn_of: Any) -> None:
    url, dead = dead_letters(sqs, make, arn_of, 5)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "30"})
    assert sqs.start_message_move_task(SourceArn=arn_of(dead))["TaskHandle"]
    task = ended(sqs, arn_of(dead))
    assert task["Status"] == "COMPLETED"
    assert task["ApproximateNumberOfMessagesMoved"] == 5
    assert task["ApproximateNumberOfMessagesToMove"] == 5
    assert "TaskHandle" not in task
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])
    assert sorted(one["Body"] for one in found["Messages"]) == ["0", "1", "2", "3", "4"]
    assert {one["Attributes"]["ApproximateReceiveCount"] for one in found["Messages"]} == {"1"}
    assert "Messages" not in sqs.receive_message(QueueUrl=dead)


def test_a_slow_task_is_cancelled(sqs: Any, make: Any, arn_of: Any, refusal: Any) -> None:
    _, dead = dead_letters(sqs, make, arn_of, 8)
    elsewhere = make()
    handle = sqs.start_message_move_task(
        SourceArn=arn_of(dead), DestinationArn=arn_of(elsewhere), MaxNumberOfMessagesPerSecond=1
    )["TaskHandle"]
    assert refusal(sqs.start_message_move_task, SourceArn=arn_of(dead)) == (
        "InvalidParameterValue",
        "There is already a task running. Only one active task is allowed for a source queue arn "
        "at a given time.",
    )
    moved = sqs.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"]
    task = ended(sqs, arn_of(dead))
    assert task["Status"] == "CANCELLED"
    assert task["DestinationArn"] == arn_of(elsewhere)
    assert task["ApproximateNumberOfMessagesMoved"] == moved < 8


def test_tasks_that_cannot_be_are_refused(sqs: Any, make: Any, arn_of: Any, refusal: Any) -> None:
    plain = make()
    start = sqs.start_message_move_task
    assert refusal(start, SourceArn=arn_of(plain)) == (
        "InvalidParameterValue",
        "Source queue must be configured as a Dead Letter Queue.",
    )
    assert refusal(start, SourceArn=arn_of(plain) + "-not") == (
        "ResourceNotFoundException",
        "The resource that you specified for the SourceArn parameter doesn't exist.",
    )
    _, dead = dead_letters(sqs, make, arn_of, 1)
    assert refusal(start, SourceArn=arn_of(dead), DestinationArn=arn_of(plain) + "-not") == (
        "ResourceNotFoundException",
        "The resource that you specified for the DestinationArn parameter doesn't exist.",
    )
    assert refusal(sqs.cancel_message_move_task, TaskHandle="nonsense") == (
        "InvalidParameterValue",
        "Value for parameter TaskHandle is invalid.",
    )
