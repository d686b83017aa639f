"""The one clock, and everything random: ids, tokens and secrets are made here and nowhere else."""

from __future__ import annotations

import asyncio
import functools
import heapq
import itertools
import os
import random
import time
from datetime import UTC, datetime
from typing import Protocol

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class Clock(Protocol):
    """Time and randomness. Wall time is in seconds since the epoch."""

    def now(self) -> float:
        """Wall time in seconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go backwards; for durations only."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of this clock's time."""
        ...

    def random_bytes(self, count: int) -> bytes:
        """`count` unpredictable bytes."""
        ...


class SystemClock:
    """The machine's own time and the kernel's randomness."""

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)
    random_bytes = staticmethod(os.urandom)

    async def sleep(self, seconds: float) -> None:
        """Wait for real seconds."""
        await asyncio.sleep(seconds)


class ManualClock:
    """A clock for tests: time moves only by `advance`, and randomness is seeded."""

    def __init__(self, start: float = 1_700_000_000.0, seed: int = 0) -> None:
        self._now = start
        self._random = random.Random(seed)
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> float:
        """The manual time."""
        return self._now

    def monotonic(self) -> float:
        """The manual time, which never goes backwards either."""
        return self._now

    def random_bytes(self, count: int) -> bytes:
        """Seeded bytes: the same in every run."""
        return self._random.randbytes(count)

    async def sleep(self, seconds: float) -> None:
        """Wait until `advance` has moved the time far enough."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._order), future))
        await future

    async def advance(self, seconds: float) -> None:
        """Move the time, waking sleepers in the order of their times."""
        target = self._now + seconds
        while self._sleepers and self._sleepers[0][0] <= target:
            self._now, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)
            for _ in range(3):
                await asyncio.sleep(0)
        self._now = target
        await asyncio.sleep(0)


def new_uuid(clock: Clock) -> str:
    """A version 4 UUID, as AWS uses for request ids."""
    digits = clock.random_bytes(16).hex()
    # The version is 4, and the variant's two high bits are 10 (RFC 9562 §5.4).
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def new_label(clock: Clock, length: int) -> str:
    """Lower-case letters and digits, as API Gateway uses for its ids."""
    return "".join(_LETTERS[byte % 36] for byte in clock.random_bytes(length))


def new_base32(clock: Clock, length: int) -> str:
    """Capitals and digits 2–7, as IAM uses in unique ids such as `AIDA…`."""
    return "".join(_BASE32[byte & 31] for byte in clock.random_bytes(length))


def new_hex(clock: Clock, length: int) -> str:
    """Lower-case hexadecimal digits."""
    return clock.random_bytes((length + 1) // 2).hex()[:length]


def iso_time(seconds: float) -> str:
    """UTC with milliseconds, as `2026-01-31T12:00:00.000Z`."""
    whole, microseconds = divmod(round(seconds * 1e6), 1_000_000)
    return f"{_second_of(whole)}.{microseconds // 1000:03d}Z"


@functools.lru_cache(maxsize=64)
def _second_of(whole: int) -> str:
    """Kept, because most times of a second are asked for many times within it."""
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}"
