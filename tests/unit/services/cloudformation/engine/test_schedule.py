"""Steps of a graph: their order, their number at once, and what a failure means."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.services.cloudformation.engine.schedule import StepFailed, run_graph

NAMES = "ABCDEFGH"


@st.composite
def graphs(draw: Any) -> dict[str, frozenset[str]]:
    return {
        name: draw(st.frozensets(st.sampled_from(NAMES[:index]), max_size=3))
        if index
        else frozenset()
        for index, name in enumerate(NAMES)
    }


@settings(max_examples=60, deadline=None)
@given(graphs(), st.sets(st.sampled_from(NAMES), max_size=2), st.integers(1, 4))
def test_each_step_runs_once_after_those_it_needs_and_failures_stop_only_followers(
    needs, failing, width
):
    done: list[str] = []
    now = most = 0

    async def step(name: str) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        assert needs[name] <= set(done)
        yielded = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(yielded.set_result, None)
        await yielded
        now -= 1
        if name in failing:
            raise StepFailed(name)
        done.append(name)

    async def work() -> dict[str, StepFailed]:
        return await run_graph(needs, step, width=width, stopping=lambda: False)

    failed = asyncio.run(work())
    assert most <= width
    blocked: set[str] = set()
    for name in NAMES:
        if needs[name] & (blocked | failing):
            blocked.add(name)
    assert sorted(done) == sorted(set(NAMES) - blocked - failing)
    assert set(failed) == failing - blocked


def test_nothing_begins_once_it_is_to_stop_but_what_began_ends():
    ended: list[str] = []
    stop = asyncio.Event()

    async def step(name: str) -> None:
        stop.set()
        ended.append(name)

    async def work() -> dict[str, StepFailed]:
        needs = {"A": frozenset(), "B": frozenset({"A"})}
        return await run_graph(needs, step, width=2, stopping=stop.is_set)

    assert asyncio.run(work()) == {}
    assert ended == ["A"]


def test_an_unexpected_failure_ends_all():
    cancelled: list[str] = []

    async def step(name: str) -> None:
        if name == "A":
            raise RuntimeError("a mistake of ours")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(name)
            raise

    async def work() -> None:
        needs = {"A": frozenset(), "B": frozenset()}
        await run_graph(needs, step, width=2, stopping=lambda: False)

    with pytest.raises(RuntimeError, match="a mistake of ours"):
        asyncio.run(work())
    assert cancelled == ["B"]
