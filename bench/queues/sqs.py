"""Send, receive and delete 1 KB messages over 16 connections, beside the peers; and a long queue.

`CUMULET_QUEUE_MESSAGES` says how long the long queue is (a million).
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import boto3
from botocore.config import Config

from bench.clouds import Server, ours, unpin_children
from bench.databases.driving import settle
from bench.queues.brokers import brokers
from bench.queues.cycles import Cycles, Work, cycle, lots
from bench.report import missed, ratio, show

CONNECTIONS = 16
SECONDS = 3.0
TURNS = 3
AIMS = {1: 3_500, 10: 12_000}
"""Messages that are sent, received and deleted for each second of the main process's processor, by
how many go with a request; every one is on the disk before it is answered."""
LONG = int(os.environ.get("CUMULET_QUEUE_MESSAGES", "1000000"))
SHORT = 100
LOT = 200_000
"""Messages that are sent with one signature, which is good for five minutes."""
ALIKE = 0.8
"""A long queue gives messages out at this share at least of the rate of a short one."""


def client(server: Server, **more: Any) -> Any:
    """A client of the server's queues."""
    return boto3.client(
        "sqs",
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=server.key[0],
        aws_secret_access_key=server.key[1],
        config=Config(retries={"total_max_attempts": 1}, read_timeout=60, **more),
    )


def prepare(server: Server, name: str = "bench") -> str:
    """A queue that does what it should."""
    sqs = client(server)
    url: str = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="first")
    [message] = sqs.receive_message(QueueUrl=url)["Messages"]
    if message["Body"] != "first":
        raise RuntimeError("it does not give what was sent")
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    if sqs.receive_message(QueueUrl=url).get("Messages"):
        raise RuntimeError("it gives what was deleted")
    return url


def work_on(server: Server, url: str, batch: int) -> Work:
    """Cycles on a queue."""
    host, _, port = server.endpoint.removeprefix("http://").partition(":")
    return Work(host, int(port), server.key, url, batch, CONNECTIONS, SECONDS)


def driven(server: Server, work: Work) -> Cycles:
    """Drive the server, and say how many messages went for a second of its main process."""
    unpin_children(server.process.pid)
    before = server.cpu_seconds()
    found = cycle(work)
    used = server.cpu_seconds() - before
    return replace(found, per_cpu_second=found.all_messages / used if used else 0.0)


def measured(server: Server, url: str, batch: int) -> Cycles:
    """The best of some turns, as others use the machine too."""
    turns = [driven(server, work_on(server, url, batch)) for _ in range(TURNS)]
    return max(turns, key=lambda one: one.per_cpu_second)


def compared() -> dict[str, dict[int, Cycles]]:
    """The rates of each broker that can be had, ours first."""
    found: dict[str, dict[int, Cycles]] = {}
    for name, start in {"cumulet": ours, **brokers()}.items():
        try:
            with start() as server:
                url = prepare(server)
                found[name] = {batch: measured(server, url, batch) for batch in AIMS}
        except Exception as problem:
            if name == "cumulet":
                raise
            print(f"  {name} could not do this work: {problem}")
    return found


def show_cycles(found: dict[str, dict[int, Cycles]]) -> None:
    own = found["cumulet"]
    rows = [
        (batch, name, one.per_cpu_second, ratio(one.per_cpu_second, own[batch].per_cpu_second),
         one.per_second, *(one.p50_ms[step] for step in one.p50_ms),
         *(one.p99_ms[step] for step in one.p99_ms), one.failed)
        for batch in AIMS
        for name, runs in found.items()
        for one in (runs[batch],)
    ]  # fmt: skip
    show(
        f"SQS, messages of 1 KB sent, received and deleted over {CONNECTIONS} connections, one "
        "core; ours verifies signatures and has all on the disk when it answers, others neither",
        ("in a request", "broker", "per CPU s", "of ours", "per s", "p50 ms send", "receive",
         "delete", "p99 ms send", "receive", "delete", "failed"),
        rows,
        "aims for each second of the main process's processor: "
        + ", ".join(f"{least:,} by {batch}" for batch, least in AIMS.items()),
    )  # fmt: skip
    for batch, least in AIMS.items():
        missed(f"messages by {batch} per CPU s", own[batch].per_cpu_second, at_least=least)


def fill(server: Server, url: str, count: int) -> float:
    """Send so many messages; how many a second of the main process."""
    before = server.cpu_seconds()
    for lot in lots(count, LOT):
        done = cycle(replace(work_on(server, url, 10), messages=lot))
        if done.failed:
            raise RuntimeError(f"{done.failed} messages could not be sent")
    return count / (server.cpu_seconds() - before)


def compare_lengths() -> None:
    """Cycles in a queue that has many messages, beside one that has few."""
    rows = []
    rates: dict[tuple[int, int], float] = {}
    with ours() as server:
        urls = {length: prepare(server, f"of-{length}") for length in (SHORT, LONG)}
        sent = {length: fill(server, url, length) for length, url in urls.items()}
        # What the store still tidies up is the sending's, not the receiving's.
        settle(server)
        for batch in AIMS:
            # By turns, so that what else the machine does falls on both.
            turns: dict[int, list[Cycles]] = {length: [] for length in urls}
            for _ in range(TURNS):
                for length, url in urls.items():
                    turns[length].append(driven(server, work_on(server, url, batch)))
            for length, found in turns.items():
                best = max(found, key=lambda one: one.per_cpu_second)
                rates[batch, length] = best.per_cpu_second
                rows.append(
                    (batch, f"{length:,}", best.per_cpu_second,
                     ratio(best.per_cpu_second, rates[batch, SHORT]), best.p50_ms["receive"],
                     best.p99_ms["receive"], best.failed)
                )  # fmt: skip
    show(
        "SQS, the same in a queue where messages wait",
        ("in a request", "waiting", "per CPU s", "of the short", "p50 ms receive", "p99 ms",
         "failed"),
        rows,
        f"{LONG:,} messages were sent by tens at {sent[LONG]:,.0f} for each second of the main "
        f"process; aim: received as fast as with {SHORT}",
    )  # fmt: skip
    for batch in AIMS:
        share = rates[batch, LONG] / rates[batch, SHORT]
        missed(f"a long queue by {batch}, of a short one", share, at_least=ALIKE)


def run() -> None:
    show_cycles(compared())
    compare_lengths()
