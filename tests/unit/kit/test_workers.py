"""Background work: leases, back-off, wake-ups, and tasks that somebody holds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any

import pytest

from cumulet.core.clock import ManualClock
from cumulet.kit.workers import BACK_OFF_SECONDS_MAX, LEASE_SECONDS, Tasks, Worker, Workers
from cumulet.kv.memory import MemoryStore

TURNS = 40
"""Turns of the loop in which everything that can go on has gone on."""


async def settle(clock: ManualClock, seconds: float = 0.0) -> None:
    """Move the time in small steps, as real time moves, and let everything go on."""
    steps = max(1, int(seconds))
    for _ in range(steps):
        await clock.advance(seconds / steps)
        for _ in range(TURNS):
            await clock.advance(0)


class Counted:
    """A worker that counts its runs."""

    def __init__(self, every_seconds: float = 10.0) -> None:
        self.runs = 0
        self._every_seconds = every_seconds

    async def run(self, platform: Any) -> float:
        self.runs += 1
        return self._every_seconds


def make(store: MemoryStore, clock: ManualClock, *, shared: bool) -> Workers:
    return Workers(None, store, clock, shared=shared)  # type: ignore[arg-type]


Scenario = Callable[[MemoryStore, ManualClock], Awaitable[None]]


def play(scenario: Scenario) -> None:
    async def on_stage() -> None:
        await scenario(MemoryStore(), ManualClock())

    asyncio.run(on_stage())


def test_a_worker_runs_again_after_the_time_it_named() -> None:
    async def scenario(store: MemoryStore, clock: ManualClock) -> None:
        counted = Counted(every_seconds=10)
        workers = make(store, clock, shared=False)
        workers.start((Worker("w", counted.run),))
        await settle(clock)
        assert counted.runs == 1
        await settle(clock, 9)
        assert counted.runs == 1
        await settle(clock, 2)
        assert counted.runs == 2
        await workers.stop()
        await settle(clock, 100)
        assert counted.runs == 2

    play(scenario)


def test_on_a_shared_store_one_process_works_and_another_takes_over() -> None:
    async def scenario(store: MemoryStore, clock: ManualClock) -> None:
        here, there = Counted(), Counted()
        one, other = (make(store, clock, shared=True) for _ in range(2))
        one.start((Worker("w", here.run),))
        await settle(clock)
        other.start((Worker("w", there.run),))
        await settle(clock, LEASE_SECONDS * 3)
        assert here.runs > 10
        assert there.runs == 0
        await one.stop()
        before = here.runs
        await settle(clock, LEASE_SECONDS * 2)
        assert there.runs > 0
        assert here.runs == before
        await other.stop()

    play(scenario)


def test_leases_of_two_workers_are_two() -> None:
    async def scenario(store: MemoryStore, clock: ManualClock) -> None:
        first, second = Counted(), Counted()
        one, other = (make(store, clock, shared=True) for _ in range(2))
        one.start((Worker("first", first.run),))
        other.start((Worker("second", second.run),))
        await settle(clock)
        assert (first.runs, second.runs) == (1, 1)
        await one.stop()
        await other.stop()

    play(scenario)


def test_a_process_of_its_own_store_does_not_wait_for_an_older_ones_lease() -> None:
    async def scenario(store: MemoryStore, clock: ManualClock) -> None:
        killed = make(store, clock, shared=True)
        killed.start((Worker("w", Counted().run),))
        await settle(clock)
        await killed.stop()
        counted = Counted()
        restarted = make(store, clock, shared=False)
        restarted.start((Worker("w", counted.run),))
        await settle(clock)
        assert counted.runs == 1
        await restarted.stop()

    play(scenario)


def test_a_worker_that_fails_is_tried_again_later_and_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    times: list[float] = []

    async def scenario(store: MemoryStore, clock: ManualClock) -> None:
        async def fail(platform: Any) -> float:
            times.append(clock.now())
            raise OSError("no disk")

        workers = make(store, clock, shared=False)
        workers.start((Worker("w", fail),))
        await settle(clock, 300)
        assert workers.failures == {"w": len(times)}
        await workers.stop()

    play(scenario)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert gaps[:5] == sorted(gaps[:5])
    assert max(gaps) <= BACK_OFF_SECONDS_MAX + 1
    assert len(caplog.records) == len(times)


def test_a_worker_that_recovers_is_no_failure_any_more() -> None:
    async def scenario(store: MemoryStore, clock: ManualClock) -> None:
        runs = iter([OSError("once"), None])

        async def run(platform: Any) -> float:
            if (failure := next(runs, None)) is not None:
                raise failure
            return 60.0

        workers = make(store, clock, shared=False)
        workers.start((Worker("w", run),))
        await settle(clock)
        assert workers.failures == {"w": 1}
        await settle(clock, 5)
        assert workers.failures == {}
        await workers.stop()

    play(scenario)


def test_a_write_wakes_the_worker_that_watches() -> None:
    async def scenario(store: MemoryStore, clock: ManualClock) -> None:
        ran = asyncio.Event()
        runs = 0

        async def run(platform: Any) -> float:
            nonlocal runs
            runs += 1
            ran.set()
            return 3600.0

        workers = make(store, clock, shared=False)
        workers.start((Worker("w", run, wakes_on=b"queue/"),))
        await asyncio.wait_for(ran.wait(), 10)
        ran.clear()

        async def write(tx: Any) -> None:
            tx.set(b"queue/1", b"")

        await store.transact(write)
        await asyncio.wait_for(ran.wait(), 10)
        assert runs == 2
        await workers.stop()

    play(scenario)


def test_a_task_that_fails_is_logged_once_and_forgotten(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail() -> None:
        raise ValueError("the cause")

    async def scenario() -> None:
        tasks = Tasks()
        tasks.start(fail(), "bad")
        await settle(ManualClock())
        await tasks.stop()

    asyncio.run(scenario())
    [record] = caplog.records
    assert '"task": "bad"' in record.getMessage()
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ValueError)


def test_tasks_end_together_and_a_cancelled_one_is_no_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> None:
        tasks = Tasks()
        held = [tasks.start(asyncio.Event().wait(), f"t{n}") for n in range(3)]
        await settle(ManualClock())
        await tasks.stop()
        assert all(task.cancelled() for task in held)

    asyncio.run(scenario())
    assert not caplog.records
