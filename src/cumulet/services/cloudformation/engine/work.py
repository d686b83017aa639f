"""One run in hand: its records in memory, its fenced transactions, and the identity it acts as."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from cumulet.core.clock import new_uuid
from cumulet.core.context import Context, Platform
from cumulet.core.identity import Scope, service_principal
from cumulet.kit.ports import Credentials, Sealer
from cumulet.kit.resources import ResourceTypes
from cumulet.services.cloudformation import store
from cumulet.services.cloudformation.engine.replay import step_context
from cumulet.services.cloudformation.errors import ValidationError
from cumulet.services.cloudformation.model import (
    STACK_TYPE,
    Event,
    Resource,
    Run,
    Stack,
    Touched,
    principal_of,
)
from cumulet.services.cloudformation.planning.sealed import Safe

_SESSION_SECONDS = 1_800
"""For how long a session of the service role is used before another is made."""


class Superseded(Exception):
    """Another engine has taken the run over, or it has ended: nothing more may be recorded."""


class Line(NamedTuple):
    """An event to be written: about whom, and what."""

    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str = ""


class Work:
    """A run that this process works on, from its start or its resumption to its end.

    Every write checks in its own transaction that the run is still ours. `stop` is set once no
    further step may begin; long waits inside of steps end then.
    """

    def __init__(self, platform: Platform, run: Run, stack: Stack) -> None:
        self.platform = platform
        self.run = run
        self.stack = stack
        self.scope: Scope = run.scope
        self.types = platform.need(ResourceTypes)
        self.safe = Safe(platform.need(Sealer))
        self._seed = bytes.fromhex(self.safe.take(run.seed))
        self.resources: dict[str, Resource] = {}
        self.stop = asyncio.Event()
        self.timed_out = False
        self.resumed: set[str] = set()
        self.touched: set[str] = set()
        self._recording = asyncio.Lock()
        self._session = asyncio.Lock()
        self._context: Context | None = None
        self._context_until = 0.0

    @property
    def now(self) -> float:
        """The time."""
        return self.platform.clock.now()

    def heed(self, current: Run) -> None:
        """Take note of what was asked of the run since it was taken up."""
        if current.interrupt and not self.run.interrupt:
            self.run = self.next_run(interrupt=current.interrupt, retain=current.retain)
            if self.run.phase == "forward":
                self.stop.set()

    def is_fresh(self, resource: Resource) -> bool:
        """Whether the resource did not exist when the unfinished update or creation began."""
        return resource.born_in in self.stack.unsettled

    async def load(self) -> None:
        """Read the stack's resources; those that a killed process left in the middle are noted."""
        self.resources = await self.transact(store.scan_resources, self.run.stack_id)
        self.touched = await self.transact(store.scan_touched, self.run.stack_id)
        self.resumed = {
            name
            for name, resource in self.resources.items()
            if resource.run_id == self.run.id and resource.status.endswith("_IN_PROGRESS")
        }

    async def transact(self, work: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        """A transaction in the stack's account and region."""
        return await self.platform.transact(work, self.scope, *args)

    async def record(self, resource: Resource, *lines: Line) -> None:
        """Write a resource's new state and its events in one transaction."""
        events = [self._event(line) for line in lines]

        async def write(tx: Any, scope: Scope) -> None:
            await self._fence(tx)
            await store.RESOURCES.save(tx, scope, resource)
            if not resource.status.endswith("_IN_PROGRESS"):
                await store.TOUCHED.drop(tx, scope, resource.stack_id, resource.logical_id)
            for event in events:
                await store.add_event(tx, scope, event)

        async with self._recording:
            await self.transact(write)
        self.resources[resource.logical_id] = resource

    async def forget(self, logical_id: str, *lines: Line) -> None:
        """Drop a resource's record and write events in one transaction."""
        events = [self._event(line) for line in lines]

        async def write(tx: Any, scope: Scope) -> None:
            await self._fence(tx)
            await store.RESOURCES.drop(tx, scope, self.run.stack_id, logical_id)
            for event in events:
                await store.add_event(tx, scope, event)

        async with self._recording:
            await self.transact(write)
        self.resources.pop(logical_id, None)

    async def say(self, *lines: Line) -> None:
        """Write events alone."""
        events = [self._event(line) for line in lines]

        async def write(tx: Any, scope: Scope) -> None:
            await self._fence(tx)
            for event in events:
                await store.add_event(tx, scope, event)

        async with self._recording:
            await self.transact(write)

    async def move(
        self,
        run: Run | None,
        status: str,
        reason: str = "",
        also: Callable[[Any, Scope], Awaitable[str | None]] | None = None,
        **changes: Any,
    ) -> str | None:
        """Bring the stack to a status and the run to its next phase, or end it with None.

        `also(tx, scope)` does more in the same transaction; a text from it refuses the whole move
        and is returned. A status that the stack already has makes no second event.
        """
        event = self._event(Line(self.stack.name, self.stack.arn, STACK_TYPE, status, reason))
        now = self.now

        async def write(tx: Any, scope: Scope) -> tuple[Stack, str | None]:
            current = await self._fence(tx)
            stack = await store.load_stack_by_id(tx, scope, self.run.stack_id)
            if stack is None:
                raise Superseded
            if also is not None and (refusal := await also(tx, scope)) is not None:
                return stack, refusal
            if stack.status != status:
                await store.add_event(tx, scope, event)
            stack = msgspec.structs.replace(stack, status=status, status_reason=reason, **changes)
            if status == "DELETE_COMPLETE":
                stack = msgspec.structs.replace(stack, deleted_at=now)
            await store.STACKS.save(tx, scope, stack)
            if run is None:
                await store.drop_run(tx, current)
            else:
                await store.save_run(tx, msgspec.structs.replace(run, interrupt=""))
            return stack, None

        async with self._recording:
            refusal: str | None
            self.stack, refusal = await self.transact(write)
        if refusal is None and run is not None:
            self.run = msgspec.structs.replace(run, interrupt="")
            self.stop.clear()
        return refusal

    def next_run(self, **changes: Any) -> Run:
        """The run with these fields changed."""
        return msgspec.structs.replace(self.run, **changes)

    async def acting_for(self, logical_id: str, step: str) -> Context:
        """A context for a step, with its token: its randomness is the same in each try, and it is
        noted in the services' own transactions that the step has made them commit something."""
        ctx = await self.acting()
        mark = Touched(self.run.stack_id, logical_id)

        async def note(tx: Any) -> None:
            await store.TOUCHED.save(tx, self.scope, mark)

        return step_context(ctx, self.platform, self._seed, step, note)

    async def acting(self) -> Context:
        """A context of whoever the resources are made as: the stack's role, or its caller."""
        async with self._session:
            if self._context is None or self.now >= self._context_until:
                self._context = await self._acting()
                self._context_until = self.now + _SESSION_SECONDS
            return self._context

    async def _acting(self) -> Context:
        if not self.run.role_arn:
            return self.platform.context(self.scope, principal_of(self.run.caller))
        service = service_principal("cloudformation.amazonaws.com", self.scope.account)
        ctx = self.platform.context(self.scope, service)
        answer = await ctx.call(
            "sts", "AssumeRole", RoleArn=self.run.role_arn, RoleSessionName="AWSCloudFormation"
        )
        key = answer["Credentials"]
        finder = self.platform.need(Credentials)
        found = await finder.find(key["AccessKeyId"], key["SessionToken"])
        if found is None:
            raise ValidationError(f"Role {self.run.role_arn} is invalid or cannot be assumed")
        return self.platform.context(self.scope, found.principal)

    def _event(self, line: Line) -> Event:
        return new_event(self.platform, self.run.stack_id, line, self.now, self.run.token)

    async def _fence(self, tx: Any) -> Run:
        current = await store.load_run(tx, self.scope, self.run.stack_id)
        if current is None or (current.id, current.holder) != (self.run.id, self.run.holder):
            raise Superseded
        self.heed(current)
        return current


def new_event(platform: Platform, stack_id: str, line: Line, now: float, token: str = "") -> Event:
    """An event of this moment; its place in the history is found when it is written."""
    label = new_uuid(platform.clock)
    if line.type != STACK_TYPE or line.physical_id.rsplit("/", 1)[-1] != stack_id:
        label = f"{line.logical_id}-{line.status}-{label}"
    return Event(
        stack_id,
        0,
        label,
        line.logical_id,
        line.physical_id,
        line.type,
        line.status,
        now,
        line.reason,
        token,
    )


def phrase(names: Sequence[str], verb: str) -> str:
    """AWS's sentence about failed resources."""
    return f"The following resource(s) failed to {verb}: [{', '.join(sorted(names))}]. "
