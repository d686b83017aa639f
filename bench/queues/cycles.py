"""Messages through a queue: each connection sends, receives what is there, and deletes it.

It runs in a process of its own, on another processor than the server, and is bounded in time. What
is sent and received is signed beforehand; a deletion names what was received, and is signed as it
goes.
"""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import hmac
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import uvloop

from bench.load import after, pin, whole

WARM_SECONDS = 1.0
BODY = "m" * 1024
REGION = "us-east-1"


@dataclass(frozen=True)
class Work:
    """What to do, and where: `batch` messages go with each request."""

    host: str
    port: int
    key: tuple[str, str]
    queue_url: str
    batch: int
    connections: int
    seconds: float
    warm_seconds: float = WARM_SECONDS
    messages: int = 0
    """Only send so many, instead of whole cycles for so many seconds; 0 for cycles."""


@dataclass
class Cycles:
    """What a run came to. `all_messages` counts the warm-up too, as the processor's time does."""

    per_second: float
    all_messages: int
    failed: int
    empty: int
    p50_ms: dict[str, float] = field(default_factory=dict)
    p99_ms: dict[str, float] = field(default_factory=dict)
    per_cpu_second: float = 0.0


class Signer:
    """Signs requests of SQS's JSON protocol with a key that was derived once."""

    def __init__(self, host: str, key: tuple[str, str]) -> None:
        self._host, self._id = host, key[0]
        now = datetime.datetime.now(datetime.UTC)
        self._time = now.strftime("%Y%m%dT%H%M%SZ")
        self._scope = f"{self._time[:8]}/{REGION}/sqs/aws4_request"
        secret = f"AWS4{key[1]}".encode()
        for part in self._scope.split("/"):
            secret = hmac.digest(secret, part.encode(), "sha256")
        self._secret = secret

    def request(self, operation: str, values: dict[str, Any]) -> bytes:
        """A whole HTTP request; its signature is good for five minutes."""
        body = json.dumps(values).encode()
        target = f"AmazonSQS.{operation}"
        headers = (
            f"content-type:application/x-amz-json-1.0\nhost:{self._host}\n"
            f"x-amz-date:{self._time}\nx-amz-target:{target}\n"
        )
        names = "content-type;host;x-amz-date;x-amz-target"
        digest = hashlib.sha256(body).hexdigest()
        canonical = f"POST\n/\n\n{headers}\n{names}\n{digest}"
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{self._time}\n{self._scope}\n{hashed}"
        signature = hmac.new(self._secret, text.encode(), "sha256").hexdigest()
        return (
            f"POST / HTTP/1.1\r\nHost: {self._host}\r\n"
            "Content-Type: application/x-amz-json-1.0\r\n"
            f"X-Amz-Date: {self._time}\r\nX-Amz-Target: {target}\r\n"
            f"Authorization: AWS4-HMAC-SHA256 Credential={self._id}/{self._scope}, "
            f"SignedHeaders={names}, Signature={signature}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body


class Requests:
    """The three requests of a cycle, for one message or a batch."""

    def __init__(self, work: Work) -> None:
        self._signer = Signer(f"{work.host}:{work.port}", work.key)
        self._url = work.queue_url
        self._is_batch = work.batch > 1
        self.send = self._send(work.batch)
        self.receive = self._of("ReceiveMessage", MaxNumberOfMessages=work.batch)

    def _of(self, operation: str, **values: Any) -> bytes:
        return self._signer.request(operation, {"QueueUrl": self._url, **values})

    def _send(self, batch: int) -> bytes:
        if not self._is_batch:
            return self._of("SendMessage", MessageBody=BODY)
        entries = [{"Id": str(number), "MessageBody": BODY} for number in range(batch)]
        return self._of("SendMessageBatch", Entries=entries)

    def delete(self, handles: list[str]) -> bytes:
        """Deletes what was received."""
        if not self._is_batch:
            return self._of("DeleteMessage", ReceiptHandle=handles[0])
        entries = [{"Id": str(at), "ReceiptHandle": one} for at, one in enumerate(handles)]
        return self._of("DeleteMessageBatch", Entries=entries)


@dataclass
class Counts:
    """What all connections together have seen; `messages` are those that were done with."""

    messages: int = 0
    failed: int = 0
    empty: int = 0
    left: int = 0
    latencies: dict[str, list[float]] = field(
        default_factory=lambda: {"send": [], "receive": [], "delete": []}
    )

    def begin(self) -> None:
        """Forget the warm-up's latencies."""
        for times in self.latencies.values():
            times.clear()


class Worker(asyncio.Protocol):
    """One connection, going round; connects again when the server closes."""

    def __init__(self, work: Work, requests: Requests, counts: Counts) -> None:
        self.work, self.requests, self.counts = work, requests, counts
        self.buffer = b""
        self.step = "send"
        self.handles: list[str] = []
        self.stopping = False
        self.tasks: set[asyncio.Task[None]] = set()
        self.ended = asyncio.get_running_loop().create_future()

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, self.work.host, self.work.port)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not asyncio's, though they do the same.
        self.transport = cast("asyncio.Transport", transport)
        self.buffer = b""
        self._ask()

    def connection_lost(self, problem: Exception | None) -> None:
        if not self.stopping:
            self.tasks.add(asyncio.get_running_loop().create_task(self.connect()))

    def _ask(self) -> None:
        if self.work.messages and self.step == "send":
            if self.counts.left <= 0:
                self.stop()
                return
            self.counts.left -= self.work.batch
        self.begun = time.perf_counter()
        if self.step == "send":
            self.transport.write(self.requests.send)
        elif self.step == "receive":
            self.transport.write(self.requests.receive)
        else:
            self.transport.write(self.requests.delete(self.handles))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        size = whole(self.buffer)
        if size is None or len(self.buffer) < size:
            return
        answer, self.buffer = self.buffer[:size], self.buffer[size:]
        self.counts.latencies[self.step].append(time.perf_counter() - self.begun)
        self.step = self._next(answer)
        if b"\r\nconnection: close\r\n" in answer.partition(b"\r\n\r\n")[0].lower() + b"\r\n":
            self.transport.close()
        elif not self.stopping:
            self._ask()

    def _next(self, answer: bytes) -> str:
        is_good = answer[9:10] == b"2" and b'"Failed":[{' not in answer
        self.counts.failed += not is_good
        if self.work.messages:
            self.counts.messages += self.work.batch
            return "send"
        if self.step == "send":
            return "receive" if is_good else "send"
        if self.step == "receive":
            head = answer.index(b"\r\n\r\n") + 4
            found = json.loads(answer[head:]).get("Messages") if is_good else None
            if not found:
                # Another connection was faster; on the next round there is one more to have.
                self.counts.empty += 1
                return "send"
            self.handles = [one["ReceiptHandle"] for one in found]
            return "delete"
        self.counts.messages += len(self.handles)
        return "send"

    def stop(self) -> None:
        self.stopping = True
        self.transport.abort()
        if not self.ended.done():
            self.ended.set_result(None)


async def drive(work: Work) -> Cycles:
    """Do the work."""
    counts = Counts(left=work.messages)
    requests = Requests(work)
    workers = [Worker(work, requests, counts) for _ in range(work.connections)]
    for worker in workers:
        await worker.connect()
    if work.messages:
        begin, before = time.perf_counter(), 0
        await asyncio.gather(*(worker.ended for worker in workers))
    else:
        await after(work.warm_seconds)
        begin, before = time.perf_counter(), counts.messages
        counts.begin()
        await after(work.seconds)
    took = time.perf_counter() - begin
    done = counts.messages - before
    for worker in workers:
        worker.stop()
    found = Cycles(done / took, counts.messages, counts.failed, counts.empty)
    for name, times in counts.latencies.items():
        ordered = sorted(times) or [0.0]
        found.p50_ms[name] = ordered[len(ordered) // 2] * 1000
        found.p99_ms[name] = ordered[int(len(ordered) * 0.99)] * 1000
    return found


def cycle(work: Work) -> Cycles:
    """Do the work in a process of its own."""
    words = [sys.executable, "-m", "bench.queues.cycles"]
    done = subprocess.run(
        words, input=json.dumps(work.__dict__), capture_output=True, check=True, text=True,
        timeout=work.seconds + 600, cwd=Path(__file__).parent.parent.parent,
    )  # fmt: skip
    return Cycles(**json.loads(done.stdout))


def lots(total: int, most: int) -> Iterator[int]:
    """A number in parts of at most `most`, so that signatures do not grow old."""
    while total > 0:
        yield min(total, most)
        total -= most


if __name__ == "__main__":
    pin(1)
    given = json.loads(sys.stdin.read())
    given["key"] = tuple(given["key"])
    print(json.dumps(uvloop.run(drive(Work(**given))).__dict__))
