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
        task = self._tasks.start(_outcome(work), "integration")
        loop = asyncio.get_running_loop()
        # The same as asyncio.wait with a timeout, at half of its price.
        waiter: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(timeout_seconds, _wake, waiter)
        task.add_done_callback(lambda _: _wake(waiter))
        try:
            await waiter
        finally:
            timer.cancel()
        if not task.done():
            raise TimeoutError
        outcome: T | AwsError = task.result()
        if isinstance(outcome, AwsError):
            raise outcome
        return outcome


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


async def _outcome(work: Coroutine[object, object, T]) -> T | AwsError:
    """The answer or the error, as a value: nobody may be left to hear of it."""
    try:
        return await work
    except AwsError as error:
        return error
