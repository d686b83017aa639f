"""Regular work: at its distance, past failures, and once more at the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from cumulet.core.clock import ManualClock
from cumulet.kit.workers import Tasks
from cumulet.kit.workers.regularly import Regularly

Story = Callable[[ManualClock], Awaitable[None]]


def play(story: Story) -> None:
    async def on_stage() -> None:
        await story(ManualClock())

    asyncio.run(on_stage())


def said(records: list[logging.LogRecord], words: str) -> int:
    return sum(words in record.getMessage() for record in records)


def test_work_is_done_at_its_distance_and_once_more_at_the_end() -> None:
    async def story(clock: ManualClock) -> None:
        turns: list[float] = []
        regularly = Regularly(clock, 5.0, "w", lambda: turns.append(clock.now()))
        begun = clock.now()
        await regularly.start()
        await clock.advance(0)
        assert turns == []
        for _ in range(12):
            await clock.advance(1)
        assert [turn - begun for turn in turns] == [5.0, 10.0]
        await regularly.stop()
        assert [turn - begun for turn in turns] == [5.0, 10.0, 12.0]
        await clock.advance(100)
        assert len(turns) == 3

    play(story)


def test_a_failure_ends_nothing_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    async def story(clock: ManualClock) -> None:
        turns = 0

        async def fail_thrice() -> None:
            nonlocal turns
            turns += 1
            if turns <= 3:
                raise ValueError(f"turn {turns}")

        regularly = Regularly(clock, 1.0, "w", fail_thrice)
        await regularly.start()
        await clock.advance(0)
        with caplog.at_level(logging.INFO, "cumulet"):
            for _ in range(6):
                await clock.advance(1)
        assert turns == 6
        assert said(caplog.records, "regular work failed") == 1
        assert said(caplog.records, "regular work goes on") == 1
        await regularly.stop()

    play(story)


def test_a_failure_at_the_end_is_told_and_not_raised(caplog: pytest.LogCaptureFixture) -> None:
    async def story(clock: ManualClock) -> None:
        def fail() -> None:
            raise ValueError("at the end")

        regularly = Regularly(clock, 1.0, "w", fail)
        await regularly.start()
        await regularly.stop()
        assert said(caplog.records, "regular work failed") == 1

    play(story)


def test_what_is_under_way_is_finished_before_the_last_turn() -> None:
    async def story(clock: ManualClock) -> None:
        gate = asyncio.Event()
        done: list[str] = []

        async def work() -> None:
            done.append("begun")
            await gate.wait()
            done.append("ended")

        regularly = Regularly(clock, 1.0, "w", work)
        await regularly.start()
        await clock.advance(0)
        await clock.advance(1)
        assert done == ["begun"]
        stopping = Tasks().start(regularly.stop(), "stop")
        await clock.advance(0)
        gate.set()
        await stopping
        assert done == ["begun", "ended", "begun", "ended"]

    play(story)
