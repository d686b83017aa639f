"""Topics, queues and endpoints of a test's own."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Cloud
from tests.services.lambda_.conftest import ALLOW_ALL, TRUST, pack


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


class Stand:
    """Clients of a cloud, and what the tests of topics make with them."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.sns = cloud.client("sns")
        self.sqs = cloud.client("sqs", read_timeout=40)

    def topic(self, fifo: bool = False, **attributes: str) -> str:
        name = unique("topic")
        if fifo:
            name += ".fifo"
            attributes["FifoTopic"] = "true"
        arn: str = self.sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
        return arn

    def queue(self, topic: str = "", fifo: bool = False, **attributes: str) -> str:
        """A queue, open to the topic if there is one."""
        name = unique("queue")
        if fifo:
            name += ".fifo"
            attributes["FifoQueue"] = "true"
        if topic:
            attributes["Policy"] = json.dumps(opened(topic))
        url: str = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url

    def arn(self, url: str) -> str:
        has = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        arn: str = has["Attributes"]["QueueArn"]
        return arn

    def subscribe(self, topic: str, url: str, **attributes: str) -> str:
        made = self.sns.subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=self.arn(url), Attributes=attributes
        )
        arn: str = made["SubscriptionArn"]
        return arn

    def function(self, text: str) -> str:
        """A function that may do everything."""
        iam, name = self.cloud.client("iam"), unique("function")
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(ALLOW_ALL))
        self.cloud.client("lambda").create_function(
            FunctionName=name,
            Role=made["Arn"],
            Runtime="python3.11",
            Handler="index.handler",
            Timeout=30,
            Code={"ZipFile": pack(text)},
        )
        return name

    def take(self, url: str, count: int = 1, seconds: float = 30) -> list[dict[str, Any]]:
        """Messages of a queue as they come, at least so many."""
        found: list[dict[str, Any]] = []
        until = time.monotonic() + seconds
        while len(found) < count and time.monotonic() < until:
            answer = self.sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=10,
                WaitTimeSeconds=2,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            for message in answer.get("Messages", []):
                found.append(message)
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        assert len(found) >= count, f"only {found} came"
        return found

    def notices(self, url: str, count: int = 1) -> list[dict[str, Any]]:
        return [json.loads(message["Body"]) for message in self.take(url, count)]


def opened(topic: str) -> dict[str, Any]:
    """The policy of a queue that a topic may send to."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": "*",
                "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
            }
        ],
    }


@pytest.fixture
def stand(cloud: Cloud) -> Stand:
    return Stand(cloud)


@pytest.fixture
def refusal() -> Callable[..., tuple[str, str]]:
    """The code and message with which a call is refused."""

    def read(call: Any, **words: Any) -> tuple[str, str]:
        with pytest.raises(ClientError) as caught:
            call(**words)
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]

    return read


class Endpoint:
    """An HTTP server that keeps what it is sent, and answers what it is told to."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], str]] = []
        self.statuses: list[int] = []
        self._arrived = threading.Condition()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                with endpoint._arrived:
                    status = endpoint.statuses.pop(0) if endpoint.statuses else 200
                    headers = {key.lower(): value for key, value in self.headers.items()}
                    endpoint.got.append((headers, body))
                    endpoint._arrived.notify_all()
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?a=b"
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    def wait(self, count: int, seconds: float = 30) -> list[tuple[dict[str, str], str]]:
        """What has come, when so many have."""
        with self._arrived:
            came = self._arrived.wait_for(lambda: len(self.got) >= count, seconds)
            assert came, f"only {self.got} came"
            return list(self.got)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.close()
