"""Turns before a model: as many as may, in order, none lost."""

from __future__ import annotations

import asyncio

import pytest

from cumulet.services.bedrock.providers.gate import Full, Gate


def test_turns_come_in_the_order_of_asking() -> None:
    async def run() -> list[int]:
        gate, order = Gate(1, 10), []
        await gate.enter()

        async def wait(number: int) -> None:
            await gate.enter()
            order.append(number)
            gate.leave()

        async with asyncio.TaskGroup() as tasks:
            for number in range(5):
                tasks.create_task(wait(number))
            gate.leave()
        return order

    assert asyncio.run(run()) == [0, 1, 2, 3, 4]


def test_one_more_than_may_wait_is_turned_away() -> None:
    async def run() -> None:
        gate = Gate(1, 1)
        await gate.enter()
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(gate.enter())
            await asyncio.wait([waiting], timeout=0)
            with pytest.raises(Full):
                await gate.enter()
            gate.leave()

    asyncio.run(run())


def test_who_gives_up_waiting_takes_no_turn() -> None:
    async def run() -> None:
        gate = Gate(1, 2)
        await gate.enter()
        loop = asyncio.get_running_loop()
        first, second = loop.create_task(gate.enter()), loop.create_task(gate.enter())
        await asyncio.wait([first], timeout=0)
        first.cancel()
        gate.leave()
        await second
        gate.leave()
        await gate.enter()  # The turn is free again.
        # Cancelled in the very moment in which the turn came: it is passed on.
        third = loop.create_task(gate.enter())
        await asyncio.wait([third], timeout=0)
        gate.leave()
        third.cancel()
        await asyncio.gather(third, return_exceptions=True)
        await gate.enter()

    asyncio.run(asyncio.wait_for(run(), 10))
