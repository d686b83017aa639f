"""Queues of a test's own."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Cloud


@pytest.fixture(scope="module")
def sqs(cloud: Cloud) -> Any:
    return cloud.client("sqs", read_timeout=40)


@pytest.fixture
def make(sqs: Any) -> Callable[..., str]:
    """Makes a queue and answers its URL; a FIFO queue when `fifo`."""

    def one(fifo: bool = False, name: str = "", **attributes: str) -> str:
        name = name or f"q-{uuid.uuid4().hex[:12]}"
        if fifo:
            attributes["FifoQueue"] = "true"
            name += ".fifo"
        url: str = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url

    return one


@pytest.fixture
def arn_of(sqs: Any) -> Callable[[str], str]:
    def read(url: str) -> str:
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn: str = answer["Attributes"]["QueueArn"]
        return arn

    return read


@pytest.fixture
def refusal() -> Callable[..., tuple[str, str]]:
    """The code and message with which a call is refused."""

    def read(call: Any, **words: Any) -> tuple[str, str]:
        with pytest.raises(ClientError) as caught:
            call(**words)
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]

    return read
