"""The engine: takes up every unfinished run, also those of processes that were killed."""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.clock import new_hex
from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.core.trace import log_cause
from cumulet.kit.workers import Tasks
from cumulet.services.cloudformation import limits, store
from cumulet.services.cloudformation.engine.phases import PHASES
from cumulet.services.cloudformation.engine.waits import Waits
from cumulet.services.cloudformation.engine.work import Superseded, Work
from cumulet.services.cloudformation.model import Run, Stack

_IDLE_SECONDS = 5.0
_BREAKS_COUNTED_MAX = 6
"""Work that breaks off is tried again after 2, 4, … and at most 64 seconds."""


class Engine:
    """Works on stacks in the background; one instance in each process, at work in one of them.

    The worker calls `take_up` when it holds the lease and there may be something to do.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._holder = new_hex(platform.clock, 16)
        self._tasks = Tasks()
        self._works: dict[tuple[Scope, str], Work | None] = {}
        self._roots: set[tuple[Scope, str]] = set()
        self._seen_anew: set[tuple[Scope, str]] = set()
        self.waits = Waits(platform.clock)

    async def start(self) -> None:
        """Nothing to prepare: the worker finds what is unfinished."""

    async def stop(self) -> None:
        """Stop where it is; the next start goes on from the store."""
        await self._tasks.stop()

    async def take_up(self) -> float:
        """Begin or go on with every unfinished run; seconds until to look again."""

        async def scan(tx: Any, _scope: Scope) -> list[Run]:
            return await store.scan_runs(tx, limits.STACKS_MAX)

        runs = await self._platform.transact(scan, Scope("", ""))
        for run in runs:
            key = (run.scope, run.stack_id)
            work = self._works.get(key)
            if work is not None and work.run.id == run.id:
                work.heed(run)
            elif key in self._works:
                self._seen_anew.add(key)
            elif run.nested or len(self._roots) < limits.PARALLEL_STACKS_MAX:
                # A nested stack never waits for a place: its parent holds one until it is done.
                if not run.nested:
                    self._roots.add(key)
                self._works[key] = None
                self._tasks.start(self._carry_out(key), f"stack {run.stack_id}")
        return _IDLE_SECONDS

    def work_on(self, scope: Scope, stack_id: str) -> Work | None:
        """The work on a stack that this process has in hand."""
        return self._works.get((scope, stack_id))

    async def wait_until_idle(self, work: Work | None, scope: Scope, stack_id: str) -> Stack:
        """The stack once nothing is going on with it.

        `work` is that of the stack whose step waits: StepCancelled when it need wait no longer.
        Raises TimeoutError.
        """

        async def probe() -> Stack | None:
            return await self._platform.transact(_idle_stack, scope, stack_id)

        deadline = self._platform.clock.now() + limits.STEP_SECONDS_MAX
        return await self.waits.until(stack_id, probe, deadline, work.stop if work else None)

    async def _carry_out(self, key: tuple[Scope, str]) -> None:
        scope, stack_id = key
        try:
            breaks = 0
            while True:
                self._seen_anew.discard(key)
                if await self._round(scope, stack_id):
                    self._works[key] = None
                    breaks = min(breaks + 1, _BREAKS_COUNTED_MAX)
                    await self._platform.clock.sleep(2.0**breaks)
                elif key not in self._seen_anew:
                    break
                self._works[key] = None
                self.waits.ring(stack_id)
        finally:
            self._works.pop(key, None)
            self._roots.discard(key)
            self.waits.ring(stack_id)

    async def _round(self, scope: Scope, stack_id: str) -> bool:
        """Work until the run ends; True when it broke off and is to be tried again."""
        claimed = await self._platform.transact(self._claim, scope, stack_id)
        if claimed is None:
            return False
        run, stack = claimed
        work = Work(self._platform, run, stack)
        self._works[scope, stack_id] = work
        tasks = Tasks()
        if run.deadline is not None:
            tasks.start(self._watch_time(work, run.deadline), f"time of {stack_id}")
        try:
            await work.load()
            await self._phases(work)
        except Superseded:
            return False
        except Exception as cause:
            log_cause(
                run.id, "work on a stack broke off and is tried again", cause, stack=stack.arn
            )
            return True
        finally:
            await tasks.stop()
        return False

    async def _phases(self, work: Work) -> None:
        while True:
            await PHASES[work.run.phase](work)
            if await self._platform.transact(_ended, work.scope, work.run):
                return
            await work.load()

    async def _claim(self, tx: Any, scope: Scope, stack_id: str) -> tuple[Run, Stack] | None:
        run = await store.load_run(tx, scope, stack_id)
        stack = await store.load_stack_by_id(tx, scope, stack_id)
        if run is None or stack is None:
            return None
        run = msgspec.structs.replace(run, holder=self._holder)
        await store.save_run(tx, run)
        return run, stack

    async def _watch_time(self, work: Work, deadline: float) -> None:
        await self._platform.clock.sleep(max(0.0, deadline - work.now))
        if work.run.phase == "forward":
            work.timed_out = True
            work.stop.set()


async def _ended(tx: Any, scope: Scope, run: Run) -> bool:
    current = await store.load_run(tx, scope, run.stack_id)
    return current is None or current.id != run.id


async def _idle_stack(tx: Any, scope: Scope, stack_id: str) -> Stack | None:
    if await store.load_run(tx, scope, stack_id) is not None:
        return None
    return await store.load_stack_by_id(tx, scope, stack_id)


async def take_up(platform: Platform) -> float:
    """The worker's unit: look for unfinished runs."""
    return await platform.need(Engine).take_up()
