"""A process that dies in the middle of a deployment: the next one ends it, and nothing leaks.

The store and the world outlive the process. It is killed at every commit of the engine, once
before the commit (what was done is not recorded) and once after it.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests.services.cloudformation.stand import Stand, World, run, template, thing

from cumulet.kit.workers import Tasks
from cumulet.kv.memory import MemoryStore
from cumulet.services.cloudformation.store import RUNS_PREFIX, scan_runs

STABLE = ("CREATE_COMPLETE", "ROLLBACK_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")


class Mortal:
    """A store that stops answering at the commit with this number, as it is when power fails."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.left: int | None = None
        self.before = True
        self.dead = asyncio.Event()
        self.commits = 0

    async def transact(self, work: Any) -> Any:
        if self.dead.is_set():
            await asyncio.Future()
        if self.left is None:
            return await self._store.transact(work)
        wrote = False

        async def watched(tx: Any) -> Any:
            nonlocal wrote
            result = await work(Spy(tx))
            wrote = spy_wrote.pop("wrote", False)
            if wrote and self.before and self.left == 0:
                self.dead.set()
                raise PowerCut
            return result

        try:
            result = await self._store.transact(watched)
        except PowerCut:
            await asyncio.Future()
        if wrote:
            self.commits += 1
            if self.left == 0:
                self.dead.set()
                await asyncio.Future()
            self.left -= 1
        return result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class PowerCut(BaseException):
    pass


spy_wrote: dict[str, bool] = {}


class Spy:
    """Notes whether a transaction writes: those that only read are no place to die at."""

    def __init__(self, tx: Any) -> None:
        self._tx = tx

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._tx, name)
        if name in ("set", "clear", "count", "stamp"):

            def noted(*args: Any) -> Any:
                spy_wrote["wrote"] = True
                return found(*args)

            return noted
        return found


def base() -> dict[str, Any]:
    return template(
        {
            "A": thing(Size=1),
            "B": thing(Needs=[{"Ref": "A"}]),
            "C": thing(Name="the-c", Kind="first"),
            "D": thing(Needs=[{"Fn::GetAtt": ["C", "Arn"]}, {"Ref": "B"}]),
        },
        Outputs={"Made": {"Value": {"Ref": "D"}}},
    )


def changed(*, failing: bool = False) -> dict[str, Any]:
    """One changed in place, one replaced, one removed, one added, and one that may fail."""
    resources = {
        "A": thing(Size=2),
        "B": thing(Needs=[{"Ref": "A"}], Size=7),
        "C": thing(Kind="second"),
        "E": thing(Needs=[{"Ref": "C"}]),
    }
    if failing:
        resources["F"] = thing(Fail="half", DependsOn=["A", "B", "E"])
    return template(resources, Outputs={"Made": {"Value": {"Ref": "E"}}})


def failing_create() -> dict[str, Any]:
    wanted = base()
    wanted["Resources"]["Z"] = thing(Fail="half", DependsOn=["A", "C"])
    return wanted


CASES = {
    "create": (None, ("CreateStack", base()), "CREATE_COMPLETE", 4),
    "failing create": (None, ("CreateStack", failing_create()), "ROLLBACK_COMPLETE", 0),
    "update": (base(), ("UpdateStack", changed()), "UPDATE_COMPLETE", 4),
    "failing update": (
        base(),
        ("UpdateStack", changed(failing=True)),
        "UPDATE_ROLLBACK_COMPLETE",
        4,
    ),
    "delete": (base(), ("DeleteStack", None), "DELETE_COMPLETE", 0),
}


async def _round(case: str, kill_at: int, before: bool) -> bool:
    """Run the case with a kill; False when it ended before the kill came."""
    start, (operation, wanted), status, things = CASES[case]
    world, store = World(), MemoryStore()
    if start is not None:
        async with Stand(world, store) as first:
            await first.create("s", start)
    old_things = {name: dict(one["props"]) for name, one in world.things.items()}
    mortal = Mortal(store)
    mortal.before = before
    doomed = Stand(world, mortal)
    request: dict[str, Any] = {"StackName": "s"}
    if wanted is not None:
        request["TemplateBody"] = wanted
    await doomed.call(operation, **request)
    mortal.left = kill_at
    died = True
    async with doomed:
        tasks = Tasks()
        ended = tasks.start(wait_for_no_runs(store), "ended")
        dead = tasks.start(mortal.dead.wait(), "dead")
        async with asyncio.timeout(20):
            await asyncio.wait((ended, dead), return_when=asyncio.FIRST_COMPLETED)
        died = mortal.dead.is_set()
        mortal.dead.set()
        await tasks.stop()
    async with Stand(world, store) as heir:
        name = (await heir.call("ListStacks"))["StackSummaries"][0]["StackId"]
        stack = await heir.settled(name)
        where = f"{case}, killed {'before' if before else 'after'} commit {kill_at}"
        assert stack.status == status, where
        assert len(world.things) == things, f"{where}: {sorted(world.things)}"
        await _check_consistent(heir, world, name, where)
        if status == "UPDATE_ROLLBACK_COMPLETE":
            now = {name: dict(one["props"]) for name, one in world.things.items()}
            assert now == old_things, where
        if status in STABLE:
            assert (await heir.delete("s")).status == "DELETE_COMPLETE", where
        assert world.things == {}, where
    return died


async def wait_for_no_runs(store: MemoryStore) -> None:
    """Until no run is left in the store itself, whatever the dying process thinks."""
    while True:
        watch = store.watch(RUNS_PREFIX)
        try:
            if not await store.transact(lambda tx: scan_runs(tx, 1)):
                return
            await watch.wait(5)
        finally:
            watch.cancel()


async def _check_consistent(stand: Stand, world: World, name: str, where: str) -> None:
    """What the stack says is there is there, and nothing is there that it does not know of."""
    listed = await stand.call("ListStackResources", StackName=name)
    standing = {
        one["PhysicalResourceId"]
        for one in listed["StackResourceSummaries"]
        if not one["ResourceStatus"].startswith("DELETE") and "PhysicalResourceId" in one
    }
    assert standing == set(world.things), where
    made = [line for line in world.log if line.startswith("create")]
    assert len(made) == len(set(made)) or "failing" in where or "update" in where, where
    json.dumps(listed)


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("case", CASES)
def test_a_kill_at_any_commit_ends_in_the_same_state(case: str, before: bool) -> None:
    async def every_commit() -> int:
        kill_at = 0
        while await _round(case, kill_at, before):
            kill_at += 1
        return kill_at

    kills = run(every_commit())
    assert kills > 5
