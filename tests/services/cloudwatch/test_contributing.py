"""Contributions of services: gathered by minute, written, kept over a restart, removed in time."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.services.events.conftest import ACCOUNT, Inside

from cumulet.core.identity import Scope
from cumulet.kit.ports import Contributors, ManagedRule
from cumulet.kv.contract import Store, Unavailable
from cumulet.services.cloudwatch.contributors.gather import StoreContributors, expire
from cumulet.services.cloudwatch.contributors.limits import COUNTINGS_MAX, KEPT_SECONDS

SCOPE = Scope(ACCOUNT, "us-east-1")
DEFINITION = json.dumps(
    {
        "Schema": {"Name": "ServiceLogRule", "Version": 1},
        "Contribution": {"Keys": ["$.Who"]},
        "AggregateOn": "Sum",
    }
)


class Room:
    """A platform with one rule."""

    def __init__(self, inside: Inside) -> None:
        self.inside = inside
        self.contributors: Any = inside.platform.need(Contributors)

    async def begin(self) -> None:
        rule = ManagedRule("r", DEFINITION, "t", "arn:aws:dynamodb:::t")

        async def put(tx: Any, scope: Scope) -> None:
            await self.contributors.put_rules(tx, scope, [rule])

        await self.inside.platform.transact(put, SCOPE)

    async def top(self) -> dict[str, float]:
        now = self.inside.clock.now()
        report = await self.inside.call(
            "cloudwatch",
            "GetInsightRuleReport",
            RuleName="r",
            StartTime=now - 3_600,
            EndTime=now + 60,
            Period=60,
        )
        return {one["Keys"][0]: one["ApproximateAggregateValue"] for one in report["Contributors"]}


def test_a_minute_goes_on_after_a_restart(inside: Callable[..., None]) -> None:
    async def story(platform: Inside) -> None:
        room = Room(platform)
        await room.begin()
        room.contributors.contribute(SCOPE, "r", ("a",), 2.0)
        await room.contributors.flush()
        room.contributors.contribute(SCOPE, "r", ("a",), 1.0)
        await room.contributors.flush()
        assert await room.top() == {"a": 3.0}
        again = StoreContributors(platform.platform)
        again.contribute(SCOPE, "r", ("a",), 4.0)
        again.contribute(SCOPE, "r", ("b",), 1.0)
        await again.flush()
        assert await room.top() == {"a": 7.0, "b": 1.0}
        await platform.clock.advance(60)
        again.contribute(SCOPE, "r", ("b",), 9.0)
        await again.flush()
        assert await room.top() == {"b": 10.0, "a": 7.0}
        assert len(again._countings) == 1

    inside(story)


def test_what_a_store_does_not_take_waits(
    inside: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_: Any) -> None:
        raise Unavailable("full")

    async def story(platform: Inside) -> None:
        room = Room(platform)
        await room.begin()
        room.contributors.contribute(SCOPE, "r", ("a",))
        with monkeypatch.context() as patch:
            patch.setattr(platform.platform.need(Store), "transact", refuse)
            with pytest.raises(Unavailable):
                await room.contributors.flush()
        await platform.clock.advance(120)
        await room.contributors.flush()
        assert await room.top() == {"a": 1.0}

    inside(story)


def test_rules_that_are_not_there_count_nothing_and_memory_is_bounded(
    inside: Callable[..., None],
) -> None:
    async def story(platform: Inside) -> None:
        room = Room(platform)
        await room.begin()
        for number in range(COUNTINGS_MAX + 10):
            room.contributors.contribute(SCOPE, f"absent-{number}", ("a",))
        assert len(room.contributors._countings) == COUNTINGS_MAX
        await room.contributors.flush()
        await platform.clock.advance(60)
        await room.contributors.flush()
        assert not room.contributors._countings
        rules = await platform.call("cloudwatch", "DescribeInsightRules")
        assert [one["Name"] for one in rules["InsightRules"]] == ["r"]

    inside(story)


def test_what_was_counted_ends_after_fifteen_days(inside: Callable[..., None]) -> None:
    async def story(platform: Inside) -> None:
        room = Room(platform)
        await room.begin()
        room.contributors.contribute(SCOPE, "r", ("a",))
        await room.contributors.flush()
        begin = platform.clock.now()

        async def left() -> float:
            report = await platform.call(
                "cloudwatch",
                "GetInsightRuleReport",
                RuleName="r",
                StartTime=begin - 60,
                EndTime=begin + 60,
                Period=60,
            )
            return float(report["AggregateValue"])

        await platform.clock.advance(KEPT_SECONDS - 60)
        await expire(platform.platform)
        assert await left() == 1.0
        await platform.clock.advance(240)
        await expire(platform.platform)
        assert await left() == 0.0

    inside(story)
