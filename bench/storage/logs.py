"""A million log lines: taken in, looked for in two ways, and what they take on the disk."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from bench.clouds import Server, ours
from bench.report import show

LINES = 1_000_000
BATCH = 5_000
GROUP = "bench"
EVERY = 10_000
"""One line of so many is what is looked for."""
_WAIT_SECONDS = 0.05
_WAITS_MAX = 60_000


def batches() -> Iterator[list[dict[str, Any]]]:
    """Lines of JSON as a function writes them, a millisecond for every ten of them."""
    begin = int(time.time() * 1000) - LINES // 10
    for first in range(0, LINES, BATCH):
        yield [
            {
                "timestamp": begin + number // 10,
                "message": json.dumps(
                    {
                        "level": "ERROR" if number % EVERY == 0 else "INFO",
                        "request": f"{number:08d}-35b6-4b21-b1a5-9e5a1f9e0001",
                        "path": f"/orders/{number % 1_000}",
                        "took": number % 250,
                    }
                ),
            }
            for number in range(first, first + BATCH)
        ]


def clocked(server: Server, work: Callable[[], int]) -> tuple[float, float, int]:
    """Seconds, seconds of the cloud's processor, and what the work found."""
    before, started = server.cpu_seconds(), time.perf_counter()
    found = work()
    return time.perf_counter() - started, server.cpu_seconds() - before, found


def filtered(logs: Any) -> int:
    """How many lines FilterLogEvents finds."""
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=GROUP, filterPattern='{ $.level = "ERROR" }'
    )
    return sum(len(page["events"]) for page in pages)


def queried(logs: Any, query: str) -> int:
    """How many rows a query of Insights comes to."""
    now = int(time.time())
    words = {"startTime": now - 86_400, "endTime": now + 60}
    uid = logs.start_query(logGroupName=GROUP, queryString=query, **words)["queryId"]
    for _ in range(_WAITS_MAX):
        answer = logs.get_query_results(queryId=uid, maxItems=1)
        if answer["status"] != "Running":
            break
        threading.Event().wait(_WAIT_SECONDS)
    if answer["status"] != "Complete":
        raise RuntimeError(f"the query is {answer['status']}")
    return len(logs.get_query_results(queryId=uid)["results"])


def data_of(server: Server) -> Path:
    """The folder of the cloud's data, as it was started with."""
    words = Path(f"/proc/{server.process.pid}/cmdline").read_text().split("\0")
    return Path(words[words.index("--data") + 1])


def size_mb(folder: Path) -> float:
    """What the files of a folder take."""
    return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file()) / 1e6


def run() -> None:
    with ours() as server:
        logs = boto3.client(
            "logs",
            endpoint_url=server.endpoint,
            region_name="us-east-1",
            aws_access_key_id=server.key[0],
            aws_secret_access_key=server.key[1],
            config=Config(read_timeout=600),
        )
        logs.create_log_group(logGroupName=GROUP)
        logs.create_log_stream(logGroupName=GROUP, logStreamName="s")

        def put() -> int:
            count = 0
            for events in batches():
                logs.put_log_events(logGroupName=GROUP, logStreamName="s", logEvents=events)
                count += len(events)
            return count

        work: dict[str, Callable[[], int]] = {
            f"PutLogEvents, {BATCH:,} lines each": put,
            "FilterLogEvents, JSON pattern": lambda: filtered(logs),
            "Insights, filter like": lambda: queried(logs, "filter @message like 'ERROR'"),
            "Insights, stats by field of JSON": lambda: queried(
                logs, "stats count(*), avg(took), pct(took, 99) by level"
            ),
        }
        rows = []
        for name, one in work.items():
            seconds, cpu, found = clocked(server, one)
            rows.append((name, seconds, cpu, LINES / cpu, found))
        disk, memory = size_mb(data_of(server)), server.memory_mb()
        text = sum(len(event["message"]) for events in batches() for event in events) / 1e6
    show(
        f"CloudWatch Logs, {LINES:,} lines, one client; every batch is on the disk when it answers",
        ("what", "s", "CPU s of the cloud", "lines per CPU s", "found"),
        rows,
        f"text {text:,.0f} MB, on the disk {disk:,.0f} MB, memory {memory:,.0f} MB",
    )


if __name__ == "__main__":
    run()
