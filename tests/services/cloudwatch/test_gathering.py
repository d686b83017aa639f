"""What services measure by themselves: gathered by minute, written, kept, and removed in time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from cumulet.core.clock import ManualClock
from cumulet.core.identity import Scope, root_principal
from cumulet.kit.dispatch import Dispatcher
from cumulet.kit.ports import Metrics
from cumulet.kv.contract import Store, Unavailable
from cumulet.kv.memory import MemoryStore
from cumulet.services.cloudwatch import METRICS
from cumulet.services.cloudwatch.metrics.gather import Gatherer
from cumulet.services.cloudwatch.metrics.limits import GATHER_SECONDS, GATHERED_SERIES_MAX
from cumulet.services.cloudwatch.metrics.retention import expire_points
from cumulet.wire.catalog import Catalog

SCOPE = Scope("123456789012", "us-east-1")
DAY = 86_400
FUNCTION = (("FunctionName", "f"),)


class Room:
    """Metrics with what they need around them."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore()
        self.platform = Dispatcher(
            store=self.store,
            clock=self.clock,
            catalog=Catalog(folder / "models", ("cloudwatch",)),
            services=(METRICS,),
            endpoint="http://127.0.0.1:1",
        )
        self.platform.provide(Store, self.store)
        assert METRICS.provides is not None
        for kind, part in METRICS.provides(self.platform).items():
            self.platform.provide(kind, part)
        self.gatherer = self.platform.need(Gatherer)

    async def points(self, begin: float, period: int = 60, **more: Any) -> list[dict[str, Any]]:
        ctx = self.platform.context(SCOPE, root_principal(SCOPE.account))
        request = {
            "Namespace": "AWS/Lambda",
            "MetricName": "Duration",
            "Dimensions": [{"Name": name, "Value": value} for name, value in FUNCTION],
            "StartTime": begin,
            "EndTime": self.clock.now() + 60,
            "Period": period,
            "Statistics": ["Sum", "SampleCount"],
            **more,
        }
        answer = await self.platform.run(ctx, "cloudwatch", "GetMetricStatistics", request)
        points: list[dict[str, Any]] = answer["Datapoints"]
        return points


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def record(room: Room, value: float, **more: Any) -> None:
    sink = room.platform.need(Metrics)
    sink.record(SCOPE, "AWS/Lambda", "Duration", FUNCTION, value, "Milliseconds", **more)


def test_many_values_of_two_minutes_are_two_points(room: Room) -> None:
    async def scenario() -> None:
        begin = room.clock.now()
        for number in range(2_500):
            record(room, float(number % 7))
        await room.clock.advance(60)
        record(room, 10.0)
        await room.gatherer.flush()
        record(room, 1.0)
        await room.gatherer.flush()
        first, second = await room.points(begin)
        assert first["SampleCount"] == 2_500
        assert first["Sum"] == sum(number % 7 for number in range(2_500))
        assert (second["Sum"], second["SampleCount"]) == (11.0, 2.0)

    asyncio.run(scenario())


def test_values_told_together_count_like_values_told_one_by_one(room: Room) -> None:
    async def scenario() -> None:
        begin = room.clock.now()
        values = [float(number % 7) for number in range(2_500)]
        sink = room.platform.need(Metrics)
        sink.record_all(SCOPE, "AWS/Lambda", "Duration", FUNCTION, values, "Milliseconds")
        record(room, 9.0)
        await room.gatherer.flush()
        (point,) = await room.points(begin)
        assert (point["SampleCount"], point["Sum"]) == (2_501, sum(values) + 9.0)

    asyncio.run(scenario())


def test_stopping_writes_what_waits(room: Room) -> None:
    async def scenario() -> None:
        begin = room.clock.now()
        record(room, 5.0)
        await room.gatherer.start()
        await room.gatherer.stop()
        assert [point["Sum"] for point in await room.points(begin)] == [5.0]

    asyncio.run(scenario())


def test_what_a_store_does_not_take_waits(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(_: Any) -> None:
        raise Unavailable("full")

    async def scenario() -> None:
        begin = room.clock.now()
        record(room, 5.0)
        with monkeypatch.context() as patch:
            patch.setattr(room.store, "transact", refuse)
            with pytest.raises(Unavailable):
                await room.gatherer.flush()
        record(room, 6.0)
        await room.gatherer.flush()
        assert [point["Sum"] for point in await room.points(begin)] == [11.0]

    asyncio.run(scenario())


def test_writing_goes_on_after_a_failure_of_any_kind(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: Any) -> None:
        raise RuntimeError("a mistake")

    async def scenario() -> None:
        await room.gatherer.start()
        await room.clock.advance(0)
        with monkeypatch.context() as patch:
            patch.setattr(room.store, "transact", fail)
            record(room, 5.0)
            await room.clock.advance(GATHER_SECONDS)
        begin = room.clock.now()
        record(room, 6.0)
        await room.clock.advance(GATHER_SECONDS)
        assert [point["Sum"] for point in await room.points(begin - 60)] == [6.0]
        await room.gatherer.stop()

    asyncio.run(scenario())


def test_series_without_end_are_bounded(room: Room) -> None:
    async def scenario() -> None:
        sink = room.platform.need(Metrics)
        for number in range(GATHERED_SERIES_MAX + 10):
            sink.record(SCOPE, "AWS/Lambda", "Errors", (("FunctionName", str(number)),), 1.0)
        await room.gatherer.flush()
        found = await room.store.transact(
            lambda tx: _count(tx),
        )
        assert found == GATHERED_SERIES_MAX

    async def _count(tx: Any) -> int:
        from cumulet.services.cloudwatch.metrics.store import SERIES

        return len(await SERIES.scan(tx, SCOPE, limit=GATHERED_SERIES_MAX * 2))

    asyncio.run(scenario())


def test_minutes_become_hours_and_end(room: Room) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html"""

    async def scenario() -> None:
        begin = room.clock.now() // 3_600 * 3_600
        record(room, 5.0)
        await room.gatherer.flush()
        for days, period, left in ((1, 60, 1), (20, 300, 1), (100, 3_600, 1), (500, 3_600, 0)):
            await room.clock.advance(begin + days * DAY - room.clock.now())
            await expire_points(room.platform)
            span = {"EndTime": begin + 3_600}
            assert len(await room.points(begin, period, **span)) == left, days
        ctx = room.platform.context(SCOPE, root_principal(SCOPE.account))
        listed = await room.platform.run(ctx, "cloudwatch", "ListMetrics", {})
        assert listed["Metrics"] == []

    asyncio.run(scenario())
