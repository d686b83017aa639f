"""Quotas under many requests at once, over crashes, and by the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from cumulet.core.clock import ManualClock
from cumulet.core.identity import Scope
from cumulet.kv.contract import Unavailable
from cumulet.kv.memory import MemoryStore
from cumulet.services.apigateway.admission import store
from cumulet.services.apigateway.admission.model import PlanKey, Quota
from cumulet.services.apigateway.admission.usage.quotas import Quotas
from cumulet.services.apigateway.admission.usage.reserving import block_max

SCOPE = Scope("123456789012", "eu-west-1")
DAY_SECONDS = 86_400
TEN = Quota(limit=10, offset=0, period="DAY")
MANY = Quota(limit=5_000, offset=0, period="MONTH")


class Ground:
    """What quotas need of a platform: a store and a clock. `fails` makes the store do so."""

    def __init__(self) -> None:
        self.clock = ManualClock(1_700_000_000)
        self.store = MemoryStore()
        self.transactions = 0
        self.fails = False

    async def transact(
        self, work: Callable[..., Awaitable[Any]], scope: Scope, *args: Any, **kwargs: Any
    ) -> Any:
        self.transactions += 1
        # Others come in between, as with a store that waits for its disk.
        await self.clock.sleep(0)
        if self.fails:
            raise Unavailable("the disk is gone")
        return await self.store.transact(lambda tx: work(tx, scope, *args, **kwargs))

    async def join(self, *keys: str) -> None:
        async def save(tx: Any, scope: Scope) -> None:
            for key in keys:
                await store.PLAN_KEYS.save(tx, scope, PlanKey(plan_id="p", key_id=key))

        await self.transact(save, SCOPE)

    async def days(self, key: str = "k") -> list[tuple[str, int, int | None]]:
        async def load(tx: Any, scope: Scope) -> list[Any]:
            return await store.DAYS.scan(tx, scope, "p", key, limit=100)

        return [(one.day, one.used, one.remaining) for one in await self.transact(load, SCOPE)]


def run(play: Callable[[Ground], Awaitable[None]]) -> None:
    asyncio.run(play(Ground()))  # type: ignore[arg-type]


async def taken(quotas: Quotas, times: int, quota: Quota | None = TEN, key: str = "k") -> int:
    answers = (quotas.take(SCOPE, "p", key, quota) for _ in range(times))
    return sum(await asyncio.gather(*answers))


@pytest.mark.parametrize("quota", [TEN, MANY])
def test_requests_at_once_never_get_more_than_the_quota(quota: Quota) -> None:
    async def play(ground: Ground) -> None:
        await ground.join("k")
        quotas = Quotas(ground)  # type: ignore[arg-type]
        assert await taken(quotas, quota.limit + 500, quota) == quota.limit
        assert await taken(quotas, 1, quota) == 0
        assert await ground.days() == [("2023-11-14", quota.limit, 0)]

    run(play)


def test_several_processes_never_get_more_than_the_quota() -> None:
    async def play(ground: Ground) -> None:
        await ground.join("k")
        processes = [Quotas(ground) for _ in range(3)]  # type: ignore[arg-type]
        got = await asyncio.gather(*(taken(one, 4_000, MANY) for one in processes))
        assert sum(got) <= MANY.limit
        for one in processes:
            await one.stop()
        assert await ground.days() == [("2023-11-14", sum(got), MANY.limit - sum(got))]

    run(play)


def test_few_transactions_serve_many_requests() -> None:
    async def play(ground: Ground) -> None:
        await ground.join("k")
        quotas = Quotas(ground)  # type: ignore[arg-type]
        for _ in range(3_000):
            assert await quotas.take(SCOPE, "p", "k", MANY)
        assert ground.transactions < 3_000 / block_max(MANY) + 10

    run(play)


def test_a_crash_loses_at_most_one_block_and_gives_nothing_twice() -> None:
    async def play(ground: Ground) -> None:
        await ground.join("k")
        before = 0
        for _ in range(4):
            quotas = Quotas(ground)  # type: ignore[arg-type]
            for _ in range(777):
                before += await quotas.take(SCOPE, "p", "k", MANY)
        quotas = Quotas(ground)  # type: ignore[arg-type]
        after = await taken(quotas, 5_000, MANY)
        assert MANY.limit - 4 * block_max(MANY) <= before + after <= MANY.limit

    run(play)


def test_a_small_quota_loses_nothing_in_a_crash() -> None:
    async def play(ground: Ground) -> None:
        await ground.join("k")
        for _ in range(4):
            quotas = Quotas(ground)  # type: ignore[arg-type]
            assert await quotas.take(SCOPE, "p", "k", TEN)
        assert await taken(Quotas(ground), 20) == 6  # type: ignore[arg-type]

    run(play)


def test_the_clock_gives_a_new_quota() -> None:
    async def play(ground: Ground) -> None:
        await ground.join("k")
        quotas = Quotas(ground)  # type: ignore[arg-type]
        assert await taken(quotas, 30) == 10
        await ground.clock.advance(DAY_SECONDS)
        assert await taken(quotas, 30) == 10
        assert await ground.days() == [("2023-11-14", 10, 0), ("2023-11-15", 10, 0)]

    run(play)


def test_a_month_is_counted_over_its_days() -> None:
    async def play(ground: Ground) -> None:
        await ground.join("k")
        quotas = Quotas(ground)  # type: ignore[arg-type]
        for used in (100, 200):
            for _ in range(used):
                assert await quotas.take(SCOPE, "p", "k", MANY)
            await ground.clock.advance(DAY_SECONDS)
        await quotas.settle(SCOPE, "p")
        assert await ground.days() == [("2023-11-14", 100, 4_900), ("2023-11-15", 200, 4_700)]

    run(play)


def test_what_is_given_back_can_be_used_again() -> None:
    async def play(ground: Ground) -> None:
        await ground.join("k")
        quotas = Quotas(ground)  # type: ignore[arg-type]
        for _ in range(50):
            assert await quotas.take(SCOPE, "p", "k", TEN)
            quotas.give_back(SCOPE, "p", "k")
        assert await taken(quotas, 20) == 10

    run(play)


def test_what_remains_can_be_said_by_hand() -> None:
    async def play(ground: Ground) -> None:
        await ground.join("k")
        quotas = Quotas(ground)  # type: ignore[arg-type]
        for _ in range(300):
            assert await quotas.take(SCOPE, "p", "k", MANY)
        await quotas.correct(SCOPE, "p", "k", MANY, 7)
        assert await ground.days() == [("2023-11-14", 300, 7)]
        assert await taken(quotas, 20, MANY) == 7

    run(play)


def test_a_correction_among_requests_is_exact() -> None:
    async def play(ground: Ground) -> None:
        await ground.join("k")
        quotas = Quotas(ground)  # type: ignore[arg-type]
        first, _ = await asyncio.gather(
            taken(quotas, 40, MANY), quotas.correct(SCOPE, "p", "k", MANY, 25)
        )
        assert first == 40 or first <= 25
        assert await taken(quotas, 100, MANY) <= 25

    run(play)


def test_without_a_quota_uses_are_counted_all_the_same() -> None:
    async def play(ground: Ground) -> None:
        await ground.join("k")
        quotas = Quotas(ground)  # type: ignore[arg-type]
        assert await taken(quotas, 1_500, None) == 1_500
        await quotas.stop()
        assert await ground.days() == [("2023-11-14", 1_500, None)]

    run(play)


def test_a_key_that_left_the_plan_gets_nothing_and_leaves_nothing() -> None:
    async def play(ground: Ground) -> None:
        quotas = Quotas(ground)  # type: ignore[arg-type]
        assert await taken(quotas, 5) == 0
        assert await ground.days() == []

    run(play)


def test_a_smaller_quota_holds_at_once() -> None:
    async def play(ground: Ground) -> None:
        await ground.join("k")
        quotas = Quotas(ground)  # type: ignore[arg-type]
        for _ in range(100):
            assert await quotas.take(SCOPE, "p", "k", MANY)
        assert await taken(quotas, 50, Quota(limit=110, offset=0, period="MONTH")) == 10

    run(play)


def test_a_store_that_fails_lets_nothing_through() -> None:
    async def play(ground: Ground) -> None:
        await ground.join("k")
        quotas = Quotas(ground)  # type: ignore[arg-type]
        ground.fails = True
        with pytest.raises(Unavailable):
            await quotas.take(SCOPE, "p", "k", TEN)
        ground.fails = False
        assert await taken(quotas, 20) == 10

    run(play)


def test_keys_in_memory_are_bounded_and_their_uses_kept() -> None:
    async def play(ground: Ground) -> None:
        keys = [f"k{number}" for number in range(5)]
        await ground.join(*keys)
        quotas = Quotas(ground, leases_max=2)  # type: ignore[arg-type]
        for _ in range(3):
            for key in keys:
                assert await quotas.take(SCOPE, "p", key, MANY)
        await quotas.stop()
        for key in keys:
            assert await ground.days(key) == [("2023-11-14", 3, 4_997)]

    run(play)


def test_old_days_are_forgotten() -> None:
    async def play(ground: Ground) -> None:
        await ground.join("k")
        quotas = Quotas(ground)  # type: ignore[arg-type]
        for _ in range(95):
            assert await taken(quotas, 1) == 1
            await ground.clock.advance(DAY_SECONDS)
        assert len(await ground.days()) == 91

    run(play)
