"""Waiting for functions: the gateway gives up in time, the function goes on.

A client that has gone, or an integration's timeout, ends neither the invocation nor its
environment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from cumulet.core.errors import AwsError
from cumulet.kit.workers import Tasks

T = TypeVar("T")


class Invocations:
    """The invocations that are under way; they end with the platform at the latest.

    Their number is bounded by the concurrency of Lambda, which refuses those above it.
    """

    def __init__(self) -> None:
        self._tasks = Tasks()

    async def start(self) -> None:
        """Nothing is under way at first."""

    async def stop(self) -> None:
        """End what is still under way."""
        await self._tasks.stop()

    async def wait(self, work: Coroutine[object, object, T], timeout_seconds: float) -> T:
        """The answer of `work`. Raises TimeoutError, and leaves the work to its own end."""
        loop = asyncio.get_running_loop()
        # The same as asyncio.wait with a timeout, at half of its price.
        waiter: asyncio.Future[T] = loop.create_future()
        self._tasks.start(_settle(work, waiter), "integration")
        timer = loop.call_later(timeout_seconds, _give_up, waiter)
        try:
            return await waiter
        finally:
            timer.cancel()


def _give_up(waiter: asyncio.Future[T]) -> None:
    _fail(waiter, TimeoutError())


def _fail(waiter: asyncio.Future[T], cause: BaseException) -> None:
    if not waiter.done():
        waiter.set_exception(cause)
        # Whoever waited may be gone by now: that nobody hears of it is no mistake.
        waiter.exception()


async def _settle(work: Coroutine[object, object, T], waiter: asyncio.Future[T]) -> None:
    """Do the work and tell whoever still waits; of an error of AWS's nobody else need hear."""
    try:
        answer = await work
    except AwsError as error:
        _fail(waiter, error)
    except asyncio.CancelledError:
        waiter.cancel()
        raise
    except Exception as cause:
        _fail(waiter, cause)
        raise
    else:
        if not waiter.done():
            waiter.set_result(answer)
