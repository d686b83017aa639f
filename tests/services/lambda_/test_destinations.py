"""Where asynchronous events go when they end: queues, topics and buses.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
The waits between attempts are minutes, so the platform runs in this process, on a clock that the
tests can put forward.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.services.lambda_.conftest import unique
from tests.services.lambda_.inside import SCOPE, Inside, run_inside

from cumulet.services.events.delivery import EventDeliveries
from cumulet.services.sns.sending.carry import TopicDeliveries

FAILS = "def handler(event, context):\n    raise ValueError('as asked')\n"
WORKS = "def handler(event, context):\n    return {'echo': event}\n"
OPEN = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": ["sns.amazonaws.com", "events.amazonaws.com"]},
                "Action": "sqs:SendMessage",
                "Resource": "*",
            }
        ],
    }
)


@pytest.fixture
def inside(tmp_path: Path) -> Callable[[Callable[[Inside], Awaitable[None]]], None]:
    """Runs a test's coroutine within a platform of its own."""

    def run(story: Callable[[Inside], Awaitable[None]]) -> None:
        run_inside(tmp_path / "data", story)

    return run


class Queue:
    """A queue that services may send to."""

    def __init__(self, here: Inside) -> None:
        self.here = here
        self.name = unique("ends")
        self.arn = SCOPE.arn("sqs", self.name)
        self.url = f"{here.platform.endpoint}/{SCOPE.account}/{self.name}"

    async def make(self) -> Queue:
        attributes = {"Policy": OPEN}
        await self.here.call("sqs", "CreateQueue", QueueName=self.name, Attributes=attributes)
        return self

    async def take(self) -> dict[str, Any]:
        got = await self.here.call(
            "sqs",
            "ReceiveMessage",
            QueueUrl=self.url,
            WaitTimeSeconds=20,
            MessageAttributeNames=["All"],
        )
        [message] = got["Messages"]
        found: dict[str, Any] = message
        return found


async def rules(here: Inside, name: str, **words: Any) -> None:
    await here.call("lambda", "PutFunctionEventInvokeConfig", FunctionName=name, **words)


def test_a_success_and_a_failure_go_to_their_queues(inside: Any) -> None:
    async def story(here: Inside) -> None:
        good, bad = await Queue(here).make(), await Queue(here).make()
        both = {
            "OnSuccess": {"Destination": good.arn},
            "OnFailure": {"Destination": bad.arn},
        }
        works, fails = await here.function(WORKS), await here.function(FAILS)
        await rules(here, works, DestinationConfig=both)
        await rules(here, fails, DestinationConfig=both, MaximumRetryAttempts=1)
        await here.send(works, fails=False)
        assert await here.step() == []
        record = json.loads((await good.take())["Body"])
        assert record["requestContext"]["condition"] == "Success"
        assert record["responsePayload"] == {"echo": {"bucket": here.bucket, "fails": False}}
        await here.send(fails, fails=True)
        assert len(await here.step()) == 1
        here.clock.ahead += 60
        assert await here.step() == []
        record = json.loads((await bad.take())["Body"])
        assert record["requestContext"]["condition"] == "RetriesExhausted"
        assert record["requestContext"]["approximateInvokeCount"] == 2

    inside(story)


def test_an_event_that_grew_too_old_goes_to_the_queue(inside: Any) -> None:
    async def story(here: Inside) -> None:
        queue, name = await Queue(here).make(), await here.function(FAILS)
        failure = {"OnFailure": {"Destination": queue.arn}}
        await rules(here, name, DestinationConfig=failure, MaximumEventAgeInSeconds=60)
        await here.send(name, fails=True)
        assert len(await here.step()) == 1
        here.clock.ahead += 61
        assert await here.step() == []
        record = json.loads((await queue.take())["Body"])
        assert record["requestContext"]["condition"] == "EventAgeExceeded"

    inside(story)


def test_a_topic_and_a_bus_are_destinations(inside: Any) -> None:
    async def story(here: Inside) -> None:
        by_topic, by_bus = await Queue(here).make(), await Queue(here).make()
        made = await here.call("sns", "CreateTopic", Name=unique("topic"))
        topic = made["TopicArn"]
        await here.call("sns", "Subscribe", TopicArn=topic, Protocol="sqs", Endpoint=by_topic.arn)
        bus = SCOPE.arn("events", "event-bus/default")
        pattern = json.dumps({"source": ["lambda"]})
        await here.call("events", "PutRule", Name="ends", EventPattern=pattern)
        target = {"Id": "q", "Arn": by_bus.arn}
        await here.call("events", "PutTargets", Rule="ends", Targets=[target])
        name = await here.function(WORKS)
        await rules(here, name, DestinationConfig={"OnSuccess": {"Destination": topic}})
        await here.send(name, fails=False)
        assert await here.step() == []
        await here.platform.need(TopicDeliveries).step()
        notice = json.loads((await by_topic.take())["Body"])
        assert json.loads(notice["Message"])["requestContext"]["condition"] == "Success"
        await rules(here, name, DestinationConfig={"OnSuccess": {"Destination": bus}})
        await here.send(name, fails=False)
        assert await here.step() == []
        await here.platform.need(EventDeliveries).step()
        event = json.loads((await by_bus.take())["Body"])
        assert event["detail-type"] == "Lambda Function Invocation Result - Success"
        function = SCOPE.arn("lambda", f"function:{name}:$LATEST")
        assert event["resources"] == [bus, function]
        assert event["detail"]["requestContext"]["condition"] == "Success"

    inside(story)


def test_dead_letters_go_to_a_topic(inside: Any) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"""

    async def story(here: Inside) -> None:
        queue = await Queue(here).make()
        topic = (await here.call("sns", "CreateTopic", Name=unique("topic")))["TopicArn"]
        raw = {"RawMessageDelivery": "true"}
        await here.call(
            "sns",
            "Subscribe",
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=queue.arn,
            Attributes=raw,
        )
        name = await here.function(FAILS, DeadLetterConfig={"TargetArn": topic})
        await rules(here, name, MaximumRetryAttempts=0)
        await here.send(name, fails=True)
        assert await here.step() == []
        await here.platform.need(TopicDeliveries).step()
        letter = await queue.take()
        assert json.loads(letter["Body"]) == {"bucket": here.bucket, "fails": True}
        assert letter["MessageAttributes"]["ErrorMessage"]["StringValue"] == "as asked"

    inside(story)
