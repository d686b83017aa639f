"""Connections to backends that are kept open for the next request, within bounds."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from cumulet.core.clock import Clock
from cumulet.services.apigateway.pipeline.integrations.outbound import (
    Arriving,
    Line,
    OutboundError,
    Target,
    connect,
    message_of,
)

IDLE_MAX = 512
"""Connections that wait for their next request, over all backends. Ours."""

IDLE_OF_ONE_MAX = 64
IDLE_SECONDS_MAX = 4.0
"""Less than common servers keep a connection that nobody uses. Ours."""

_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
Place = tuple[str, int, ssl.SSLContext | None]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer whose head is here; `body` is consumed once, or closed."""

    status: int
    headers: list[tuple[str, str]]
    body: ArrivingBody


class ArrivingBody:
    """A body that is read once. Its connection is given back at its end, or closed by `aclose`."""

    def __init__(self, arriving: Arriving, done: Callable[[], None]) -> None:
        self._arriving = arriving
        self._pieces = arriving.pieces()
        self._done: Callable[[], None] | None = done

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._pieces)
        except BaseException:
            self._finish()
            raise

    async def whole(self) -> bytes:
        """All of it. Raises OutboundError when it breaks off or is too long."""
        try:
            return await self._arriving.whole()
        finally:
            self._finish()

    async def aclose(self) -> None:
        """Read no more."""
        self._finish()

    def _finish(self) -> None:
        done, self._done = self._done, None
        if done is not None:
            done()


class Connections:
    """The idle connections. A lifetime of the platform's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._idle: dict[Place, list[Line]] = {}
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """None is open at first."""

    async def stop(self) -> None:
        """Close those that wait."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for lines in self._idle.values():
            for line in lines:
                line.close()
        self._idle.clear()
        self._count = 0

    async def send(
        self,
        target: Target,
        method: str,
        headers: list[tuple[str, str]],
        body: bytes,
        tls: ssl.SSLContext | None,
    ) -> Answer:
        """Send a request and wait for the head of its answer; the caller bounds the time.

        Redirects are not followed. A request that may be repeated is sent again on a new connection
        when a kept one turns out to be gone. Raises OutboundError.
        """
        message = message_of(target, method, headers, body)
        place = (target.host, target.port, tls)
        line = self._take(place)
        if line is not None:
            try:
                return await self._exchange(place, line, method, message)
            except OutboundError as error:
                if error.has_begun or method not in _REPEATABLE:
                    raise
        return await self._exchange(place, await connect(target, tls), method, message)

    async def _exchange(self, place: Place, line: Line, method: str, message: bytes) -> Answer:
        try:
            arriving = line.begin(method, message)
            await arriving.head()
        except BaseException:
            line.close()
            raise
        body = ArrivingBody(arriving, lambda: self._give_back(place, line))
        return Answer(arriving.status, arriving.headers, body)

    def _take(self, place: Place) -> Line | None:
        """The connection used last, if it is still good."""
        lines = self._idle.get(place)
        now = self._clock.monotonic()
        while lines:
            line = lines.pop()
            self._count -= 1
            if not lines:
                del self._idle[place]
            if line.is_usable and now - line.idle_since < IDLE_SECONDS_MAX:
                return line
            line.close()
        return None

    def _give_back(self, place: Place, line: Line) -> None:
        if not line.rest():
            return
        line.idle_since = self._clock.monotonic()
        lines = self._idle.setdefault(place, [])
        if len(lines) >= IDLE_OF_ONE_MAX or self._count >= IDLE_MAX:
            line.close()
            if not lines:
                del self._idle[place]
            return
        lines.append(line)
        self._count += 1
        if self._timer is None:
            self._sweep_later()

    def _sweep_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(IDLE_SECONDS_MAX, self._sweep)

    def _sweep(self) -> None:
        """Close those that have waited too long; each place's are in order of their age."""
        now = self._clock.monotonic()
        for place in list(self._idle):
            lines = self._idle[place]
            while lines and now - lines[0].idle_since >= IDLE_SECONDS_MAX:
                lines.pop(0).close()
                self._count -= 1
            if not lines:
                del self._idle[place]
        self._timer = None
        if self._idle:
            self._sweep_later()
