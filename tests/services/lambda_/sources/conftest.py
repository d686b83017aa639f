"""Queues, tables and functions that tell what they were given."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.services.lambda_.conftest import unique

TELLS = """
import boto3, json, os
sqs = boto3.client("sqs")
def tell(what):
    sqs.send_message(QueueUrl=os.environ["OUT"], MessageBody=json.dumps(what, default=str))
"""
"""The head of a function that tells a queue what it sees."""


class Place:
    """What a test of event sources uses."""

    def __init__(self, cloud: Any, make: Callable[..., str]) -> None:
        self.cloud = cloud
        self.lam = cloud.client("lambda")
        self.sqs = cloud.client("sqs", read_timeout=40)
        self._make = make
        self.out = self.queue()
        self.mappings: list[str] = []

    def queue(self, fifo: bool = False, **attributes: str) -> str:
        name = unique("source")
        if fifo:
            name += ".fifo"
            attributes["FifoQueue"] = "true"
        url: str = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url

    def arn(self, url: str) -> str:
        has = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn: str = has["Attributes"]["QueueArn"]
        return arn

    def function(self, body: str, **settings: Any) -> str:
        """A function `handler(event, context)` whose body may call `tell(anything)`."""
        lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
        text = f"{TELLS}\ndef handler(event, context):\n{lines}\n"
        settings.setdefault("Timeout", 10)
        return self._make(text, Environment={"Variables": {"OUT": self.out}}, **settings)

    def map(self, function: str, source: str, **settings: Any) -> str:
        made = self.lam.create_event_source_mapping(
            FunctionName=function, EventSourceArn=source, **settings
        )
        self.mappings.append(made["UUID"])
        uuid: str = made["UUID"]
        return uuid

    def told(self, count: int, seconds: float = 40) -> list[Any]:
        """What functions told, at least `count` things of it, in order of arrival."""
        found: list[Any] = []
        until = time.monotonic() + seconds
        while len(found) < count and time.monotonic() < until:
            answer = self.sqs.receive_message(
                QueueUrl=self.out, MaxNumberOfMessages=10, WaitTimeSeconds=2
            )
            for message in answer.get("Messages", []):
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.out, ReceiptHandle=message["ReceiptHandle"])
        assert len(found) >= count, f"only {found} was told"
        return found

    def left(self, url: str) -> tuple[int, int]:
        """How many messages a queue has to give, and how many are in flight."""
        has = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return (
            int(has["ApproximateNumberOfMessages"]),
            int(has["ApproximateNumberOfMessagesNotVisible"]),
        )

    def wait_until(self, holds: Callable[[], bool], seconds: float = 30) -> None:
        until = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < until, "it did not come about in time"


@pytest.fixture
def place(cloud: Any, make: Callable[..., str]) -> Iterator[Place]:
    made = Place(cloud, make)
    yield made
    for uuid in made.mappings:
        made.lam.delete_event_source_mapping(UUID=uuid)
