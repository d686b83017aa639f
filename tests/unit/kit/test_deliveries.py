"""The queue of deliveries: lanes, order, bounds, and contents that go with their last job."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from cumulet.core.clock import ManualClock
from cumulet.core.identity import Scope
from cumulet.kit.workers import deliveries
from cumulet.kit.workers.deliveries import (
    Deliveries,
    DeliveryTables,
    Draft,
    Job,
    Later,
    Load,
)
from cumulet.kv.contract import Store
from cumulet.kv.memory import MemoryStore

SCOPE = Scope("000000000000", "us-east-1")


class Hall:
    """A platform with a store and a clock, and the deliveries under test."""

    def __init__(self, carry: Callable[[Job, bytes], Awaitable[Later | None]]) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore()
        self.tables = DeliveryTables("test")
        self.part = Deliveries(self, self.tables, carry)  # type: ignore[arg-type]
        self._contents = 0

    def need(self, kind: Any) -> Any:
        assert kind is Store
        return self.store

    async def transact(self, work: Any, scope: Scope, *args: Any) -> Any:
        return await self.store.transact(lambda tx: work(tx, scope, *args))

    async def add(self, *drafts: Draft, data: bytes = b"x") -> list[Draft]:
        self._contents += 1
        sequence = self.part.next_sequence(len(drafts))
        load = Load(f"c{self._contents}", data, drafts, self.clock.now(), sequence)
        refused: list[Draft] = await self.transact(self.tables.add, SCOPE, load)
        return refused

    async def settle(self) -> None:
        """Carry out all that can be, now."""
        await self.part.step()
        while held := set(self.part._tasks._held):
            await asyncio.wait(held)

    async def left(self) -> tuple[int, int, int]:
        """How many jobs, lanes and parts of contents there are."""

        async def read(tx: Any) -> tuple[int, int, int]:
            jobs, lanes, parts = [
                await table.scan(tx, Scope("", ""), limit=1_000) for table in self.tables.all
            ]
            return len(jobs), len(lanes), len(parts)

        return await self.store.transact(read)


def test_a_content_goes_with_the_last_job_that_brings_it() -> None:
    got: list[tuple[str, int]] = []

    async def carry(job: Job, data: bytes) -> None:
        got.append((job.lane, len(data)))

    async def story() -> None:
        hall = Hall(carry)
        await hall.add(Draft("a", {}), Draft("b", {}), data=b"x" * 600_000)
        assert await hall.left() == (2, 2, 2)
        await hall.settle()
        assert sorted(got) == [("a", 600_000), ("b", 600_000)]
        assert await hall.left() == (0, 0, 0)
        await hall.part.stop()

    asyncio.run(story())


def test_an_ordered_lane_waits_for_its_first_and_others_do_not() -> None:
    got: list[str] = []
    fails = {"a1": 2}

    async def carry(job: Job, data: bytes) -> Later | None:
        name = data.decode()
        got.append(name)
        if fails.get(name, 0) > 0:
            fails[name] -= 1
            return Later(10.0)
        return None

    async def story() -> None:
        hall = Hall(carry)
        for name in ("a1", "a2", "a3"):
            await hall.add(Draft("a", {}, is_ordered=True), data=name.encode())
        await hall.add(Draft("b", {}), data=b"b1")
        await hall.settle()
        assert sorted(got) == ["a1", "b1"]
        await hall.clock.advance(9)
        await hall.settle()
        assert len(got) == 2
        for _ in range(2):
            await hall.clock.advance(10)
            await hall.settle()
        assert got[2:] == ["a1", "a1", "a2", "a3"]
        assert await hall.left() == (0, 0, 0)
        await hall.part.stop()

    asyncio.run(story())


def test_a_receiver_that_hangs_holds_up_nobody_else() -> None:
    got: list[str] = []

    async def story() -> None:
        freed = asyncio.Event()
        running = 0

        async def carry(job: Job, data: bytes) -> None:
            nonlocal running
            if job.lane == "hangs":
                running += 1
                await freed.wait()
                return
            got.append(job.lane)

        hall = Hall(carry)
        for _ in range(100):
            await hall.add(Draft("hangs", {}))
        for number in range(20):
            await hall.add(Draft(f"lane{number}", {}))
        await hall.part.step()
        while len(got) < 20:
            await hall.clock.sleep(0)
        assert running == deliveries.LANE_RUNNING_MAX
        freed.set()
        await hall.settle()
        assert await hall.left() == (0, 0, 0)
        await hall.part.stop()

    asyncio.run(story())


def test_a_lane_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "LANE_WAITING_MAX", 2)

    async def carry(job: Job, data: bytes) -> None:
        return None

    async def story() -> None:
        hall = Hall(carry)
        assert await hall.add(Draft("a", {})) == []
        assert await hall.add(Draft("a", {})) == []
        refused = await hall.add(Draft("a", {}), Draft("b", {}))
        assert [draft.lane for draft in refused] == ["a"]
        assert (await hall.left())[0] == 3
        await hall.settle()
        assert await hall.left() == (0, 0, 0)
        await hall.part.stop()

    asyncio.run(story())


def test_a_mistake_of_ours_is_tried_again_but_not_for_ever() -> None:
    tries = 0

    async def carry(job: Job, data: bytes) -> None:
        nonlocal tries
        tries += 1
        raise RuntimeError("as the test wants it")

    async def story() -> None:
        hall = Hall(carry)
        await hall.add(Draft("a", {}))
        for _ in range(deliveries.MISTAKES_MAX + 3):
            await hall.settle()
            await hall.clock.advance(deliveries.MISTAKE_SECONDS)
        assert tries == deliveries.MISTAKES_MAX + 1
        assert await hall.left() == (0, 0, 0)
        await hall.part.stop()

    asyncio.run(story())
