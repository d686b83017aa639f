"""Waiting inside of steps."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cumulet.core.clock import ManualClock
from cumulet.kit.workers import Tasks
from cumulet.services.cloudformation.engine.waits import StepCancelled, Waits


def waiting(play: Any) -> Any:
    """Run `play(waits, clock, answers, task)` beside a wait for the first answer."""

    async def work() -> Any:
        clock = ManualClock()
        waits = Waits(clock)
        answers: list[str] = []
        stop = asyncio.Event()
        probed = asyncio.Event()

        async def probe() -> str | None:
            probed.set()
            return answers[0] if answers else None

        tasks = Tasks()
        task = tasks.start(waits.until("key", probe, clock.now() + 10, stop), "wait")
        await probed.wait()
        await play(waits, clock, answers, stop)
        async with asyncio.timeout(5):
            try:
                return await task
            finally:
                await tasks.stop()
                assert waits._waiting == {}

    return asyncio.run(work())


def test_a_ring_wakes_at_once():
    async def play(waits: Waits, clock: ManualClock, answers: list[str], stop: Any) -> None:
        waits.ring("other")
        answers.append("here")
        waits.ring("key")

    assert waiting(play) == "here"


def test_a_lost_ring_costs_a_second():
    async def play(waits: Waits, clock: ManualClock, answers: list[str], stop: Any) -> None:
        await clock.sleep(0)
        answers.append("here")
        await clock.advance(1.0)

    assert waiting(play) == "here"


def test_stopping_ends_the_wait():
    async def play(waits: Waits, clock: ManualClock, answers: list[str], stop: Any) -> None:
        stop.set()

    with pytest.raises(StepCancelled):
        waiting(play)


def test_time_ends_the_wait():
    async def play(waits: Waits, clock: ManualClock, answers: list[str], stop: Any) -> None:
        for _ in range(12):
            await clock.sleep(0)
            await clock.advance(1.0)
            await clock.sleep(0)

    with pytest.raises(TimeoutError):
        waiting(play)
