"""How long a message takes from its sending to a consumer that waits, and to a running function.

One message is under way at a time, so that each finds whoever waits at rest.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from bench.clouds import Server, ours, unpin_children
from bench.functions import client as aws
from bench.functions import make_function
from bench.queues.brokers import brokers
from bench.queues.sqs import client
from bench.report import missed, ratio, show

MESSAGES = 300
WARM = 30
SETTLE_SECONDS = 0.002
"""Until a consumer that has asked surely waits."""
CONSUMER, SENDER, FUNCTION = "to a waiting consumer", "to its own answer", "to a running function"
AIMS_MS = {CONSUMER: 5.0, FUNCTION: 10.0}

ANSWERING = (
    "import json, os, time\nimport boto3\nclient = boto3.client('sqs')\n"
    "def handler(event, context):\n"
    "    now = time.time()\n"
    "    for record in event['Records']:\n"
    "        told = json.loads(record['body'])\n"
    "        client.send_message(QueueUrl=told['queue'],\n"
    "                            MessageBody=str(now - told['sent']))\n"
)


def ranks(seconds: list[float]) -> tuple[float, float, float]:
    """Median, p99 and maximum in milliseconds."""
    ordered = sorted(seconds)
    middle, high = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
    return middle * 1000, high * 1000, ordered[-1] * 1000


def to_consumer(server: Server) -> dict[str, list[float]]:
    """Seconds from a send to the answer of a receive that waits for it, and to its own answer."""
    producer, consumer = client(server), client(server)
    url: str = producer.create_queue(QueueName="waking")["QueueUrl"]

    def wait() -> tuple[float, Any]:
        got = consumer.receive_message(QueueUrl=url, WaitTimeSeconds=20)
        return time.perf_counter(), got["Messages"][0]

    asked, found, answered = threading.Event(), [], []
    with ThreadPoolExecutor(1) as waiting:
        for _ in range(WARM + MESSAGES):
            held: Future[tuple[float, Any]] = waiting.submit(wait)
            asked.wait(SETTLE_SECONDS)
            sent = time.perf_counter()
            producer.send_message(QueueUrl=url, MessageBody="m" * 1024)
            answered.append(time.perf_counter() - sent)
            came, message = held.result()
            found.append(came - sent)
            producer.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return {CONSUMER: found[WARM:], SENDER: answered[WARM:]}


def to_function(server: Server) -> dict[str, list[float]]:
    """Seconds from a send to the first line of a warm function whose queue it is."""
    sqs = client(server)
    role = "role-waking"
    queue, told = (
        sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
        for name in ("to-function", "told")
    )
    make_function(server, "waking", ANSWERING)
    everything = {"Effect": "Allow", "Action": ["sqs:*", "logs:*"], "Resource": "*"}
    aws(server, "iam").put_role_policy(
        RoleName=role, PolicyName="queues",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [everything]}),
    )  # fmt: skip
    named = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    aws(server, "lambda").create_event_source_mapping(
        FunctionName="waking", EventSourceArn=named["Attributes"]["QueueArn"], BatchSize=1
    )
    found = []
    for number in range(WARM + MESSAGES):
        body = json.dumps({"sent": time.time(), "queue": told, "pad": "m" * 900})
        sqs.send_message(QueueUrl=queue, MessageBody=body)
        if number == 0:
            unpin_children(server.process.pid)
        [message] = answer(sqs, told)
        found.append(float(message["Body"]))
        sqs.delete_message(QueueUrl=told, ReceiptHandle=message["ReceiptHandle"])
    return {FUNCTION: found[WARM:]}


def answer(sqs: Any, url: str) -> list[Any]:
    """The next message of a queue, after a minute at the latest."""
    for _ in range(3):
        if found := sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20).get("Messages"):
            return list(found)
    raise RuntimeError("the function did not tell")


@contextmanager
def said(name: str) -> Iterator[None]:
    """Say that a peer could not do the work; ours must."""
    try:
        yield
    except Exception as problem:
        if name == "cumulet":
            raise
        print(f"  {name} could not do this work: {problem}")


def run() -> None:
    found: dict[tuple[str, str], tuple[float, float, float]] = {}
    for name, start in {"cumulet": ours, **brokers()}.items():
        for work in (to_consumer, to_function) if name == "cumulet" else (to_consumer,):
            with said(name), start() as server:
                for what, seconds in work(server).items():
                    found[what, name] = ranks(seconds)
    show(
        f"SQS, {MESSAGES} messages of 1 KB, each sent when the one before has come; with boto3 on "
        "both ends, about a millisecond of its own in each figure",
        ("from a send", "broker", "p50 ms", "p99 ms", "most ms", "p99 of ours"),
        [
            (what, name, *told, ratio(told[1], found[what, "cumulet"][1]))
            for (what, name), told in sorted(found.items())
        ],
        "aims: " + ", ".join(f"p99 {what} {most:g} ms" for what, most in AIMS_MS.items()),
    )
    for what, most in AIMS_MS.items():
        missed(f"p99 {what}, ms", found[what, "cumulet"][1], at_most=most)
