"""The clock: manual time moves only when it is moved, and ids have the forms AWS gives them."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.core.clock import (
    ManualClock,
    SystemClock,
    iso_time,
    new_base32,
    new_hex,
    new_label,
    new_uuid,
)


def test_manual_time_stands_still_until_it_is_moved() -> None:
    async def scenario() -> None:
        clock = ManualClock(start=1_000.0)
        assert clock.now() == clock.monotonic() == 1_000.0
        await clock.advance(2.5)
        assert clock.now() == clock.monotonic() == 1_002.5

    asyncio.run(scenario())


def test_sleepers_wake_in_the_order_of_their_times_and_see_their_own_time() -> None:
    woken: list[tuple[str, float]] = []

    async def scenario() -> None:
        clock = ManualClock(start=0.0)

        async def sleep(name: str, seconds: float) -> None:
            await clock.sleep(seconds)
            woken.append((name, clock.now()))

        tasks = [asyncio.gather(sleep("late", 3), sleep("early", 1), sleep("too late", 9))]
        await clock.advance(0)
        await clock.advance(5)
        assert woken == [("early", 1.0), ("late", 3.0)]
        assert clock.now() == 5.0
        await clock.advance(5)
        await asyncio.gather(*tasks)

    asyncio.run(scenario())
    assert woken[-1] == ("too late", 9.0)


def test_a_sleeper_that_sleeps_again_is_woken_by_the_same_advance() -> None:
    async def scenario() -> list[float]:
        clock = ManualClock(start=0.0)
        seen: list[float] = []

        async def tick() -> None:
            for _ in range(3):
                await clock.sleep(1)
                seen.append(clock.now())

        task = asyncio.gather(tick())
        await clock.advance(0)
        await clock.advance(10)
        await task
        return seen

    assert asyncio.run(scenario()) == [1.0, 2.0, 3.0]


def test_a_cancelled_sleeper_is_passed_by() -> None:
    async def scenario() -> None:
        clock = ManualClock(start=0.0)
        task = asyncio.gather(clock.sleep(1))
        await clock.advance(0)
        task.cancel()
        await clock.advance(2)
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())


def test_no_time_is_no_wait() -> None:
    async def scenario() -> None:
        await ManualClock().sleep(0)
        await SystemClock().sleep(0)

    asyncio.run(scenario())


def test_manual_randomness_is_the_same_in_every_run() -> None:
    assert ManualClock(seed=1).random_bytes(9) == ManualClock(seed=1).random_bytes(9)
    assert ManualClock(seed=1).random_bytes(9) != ManualClock(seed=2).random_bytes(9)


def test_the_machines_time_goes_on() -> None:
    clock = SystemClock()
    assert clock.now() > 1_700_000_000
    assert clock.monotonic() <= clock.monotonic()
    assert clock.random_bytes(16) != clock.random_bytes(16)


def test_a_request_id_is_a_version_four_uuid() -> None:
    assert uuid.UUID(new_uuid(ManualClock())).version == 4


@given(seed=st.integers(0, 999), length=st.integers(0, 64))
@settings(max_examples=25)
def test_ids_have_their_length_and_letters(seed: int, length: int) -> None:
    forms: list[tuple[Callable[..., str], str]] = [
        (new_label, r"[a-z0-9]*"),
        (new_base32, r"[A-Z2-7]*"),
        (new_hex, r"[0-9a-f]*"),
    ]
    for make, letters in forms:
        made = make(ManualClock(seed=seed), length)
        assert len(made) == length
        assert re.fullmatch(letters, made)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1_700_000_000.25, "2023-11-14T22:13:20.250Z"),
        (1_700_000_000.9999, "2023-11-14T22:13:20.999Z"),
    ],
)
def test_times_are_told_in_utc_with_milliseconds(seconds: float, text: str) -> None:
    assert iso_time(seconds) == text
