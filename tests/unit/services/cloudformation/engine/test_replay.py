"""What makes a step safe to try again."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.core.clock import ManualClock, new_label, new_uuid
from cumulet.kv.memory import MemoryStore
from cumulet.services.cloudformation.engine.replay import StepClock, Watched


@settings(max_examples=50, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.text(max_size=10), st.lists(st.integers(1, 64)))
def test_each_try_of_a_step_gets_the_same_bytes_and_no_other_step_does(seed, step, sizes):
    tries = [StepClock(ManualClock(), seed, step) for _ in range(2)]
    first, again = ([one.random_bytes(size) for size in sizes] for one in tries)
    assert first == again
    long = [one for one in first if len(one) >= 16]
    assert len(set(long)) == len(long)
    other = StepClock(ManualClock(), seed, step + "x")
    assert StepClock(ManualClock(), seed, step).random_bytes(16) != other.random_bytes(16)


def test_ids_follow_from_the_step_and_time_does_not():
    clock = ManualClock(start=5.0)
    one, two = (StepClock(clock, b"s" * 32, "step") for _ in range(2))
    assert (new_uuid(one), new_label(one, 10)) == (new_uuid(two), new_label(two, 10))
    assert one.now() == one.monotonic() == 5.0


def test_a_transaction_tells_whether_it_wrote():
    async def work() -> None:
        store = MemoryStore()
        seen: list[bool] = []

        async def reading(tx: Any) -> None:
            watched = Watched(tx)
            await watched.get(b"a")
            await watched.scan(b"a", b"b", limit=1)
            seen.append(watched.wrote)

        async def writing(tx: Any) -> None:
            for act in (
                lambda one: one.set(b"a", b"1"),
                lambda one: one.clear(b"b"),
                lambda one: one.count(b"c", 1),
                lambda one: one.stamp(b"d", b"", b"1"),
            ):
                watched = Watched(tx)
                act(watched)
                seen.append(watched.wrote)

        await store.transact(reading)
        await store.transact(writing)
        assert seen == [False, True, True, True, True]

    asyncio.run(work())
