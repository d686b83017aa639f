"""Names that the template gives: what a cut-off step made is taken up, what others made is not."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
from tests.services.cloudformation.stand import SCOPE, Stand, World, run
from tests.services.cloudformation.test_kill import Mortal, wait_for_no_runs

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope
from cumulet.kit.resources import TEXT, Draft, Props, Provisioned, ResourceType, struct
from cumulet.kit.service import Service
from cumulet.kit.workers import Tasks
from cumulet.kv.memory import MemoryStore
from cumulet.kv.table import Table


class Shelf(msgspec.Struct, frozen=True):
    name: str
    owner: str


SHELVES: Table[Shelf] = Table("test", "shelf", Shelf, lambda shelf: (shelf.name,))


async def create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    """As a type does that knows its own work by `draft.resumed` alone."""
    shelf = Shelf(props["Name"], "the stack")

    async def write(tx: Any, scope: Scope) -> bool:
        return await SHELVES.insert(tx, scope, shelf)

    if not await ctx.transact(write) and not draft.resumed:
        raise AwsError(f"{shelf.name} already exists", code="AlreadyExists")
    return Provisioned(shelf.name)


async def delete(ctx: Context, physical_id: str, props: Props) -> None:
    async def drop(tx: Any, scope: Scope) -> None:
        await SHELVES.drop(tx, scope, physical_id)

    await ctx.transact(drop)


TYPE = ResourceType("AWS::Test::Shelf", struct({"Name": TEXT}, "Name"), create, delete)
REAL = (Service("s3", "s3", {}, resources=(TYPE,)),)
BODY = json.dumps({"Resources": {"A": {"Type": TYPE.name, "Properties": {"Name": "shelf"}}}})


async def killed_at(commit: int, foreign: bool) -> tuple[str, list[str]]:
    """Kill after this commit of the run, resume; the stack's status, and whose shelves stand."""
    world, store = World(), MemoryStore()

    async def put(tx: Any) -> None:
        await SHELVES.save(tx, SCOPE, Shelf("shelf", "someone else"))

    if foreign:
        await store.transact(put)
    mortal = Mortal(store)
    doomed = Stand(world, mortal, REAL)
    await doomed.call("CreateStack", StackName="s", TemplateBody=BODY)
    mortal.left, mortal.before = commit, False
    async with doomed:
        tasks = Tasks()
        ended = tasks.start(wait_for_no_runs(store), "ended")
        dead = tasks.start(mortal.dead.wait(), "dead")
        async with asyncio.timeout(20):
            await asyncio.wait((ended, dead), return_when=asyncio.FIRST_COMPLETED)
        mortal.dead.set()
        await tasks.stop()
    async with Stand(world, store, REAL) as heir:
        stack = await heir.settled("s")

    async def owners(tx: Any) -> list[str]:
        return [one.owner for one in await SHELVES.scan(tx, SCOPE, limit=10)]

    return stack.status, await store.transact(owners)


def test_what_a_cut_off_step_made_is_taken_up():
    async def work() -> None:
        for commit in range(6):
            assert await killed_at(commit, False) == ("CREATE_COMPLETE", ["the stack"]), commit

    run(work())


def test_what_somebody_else_made_is_neither_taken_nor_deleted():
    async def work() -> None:
        for commit in range(6):
            found = await killed_at(commit, True)
            assert found == ("ROLLBACK_COMPLETE", ["someone else"]), commit

    run(work())
