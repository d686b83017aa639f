"""Deliveries: what must be brought to somebody, queued durably and carried out with patience.

A job belongs to a lane, which stands for one receiver. Each lane has bounds of its own, so that a
receiver that is slow, or gone, or fed with poison, holds up nobody else. What a job brings is kept
apart from it, once for all jobs that bring the same.
"""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from cumulet.core.context import Platform
from cumulet.core.errors import AwsError, OperationNotImplemented
from cumulet.core.identity import Scope
from cumulet.core.trace import log_cause
from cumulet.kit.workers import Tasks
from cumulet.kv.contract import Store, Transaction
from cumulet.kv.table import Table
from cumulet.kv.tuples import AFTER

RUNNING_MAX = 256
"""Jobs that one process carries out at the same time."""

LANE_RUNNING_MAX = 8
"""Jobs of one lane that are carried out at the same time; in an ordered lane it is one."""

LANE_WAITING_MAX = 100_000
"""Jobs that may wait in one lane."""

LOOK_AGAIN_SECONDS = 60.0
MISTAKE_SECONDS = 60.0
MISTAKES_MAX = 10
"""How often a job is tried again whose carrying out fails by a mistake of ours."""

_PART_BYTES = 524_288
_PARTS_MAX = 64
_NODE_BITS = 10
_NOWHERE = Scope("", "")


class Job(msgspec.Struct, frozen=True):
    """Something to bring. Times are epoch seconds; `task` means something to its service only.

    `sequence` orders the jobs of a lane as they were made. `content` names what is brought.
    """

    lane: str
    sequence: int
    account: str
    region: str
    content: str
    task: dict[str, Any]
    made: float
    due: float
    attempts: int = 0
    mistakes: int = 0
    is_ordered: bool = False

    @property
    def scope(self) -> Scope:
        """Whose it is."""
        return Scope(self.account, self.region)


class Lane(msgspec.Struct, frozen=True):
    """The jobs of one receiver: how many wait, and when the next of them is due.

    In an ordered lane nothing overtakes the first job, which is tried until it has ended.
    """

    name: str
    due: float
    waiting: int
    is_ordered: bool = False


class Part(msgspec.Struct, frozen=True):
    """A part of a content: one value of the store holds a megabyte at most."""

    content: str
    number: int
    data: bytes


class Draft(NamedTuple):
    """A job to be made."""

    lane: str
    task: dict[str, Any]
    is_ordered: bool = False


class Load(NamedTuple):
    """A content and the jobs that bring it; `sequence` is the number of the first."""

    content: str
    data: bytes
    drafts: Sequence[Draft]
    now: float
    sequence: int


class Later(NamedTuple):
    """A job is to be tried again after so many seconds."""

    seconds: float


class DeliveryTables:
    """The queue of one service in the store."""

    def __init__(self, service: str) -> None:
        self.jobs: Table[Job] = Table(
            service,
            "delivery",
            Job,
            lambda job: (job.lane, job.sequence),
            extent="global",
            indexes={
                "due": lambda job: [(job.lane, job.due)],
                "content": lambda job: [(job.content,)],
            },
        )
        self.lanes: Table[Lane] = Table(
            service,
            "delivery lane",
            Lane,
            lambda lane: (lane.name,),
            extent="global",
            indexes={"due": lambda lane: [(lane.due,)]},
        )
        self.parts: Table[Part] = Table(
            service,
            "delivery content",
            Part,
            lambda part: (part.content, part.number),
            extent="global",
        )

    @property
    def all(self) -> tuple[Table[Any], ...]:
        """For the service's manifest."""
        return self.jobs, self.lanes, self.parts

    @property
    def wakes_on(self) -> bytes:
        """Where every change of the queue is seen."""
        return self.lanes.prefix(_NOWHERE)

    async def add(self, tx: Transaction, scope: Scope, load: Load) -> list[Draft]:
        """Queue jobs, in the transaction of what causes them; those whose lane is full come back.

        Nothing is queued for them.
        """
        refused = []
        step = itertools.count()
        for draft in load.drafts:
            lane = await self.lanes.load(tx, _NOWHERE, draft.lane)
            if lane is None:
                lane = Lane(draft.lane, load.now, 0, draft.is_ordered)
            if lane.waiting >= LANE_WAITING_MAX:
                refused.append(draft)
                continue
            sequence = load.sequence + (next(step) << _NODE_BITS)
            job = Job(
                draft.lane,
                sequence,
                *scope,
                load.content,
                draft.task,
                load.now,
                load.now,
                is_ordered=draft.is_ordered,
            )
            self.jobs.add(tx, _NOWHERE, job)
            due = lane.due if lane.is_ordered and lane.waiting else min(lane.due, load.now)
            lane = msgspec.structs.replace(lane, due=due, waiting=lane.waiting + 1)
            await self.lanes.save(tx, _NOWHERE, lane)
        if len(refused) < len(load.drafts):
            for number, start in enumerate(range(0, len(load.data) or 1, _PART_BYTES)):
                part = Part(load.content, number, load.data[start : start + _PART_BYTES])
                self.parts.add(tx, _NOWHERE, part)
        return refused

    async def load_content(self, tx: Transaction, _: Scope, content: str) -> bytes:
        """What a job brings."""
        parts = await self.parts.scan(tx, _NOWHERE, content, limit=_PARTS_MAX)
        return b"".join(part.data for part in parts)

    async def finish(self, tx: Transaction, _: Scope, job: Job) -> None:
        """Remove a job, and its content with the last that brings it."""
        if await self.jobs.drop(tx, _NOWHERE, job.lane, job.sequence) is None:
            return
        if not await self.jobs.lookup(tx, _NOWHERE, "content", job.content, limit=1):
            begin = self.parts.prefix(_NOWHERE, job.content)
            tx.clear(begin, begin + AFTER)
        await self._settle(tx, job.lane, -1)

    async def postpone(self, tx: Transaction, _: Scope, job: Job) -> None:
        """Write a job with its new time and counts, if it is still there."""
        if await self.jobs.load(tx, _NOWHERE, job.lane, job.sequence) is not None:
            await self.jobs.save(tx, _NOWHERE, job)
            await self._settle(tx, job.lane, 0)

    async def _settle(self, tx: Transaction, name: str, change: int) -> None:
        """Say anew when the lane's next job is due."""
        lane = await self.lanes.load(tx, _NOWHERE, name)
        if lane is None:
            return
        following = await self._next(tx, lane, 1)
        if not following:
            await self.lanes.drop(tx, _NOWHERE, name)
            return
        waiting = lane.waiting + change
        changed = msgspec.structs.replace(lane, due=following[0].due, waiting=waiting)
        await self.lanes.save(tx, _NOWHERE, changed)

    async def _next(self, tx: Transaction, lane: Lane, limit: int) -> list[Job]:
        if lane.is_ordered:
            return await self.jobs.scan(tx, _NOWHERE, lane.name, limit=1)
        return await self.jobs.lookup(tx, _NOWHERE, "due", lane.name, limit=limit)

    async def look(
        self, tx: Transaction, _: Scope, now: float, running: dict[str, set[int]], room: int
    ) -> tuple[list[Job], float]:
        """At most `room` jobs that can begin, and when the next one can."""
        found: list[Job] = []
        soonest = math.inf
        for lane in await self.lanes.lookup(tx, _NOWHERE, "due", limit=room + len(running) + 1):
            if lane.due > now:
                return found, min(soonest, lane.due)
            busy = running.get(lane.name, set())
            free = (1 if lane.is_ordered else LANE_RUNNING_MAX) - len(busy)
            if free <= 0:
                continue
            for job in await self._next(tx, lane, free + len(busy)):
                if job.sequence in busy:
                    continue
                if job.due > now:
                    soonest = min(soonest, job.due)
                    break
                found.append(job)
                if len(found) >= room:
                    return found, soonest
        return found, soonest


CarryOut = Callable[[Job, bytes], Awaitable[Later | None]]
"""Brings a job's content where it belongs; None when the job has ended, well or badly."""


class Deliveries:
    """Carries out the jobs of one service; each service has a class of its own of it."""

    def __init__(self, platform: Platform, tables: DeliveryTables, carry_out: CarryOut) -> None:
        self._store = platform.need(Store)
        self._platform = platform
        self._clock = platform.clock
        self._carry_out = carry_out
        self._tables = tables
        self._tasks = Tasks()
        self._running: dict[str, set[int]] = {}
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None
        self._last = 0
        self._node = int.from_bytes(platform.clock.random_bytes(2), "big") >> (16 - _NODE_BITS)

    async def start(self) -> None:
        """Jobs of an earlier run are found by the worker."""

    async def stop(self) -> None:
        """End; jobs in hand stay in the store and are repeated."""
        if self._timer is not None:
            self._timer.cancel()
        await self._tasks.stop()

    def next_sequence(self, count: int = 1) -> int:
        """The first of `count` numbers that grow with every call, also over restarts."""
        first = max(self._last + 1, int(self._clock.now() * 1e6))
        self._last = first + count - 1
        return first << _NODE_BITS | self._node

    async def step(self) -> float:
        """Begin what is due; gives the seconds until there is more to do."""
        room = RUNNING_MAX - self._count
        # The end of a job that took up the last room looks for the next one itself.
        if room <= 0:
            return LOOK_AGAIN_SECONDS
        now = self._clock.now()
        jobs, soonest = await self._platform.transact(
            self._tables.look, _NOWHERE, now, self._running, room
        )
        for job in jobs:
            busy = self._running.setdefault(job.lane, set())
            if job.sequence in busy:
                continue
            busy.add(job.sequence)
            self._count += 1
            self._tasks.start(self._carry(job), f"delivery {job.lane}")
        return max(0.0, min(soonest - self._clock.now(), LOOK_AGAIN_SECONDS))

    async def _carry(self, job: Job) -> None:
        changed: Job | None = None
        try:
            data = await self._platform.transact(self._tables.load_content, _NOWHERE, job.content)
            changed = await self._attempt(job, data)
            if changed is None:
                await self._platform.transact(self._tables.finish, _NOWHERE, job)
            else:
                await self._platform.transact(self._tables.postpone, _NOWHERE, changed)
        finally:
            busy = self._running[job.lane]
            was_full = len(busy) >= LANE_RUNNING_MAX or self._count >= RUNNING_MAX
            self._count -= 1
            busy.discard(job.sequence)
            if not busy:
                del self._running[job.lane]
        # The worker was woken by the write above, when this job still took up room.
        if was_full or job.is_ordered or changed is not None:
            await self._follow()

    async def _follow(self) -> None:
        """Begin what has become possible, and come back for what is due soon."""
        wait = await self.step()
        loop = asyncio.get_running_loop()
        if wait >= LOOK_AGAIN_SECONDS:
            return
        if self._timer is not None:
            if self._timer.when() <= loop.time() + wait:
                return
            self._timer.cancel()
        self._timer = loop.call_later(wait, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._tasks.start(self._follow(), "deliveries due")

    async def _attempt(self, job: Job, data: bytes) -> Job | None:
        """The job with its new time, or None when it has ended."""
        try:
            later = await self._carry_out(job, data)
        except Exception as cause:
            # A mistake of ours in one job must neither lose it at once nor stay for ever.
            log_cause("", "delivery failed", cause, lane=job.lane, mistakes=job.mistakes + 1)
            if job.mistakes >= MISTAKES_MAX:
                return None
            due = self._clock.now() + MISTAKE_SECONDS
            return msgspec.structs.replace(job, due=due, mistakes=job.mistakes + 1)
        if later is None:
            return None
        due = self._clock.now() + later.seconds
        return msgspec.structs.replace(job, due=due, attempts=job.attempts + 1)


def may_pass(error: AwsError) -> bool:
    """Whether a receiver's refusal may be gone later; what lacks or is forbidden stays so."""
    if isinstance(error, OperationNotImplemented):
        return False
    status = error.http_status or 400
    throttled = "Throttl" in error.code or error.code in _BUSY
    return error.fault == "server" or status >= 500 or status == 429 or throttled


_BUSY = frozenset({"TooManyRequestsException", "OverLimit", "QueueDeletedRecently"})
