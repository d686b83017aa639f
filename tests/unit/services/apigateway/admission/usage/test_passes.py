"""What keys open, and that a change of a key, of a plan or of its keys counts at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from cumulet.core.clock import ManualClock
from cumulet.core.identity import Scope
from cumulet.kv.contract import Store
from cumulet.kv.memory import MemoryStore
from cumulet.services.apigateway.admission import store
from cumulet.services.apigateway.admission.model import (
    ApiKey,
    PlanKey,
    PlanStage,
    Throttle,
    UsagePlan,
)
from cumulet.services.apigateway.admission.usage.passes import NoPass, Passes, digest_of

SCOPE = Scope("123456789012", "eu-west-1")
PLACE = PlanStage(
    api_id="a", stage="s", throttle={"~1x/GET": Throttle(rate_limit=2, burst_limit=3)}
)


class Ground:
    """A store with passes over it; counts the loads."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore()
        self.loads = 0
        self.passes = Passes(self)  # type: ignore[arg-type]

    def need(self, kind: Any) -> Any:
        assert kind is Store
        return self.store

    async def transact(
        self, work: Callable[..., Awaitable[Any]], scope: Scope, *args: Any, **kwargs: Any
    ) -> Any:
        self.loads += 1
        return await self.store.transact(lambda tx: work(tx, scope, *args, **kwargs))

    async def key(self, name: str, *, enabled: bool = True) -> None:
        record = ApiKey(
            id=name,
            sealed=b"",
            digest=digest_of(f"value-of-{name}"),
            enabled=enabled,
            created_date=0,
            last_updated_date=0,
        )
        await self.transact(store.API_KEYS.save, SCOPE, record)

    async def plan(self, name: str, *stages: PlanStage, **more: Any) -> None:
        record = UsagePlan(id=name, name=name, api_stages=stages, **more)
        await self.transact(store.PLANS.save, SCOPE, record)

    async def join(self, plan: str, key: str) -> None:
        await self.transact(store.PLAN_KEYS.save, SCOPE, PlanKey(plan_id=plan, key_id=key))

    async def ask(self, key: str, stage: str = "s") -> str:
        """The plan that the key has in the stage, or why it has none."""
        try:
            return (await self.passes.find(SCOPE, "a", stage, f"value-of-{key}")).plan_id
        except NoPass as cause:
            return str(cause)


def run(play: Callable[[Ground], Awaitable[None]]) -> None:
    async def go() -> None:
        await play(Ground())

    asyncio.run(go())


def test_a_key_opens_the_stages_of_its_plans() -> None:
    async def play(ground: Ground) -> None:
        await ground.key("k")
        assert await ground.ask("k") == "the API key k is in no usage plan of this stage"
        await ground.plan("p", PLACE, throttle=Throttle(rate_limit=5, burst_limit=6))
        await ground.join("p", "k")
        found = await ground.passes.find(SCOPE, "a", "s", "value-of-k")
        assert (found.plan_id, found.key_id) == ("p", "k")
        assert found.rate is not None
        assert found.rate[1:] == (5, 6)
        assert {route: rate[1:] for route, rate in found.method_rates.items()} == {"/x/GET": (2, 3)}
        assert await ground.ask("k", "other") == "the API key k is in no usage plan of this stage"
        assert await ground.ask("none") == "no API key has this value"

    run(play)


def test_what_was_found_is_remembered_until_it_changes() -> None:
    async def play(ground: Ground) -> None:
        for key in ("k", "l"):
            await ground.key(key)
            await ground.join("p", key)
        await ground.plan("p", PLACE)
        assert [await ground.ask(key) for key in ("k", "l")] == ["p", "p"]
        before = ground.loads
        assert [await ground.ask(key) for key in ("k", "l", "k")] == ["p", "p", "p"]
        assert ground.loads == before
        await ground.key("m")
        await ground.key("k", enabled=False)
        before = ground.loads
        assert await ground.ask("l") == "p"
        assert ground.loads == before
        assert await ground.ask("k") == "the API key k is disabled"
        await ground.key("k")
        assert await ground.ask("k") == "p"

    run(play)


@pytest.mark.parametrize("change", ["plan", "member", "key"])
def test_what_goes_opens_nothing_from_then_on(change: str) -> None:
    async def play(ground: Ground) -> None:
        await ground.key("k")
        await ground.plan("p", PLACE)
        await ground.join("p", "k")
        assert await ground.ask("k") == "p"
        if change == "plan":
            await ground.plan("p")
        elif change == "member":
            await ground.transact(store.drop_plan_key, SCOPE, "p", "k")
        else:
            await ground.transact(store.drop_key, SCOPE, "k")
        assert await ground.ask("k") != "p"

    run(play)
