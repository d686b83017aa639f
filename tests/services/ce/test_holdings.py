"""What resources hold is counted by the time between two readings, and the port loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cumulet.core import usage
from cumulet.core.clock import ManualClock
from cumulet.core.identity import Scope
from cumulet.core.trace import Trace
from cumulet.core.usage import Holding
from cumulet.kit.dispatch import Dispatcher
from cumulet.kit.service import Holders
from cumulet.kv.contract import Store
from cumulet.kv.memory import MemoryStore
from cumulet.services.ce import store
from cumulet.services.ce.gather import UsageGatherer
from cumulet.services.ce.limits import GATHERED_MAX
from cumulet.services.ce.workers import count_holdings, expire_usage

HERE = Scope("000000000000", "us-east-1")
DAY = 86_400.0
START = 1_764_547_200.0 - 3600  # an hour before 2025-12-01


async def held(platform: Any) -> AsyncIterator[Holding]:
    yield Holding(HERE, "arn:bucket", usage.S3_STORAGE, 720.0)
    yield Holding(HERE, "arn:table", usage.READ_CAPACITY, 5.0)


async def broken(platform: Any) -> AsyncIterator[Holding]:
    raise RuntimeError("cannot be read")
    yield


class Bench:
    """A platform of nothing but a store, a clock and the port."""

    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.store = MemoryStore()
        self.platform = Dispatcher(
            store=self.store, clock=self.clock, catalog=None, services=(), endpoint=""
        )
        self.platform.provide(Store, self.store)
        self.platform.provide(Holders, Holders((broken, held)))
        self.usage = UsageGatherer(self.platform)
        self.platform.provide(UsageGatherer, self.usage)

    async def amounts(self) -> dict[tuple[str, str, str], float]:
        found = await self.platform.transact(store.scan_days, HERE, "", "9999", None)
        return {(one.day, one.resource, one.usage_type): one.amount for one in found}


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_time_counts_for_its_day_and_its_month(bench: Bench) -> None:
    async def run() -> dict[tuple[str, str, str], float]:
        await count_holdings(bench.platform)
        await bench.clock.advance(2 * 3600)
        await count_holdings(bench.platform)
        return await bench.amounts()

    assert asyncio.run(run()) == {
        ("2025-11-30", "arn:bucket", "TimedStorage-ByteHrs"): pytest.approx(1.0),
        ("2025-12-01", "arn:bucket", "TimedStorage-ByteHrs"): pytest.approx(720 / 744),
        ("2025-11-30", "arn:table", "ReadCapacityUnit-Hrs"): pytest.approx(5.0),
        ("2025-12-01", "arn:table", "ReadCapacityUnit-Hrs"): pytest.approx(5.0),
    }


def test_amounts_add_up_over_batches_and_a_failed_write_loses_none(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(work: Any) -> Any:
        raise RuntimeError("the store does not take it")

    async def run() -> dict[tuple[str, str, str], float]:
        bench.usage.used(HERE, "arn:q", usage.SQS_REQUESTS, 1.0)
        with monkeypatch.context() as broken_store:
            broken_store.setattr(bench.store, "transact", refuse)
            with pytest.raises(RuntimeError):
                await bench.usage.flush()
        bench.usage.used(HERE, "arn:q", usage.SQS_REQUESTS, 2.0)
        await bench.usage.flush()
        bench.usage.used(HERE, "arn:q", usage.SQS_REQUESTS, 4.0)
        await bench.usage.stop()
        return await bench.amounts()

    assert asyncio.run(run()) == {("2025-11-30", "arn:q", "Requests-Tier1"): 7.0}


def test_a_member_counts_once_a_month(bench: Bench) -> None:
    async def run() -> dict[tuple[str, str, str], float]:
        for _ in range(2):
            for who in ("ada", "bob"):
                bench.usage.seen(HERE, "arn:pool", usage.ACTIVE_USERS, who)
            await bench.usage.flush()
            # The month turns, and then a day within it.
            await bench.clock.advance(DAY)
        bench.usage.seen(HERE, "arn:pool", usage.ACTIVE_USERS, "ada")
        await bench.usage.flush()
        return await bench.amounts()

    kind = usage.ACTIVE_USERS.usage_type
    assert asyncio.run(run()) == {
        ("2025-11-30", "arn:pool", kind): 2.0,
        ("2025-12-01", "arn:pool", kind): 2.0,
    }


def test_too_many_resources_lose_their_names_and_not_their_amounts(bench: Bench) -> None:
    async def run() -> dict[tuple[str, str, str], float]:
        for number in range(GATHERED_MAX + 10):
            bench.usage.used(HERE, f"arn:{number}", usage.SQS_REQUESTS, 1.0)
        await bench.usage.flush()
        found: dict[tuple[str, str, str], float] = {}
        after = None
        while page := await bench.platform.transact(store.scan_days, HERE, "", "9999", after):
            found |= {(one.day, one.resource, one.usage_type): one.amount for one in page}
            after = page[-1]
        return found

    found = asyncio.run(run())
    assert sum(found.values()) == GATHERED_MAX + 10
    assert found["2025-11-30", "", "Requests-Tier1"] == 10


def test_usage_is_kept_for_fourteen_months(bench: Bench) -> None:
    async def run() -> list[dict[tuple[str, str, str], float]]:
        bench.usage.used(HERE, "arn:q", usage.SQS_REQUESTS, 1.0)
        await bench.usage.flush()
        await bench.clock.advance(400 * DAY)
        await expire_usage(bench.platform)
        kept = await bench.amounts()
        await bench.clock.advance(60 * DAY)
        await expire_usage(bench.platform)
        return [kept, await bench.amounts()]

    kept, gone = asyncio.run(run())
    assert len(kept) == 1
    assert not gone


def test_a_request_knows_what_it_used_and_that_is_bounded(bench: Bench) -> None:
    trace = Trace(request_id="r")
    for _ in range(600):
        bench.usage.used(HERE, "arn:q", usage.SQS_REQUESTS, 1.0, trace)
    event = trace.event()
    assert len(event["used"]) == 500
    assert event["used_dropped"] == 100
