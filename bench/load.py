"""A load generator: requests made beforehand, sent over many connections, answers counted.

It runs in a process of its own, on another processor than the server, and is bounded in time.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import uvloop

BUSY_SECONDS = 3.0
WARM_SECONDS = 1.0


@dataclass(frozen=True)
class Rate:
    """What a run came to; `failed` counts answers that were not 2xx.

    `answers` are all, those of the warm-up too; `per_cpu_second` is their number for each second
    of processor time that the server's main process took, 0 where that is not measured.
    """

    per_second: float
    p50_ms: float
    p99_ms: float
    failed: int
    answers: int = 0
    per_cpu_second: float = 0.0


class Caller(asyncio.Protocol):
    """Sends one request after the other; knows just enough HTTP to see where an answer ends.

    A server that closes after an answer is connected to again, as any client would.
    """

    def __init__(self, host: str, port: int, request: bytes, counts: Counts) -> None:
        self.host, self.port, self.request, self.counts = host, port, request, counts
        self.buffer = b""
        self.started = 0.0
        self.stopping = False
        self.transport: asyncio.Transport | None = None

    async def connect(self) -> None:
        self.started = time.perf_counter()
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, self.host, self.port)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not asyncio's, though they do the same.
        self.transport = cast("asyncio.Transport", transport)
        self.buffer = b""
        self.transport.write(self.request)

    def connection_lost(self, problem: Exception | None) -> None:
        if self.stopping:
            return
        if self.buffer and whole(self.buffer) is None:
            self.answered(len(self.buffer))
        self.counts.connecting.add(asyncio.get_running_loop().create_task(self.connect()))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        size = whole(self.buffer)
        if size is None or len(self.buffer) < size:
            return
        is_last = b"\r\nConnection: close\r\n" in self.buffer[:size]
        self.answered(size)
        if self.transport is None or self.transport.is_closing():
            return
        if is_last:
            self.transport.close()
            return
        self.started = time.perf_counter()
        self.transport.write(self.request)

    def answered(self, size: int) -> None:
        self.counts.latencies.append(time.perf_counter() - self.started)
        if self.buffer[9:10] != b"2":
            self.counts.failed += 1
        self.buffer = self.buffer[size:]

    def stop(self) -> None:
        self.stopping = True
        if self.transport is not None:
            self.transport.abort()


@dataclass
class Counts:
    """What all callers together have seen since the warm-up."""

    latencies: list[float] = field(default_factory=list)
    failed: int = 0
    connecting: set[asyncio.Task[None]] = field(default_factory=set)


def whole(buffer: bytes) -> int | None:
    """The size of the first answer in the buffer, or None while that is not known."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = buffer[:end].lower()
    at = head.find(b"content-length:")
    if at >= 0:
        line = head[at + 15 :].split(b"\r\n", 1)[0]
        return end + 4 + int(line)
    if b"transfer-encoding: chunked" in head:
        last = buffer.find(b"\r\n0\r\n\r\n", end)
        return last + 7 if last >= 0 else None
    return end + 4


async def drive(host: str, port: int, request: bytes, connections: int, seconds: float) -> Rate:
    counts = Counts()
    callers = [Caller(host, port, request, counts) for _ in range(connections)]
    for caller in callers:
        await caller.connect()
    await after(WARM_SECONDS)
    warming = len(counts.latencies)
    counts.latencies.clear()
    counts.failed = 0
    begin = time.perf_counter()
    await after(seconds)
    took = time.perf_counter() - begin
    answered = len(counts.latencies)
    measured = sorted(counts.latencies) or [0.0]
    for caller in callers:
        caller.stop()
    return Rate(
        answered / took,
        measured[len(measured) // 2] * 1000,
        measured[int(len(measured) * 0.99)] * 1000,
        counts.failed,
        warming + answered,
    )


async def after(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    loop.call_later(seconds, ended.set_result, None)
    await ended


def measure(
    endpoint: str, request: bytes, *, connections: int = 64, seconds: float = BUSY_SECONDS
) -> Rate:
    """Drive the endpoint from a process of its own."""
    host, _, port = endpoint.removeprefix("http://").partition(":")
    words = [sys.executable, "-m", "bench.load", host, port, str(connections), str(seconds)]
    done = subprocess.run(
        words, input=request, capture_output=True, check=True, timeout=seconds + 60,
        cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    return Rate(**json.loads(done.stdout))


def pin(cpu: int) -> None:
    """Stay on one processor, so that server and load do not share one."""
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {cpu})


if __name__ == "__main__":
    pin(1)
    found = uvloop.run(
        drive(
            sys.argv[1],
            int(sys.argv[2]),
            sys.stdin.buffer.read(),
            int(sys.argv[3]),
            float(sys.argv[4]),
        )
    )
    print(json.dumps(found.__dict__))
