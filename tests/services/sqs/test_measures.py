"""What CloudWatch is told of queues.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.conftest import Cloud
from tests.services.events.conftest import Inside, run_inside
from tests.services.measured import await_figures

from cumulet.services.cloudwatch.metrics.gather import Gatherer
from cumulet.services.sqs.workers import measure


def test_what_is_sent_twice_received_and_deleted_is_counted(
    cloud: Cloud, sqs: Any, make: Callable[..., str]
) -> None:
    url = make(fifo=True)
    for _ in range(2):
        sqs.send_message(
            QueueUrl=url, MessageBody="abcd", MessageGroupId="g", MessageDeduplicationId="one"
        )
    [message] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    sqs.receive_message(QueueUrl=url, WaitTimeSeconds=0)
    queue = (("QueueName", url.rpartition("/")[2]),)
    await_figures(
        cloud,
        "AWS/SQS",
        {
            ("NumberOfMessagesSent", "Sum", queue): 2.0,
            ("NumberOfDeduplicatedSentMessages", "Sum", queue): 1.0,
            ("SentMessageSize", "Maximum", queue): 4.0,
            ("NumberOfMessagesReceived", "Sum", queue): 1.0,
            ("NumberOfMessagesDeleted", "Sum", queue): 1.0,
            ("NumberOfEmptyReceives", "Sum", queue): 1.0,
        },
    )


def inside(folder: Path, story: Callable[[Inside], Awaitable[None]]) -> None:
    run_inside(folder, story, 1_790_000_040.0)


async def age(room: Inside, name: str) -> float:
    """The age that is measured now."""
    await measure(room.platform)
    await room.platform.need(Gatherer).flush()
    found = await room.call(
        "cloudwatch",
        "GetMetricStatistics",
        Namespace="AWS/SQS",
        MetricName="ApproximateAgeOfOldestMessage",
        Dimensions=[{"Name": "QueueName", "Value": name}],
        StartTime=room.clock.now() // 60 * 60,
        EndTime=room.clock.now() + 60,
        Period=60,
        Statistics=["Maximum"],
    )
    [point] = found["Datapoints"]
    assert point["Unit"] == "Seconds"
    return float(point["Maximum"])


def test_the_oldest_message_is_the_first_that_was_not_received_three_times(tmp_path: Path) -> None:
    async def story(room: Inside) -> None:
        made = await room.call(
            "sqs", "CreateQueue", QueueName="q", Attributes={"VisibilityTimeout": "0"}
        )
        url = made["QueueUrl"]
        assert await age(room, "q") == 0.0
        await room.call("sqs", "SendMessage", QueueUrl=url, MessageBody="poison")
        await room.clock.advance(60)
        for _ in range(2):
            await room.call("sqs", "ReceiveMessage", QueueUrl=url)
        await room.call("sqs", "SendMessage", QueueUrl=url, MessageBody="next")
        await room.clock.advance(60)
        assert await age(room, "q") == 120.0
        await room.clock.advance(60)
        got = await room.call("sqs", "ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=10)
        assert {one["Body"] for one in got["Messages"]} == {"poison", "next"}
        assert await age(room, "q") == 120.0

    inside(tmp_path / "data", story)
