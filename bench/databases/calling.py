"""Calls that come at times of their own, whether the ones before are answered or not.

A call's latency counts from when it was due: one that had to wait for its turn is slow, not late to
be measured.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from bench.load import after, whole

CONNECTIONS_MAX = 256
ANSWER_SECONDS_MAX = 30.0


@dataclass
class Answers:
    """What came back: latencies in seconds, and how many answers of each status."""

    latencies: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    asked: int = 0
    connections: int = 0

    def percentile_ms(self, rank: float) -> float:
        """The latency in milliseconds within which `rank` per cent were answered."""
        ordered = sorted(self.latencies) or [0.0]
        return ordered[min(len(ordered) - 1, int(len(ordered) * rank / 100))] * 1000


class Line(asyncio.Protocol):
    """One connection, with one call on it at a time."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[bytes] | None = None
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not asyncio's, though they do the same.
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        size = whole(self.buffer)
        if size is None or len(self.buffer) < size or self.answer is None:
            return
        status, self.buffer = self.buffer[9:12], self.buffer[size:]
        self.answer.set_result(status)
        self.answer = None

    def connection_lost(self, problem: Exception | None) -> None:
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(problem or ConnectionResetError())

    async def call(self, request: bytes) -> str:
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return (await asyncio.wait_for(self.answer, ANSWER_SECONDS_MAX)).decode()


class Callers:
    """Opens a connection when all that are open have a call on them."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._where, self._tls = (host, port), tls
        self._idle: list[Line] = []
        self._bound = asyncio.Semaphore(CONNECTIONS_MAX)
        self.found = Answers()

    async def call(self, request: bytes, due: float) -> None:
        self.found.asked += 1
        try:
            async with self._bound:
                line = self._idle.pop() if self._idle else await self._opened()
                status = await line.call(request)
            if not line.transport.is_closing():
                self._idle.append(line)
        except (OSError, TimeoutError) as problem:
            status = type(problem).__name__
        self.found.latencies.append(time.perf_counter() - due)
        self.found.statuses[status] += 1

    async def _opened(self) -> Line:
        loop = asyncio.get_running_loop()
        _, line = await loop.create_connection(Line, *self._where, ssl=self._tls)
        self.found.connections += 1
        return line

    def close(self) -> None:
        for line in self._idle:
            line.transport.abort()


async def call_evenly(
    where: tuple[str, int],
    tls: ssl.SSLContext | None,
    requests: Sequence[bytes],
    per_second: float,
    seconds: float,
) -> Answers:
    """Call `per_second` times a second for so long, with one request after the other."""
    callers = Callers(*where, tls)
    running: set[asyncio.Task[None]] = set()
    begin = time.perf_counter()
    for number in range(int(per_second * seconds)):
        due = begin + number / per_second
        if (wait := due - time.perf_counter()) > 0:
            await after(wait)
        call = callers.call(requests[number % len(requests)], due)
        task = asyncio.get_running_loop().create_task(call)
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.gather(*running)
    callers.close()
    return callers.found


async def call_hard(
    where: tuple[str, int], requests: Sequence[bytes], connections: int, seconds: float
) -> Answers:
    """Call over so many connections, on each the next request once the last is answered."""
    callers = Callers(*where, None)
    end = time.perf_counter() + seconds
    turns = iter(range(10**12))

    async def repeat() -> None:
        while time.perf_counter() < end:
            request = requests[next(turns) % len(requests)]
            await callers.call(request, time.perf_counter())

    await asyncio.gather(*(repeat() for _ in range(connections)))
    callers.close()
    return callers.found


async def call_all(where: tuple[str, int], requests: Sequence[bytes], connections: int) -> Answers:
    """Send each request once, over so many connections."""
    callers = Callers(*where, None)
    left = iter(requests)

    async def repeat() -> None:
        for request in left:
            await callers.call(request, time.perf_counter())

    await asyncio.gather(*(repeat() for _ in range(connections)))
    callers.close()
    return callers.found
