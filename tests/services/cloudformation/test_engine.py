"""The engine: who works on a stack, what breaks off, what is forgotten."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.services.cloudformation.stand import SCOPE, Stand, World, run, template, thing
from tests.services.cloudformation.test_stacks import in_stand

from cumulet.core.clock import SystemClock
from cumulet.core.errors import AwsError
from cumulet.kv.memory import MemoryStore
from cumulet.services.cloudformation.engine.sweep import sweep
from cumulet.services.cloudformation.limits import DELETED_SECONDS_KEPT
from cumulet.services.cloudformation.store import TABLES


def test_an_engine_that_was_taken_over_records_nothing_more():
    async def work() -> None:
        world, store = World(), MemoryStore()
        world.gates["A"] = asyncio.Event()
        wanted = template({"A": thing(), "B": thing(DependsOn="A")})
        async with Stand(world, store) as first:
            await first.call("CreateStack", StackName="s", TemplateBody=wanted)
            await world.begun.wait()
            world.begun.clear()
            async with Stand(world, store) as second:
                await world.begun.wait()
                world.gates["A"].set()
                stack = await second.settled("s")
                assert stack.status == "CREATE_COMPLETE"
                events = await second.events("s")
        assert world.log == ["create A", "create B"]
        assert len([one for one in events if one[1] == "CREATE_COMPLETE"]) == 3

    run(work())


def test_work_that_breaks_off_is_taken_up_again():
    class Flaky:
        """Fails once, as a store does that cannot be reached for a moment."""

        def __init__(self, store: MemoryStore) -> None:
            self._store = store
            self.left = 4

        async def transact(self, work: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                raise ConnectionError("gone for a moment")
            return await self._store.transact(work)

        def watch(self, key: bytes) -> Any:
            return self._store.watch(key)

    class Hasty(SystemClock):
        """Does not wait before the next try."""

        async def sleep(self, seconds: float) -> None:
            await super().sleep(0 if seconds < 100 else seconds)

    async def work() -> None:
        world, store = World(), MemoryStore()
        async with Stand(world, store) as planner:
            await planner.workers.stop()
            wanted = template({"A": thing(), "B": thing(DependsOn="A")})
            await planner.call("CreateStack", StackName="s", TemplateBody=wanted)
        flaky = Flaky(store)
        stand = Stand(world, flaky)
        stand.dispatcher.clock = Hasty()
        async with stand:
            async with asyncio.timeout(20):
                while flaky.left > 0:
                    await stand.engine.take_up()
                    await SystemClock().sleep(0)
            assert (await stand.settled("s")).status == "CREATE_COMPLETE"
        assert world.log == ["create A", "create B"]

    run(work())


def test_deleted_stacks_are_forgotten_after_ninety_days():
    class Later(SystemClock):
        def now(self) -> float:
            return SystemClock.now() + DELETED_SECONDS_KEPT + 60

    async def work(stand: Stand, world: World) -> None:
        await stand.create("old", template({"A": thing()}))
        await stand.call("DetectStackDrift", StackName="old")
        request = {"StackName": "old", "ChangeSetName": "c"}
        await stand.call("CreateChangeSet", TemplateBody=template({"B": thing()}), **request)
        stack = await stand.delete("old")
        await sweep(stand.dispatcher)
        assert (await stand.call("DescribeStacks", StackName=stack.arn))["Stacks"]
        stand.dispatcher.clock = Later()
        await sweep(stand.dispatcher)
        with pytest.raises(AwsError, match="does not exist"):
            await stand.call("DescribeStacks", StackName=stack.arn)

        async def everything(tx: Any) -> list[Any]:
            return [one for table in TABLES for one in await table.scan(tx, SCOPE, limit=100)]

        assert await stand.store.transact(everything) == []

    in_stand(work)


def test_nothing_is_left_over_when_templates_change():
    async def work(stand: Stand, world: World) -> None:
        from cumulet.services.cloudformation.store import DOCUMENTS

        await stand.create("s", template({"A": thing(Size=0)}))
        for size in range(1, 4):
            await stand.update("s", template({"A": thing(Size=size)}))
        failing = template({"A": thing(Size=9), "B": thing(Fail="create", DependsOn="A")})
        await stand.update("s", failing)

        async def documents(tx: Any) -> list[Any]:
            return await DOCUMENTS.scan(tx, SCOPE, limit=100)

        assert len(await stand.store.transact(documents)) == 1

    in_stand(work)


@pytest.mark.parametrize("name", ["under_score", "1st", "-a", "a" * 129, ""])
def test_a_stack_needs_a_proper_name(name):
    async def work(stand: Stand, world: World) -> None:
        with pytest.raises(
            AwsError, match="at 'stackName' failed to satisfy constraint"
        ) as refused:
            await stand.call("CreateStack", StackName=name, TemplateBody=template({"A": thing()}))
        assert refused.value.code == "ValidationError"

    in_stand(work)
