"""Queries under way, and their answers, which stay in memory for a while."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cumulet.core.context import Platform
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope
from cumulet.core.trace import log_cause
from cumulet.core.usage import GIB, LOGS_SCANNED
from cumulet.kit.ports import Usage
from cumulet.kit.workers import Tasks
from cumulet.services.cloudwatch.errors import LimitExceededException
from cumulet.services.cloudwatch.limits import (
    QUERIES_KEPT_MAX,
    QUERIES_RUNNING_MAX,
    QUERY_SECONDS_MAX,
    QUERY_STEP_EVENTS,
)
from cumulet.services.cloudwatch.logs.insights.rows import EventRow
from cumulet.services.cloudwatch.logs.insights.running import Running
from cumulet.services.cloudwatch.logs.insights.words import QueryError
from cumulet.services.cloudwatch.logs.walk import Walk
from cumulet.services.cloudwatch.model import group_arn

Source = tuple[str, Callable[[], Walk]]
"""A group as `@log` tells it, and a walk through its events, the newest first."""


@dataclass(slots=True)
class Query:
    """A query and how far it is."""

    id: str
    scope: Scope
    text: str
    groups: tuple[str, ...]
    created_ms: int
    status: str = "Running"
    answers: list[dict[str, str]] = field(default_factory=list)
    scanned: int = 0
    scanned_bytes: int = 0
    matched: int = 0
    ended_ms: int = 0
    task: asyncio.Task[None] | None = None


class Queries:
    """The queries of this process."""

    def __init__(self, platform: Platform) -> None:
        self._clock = platform.clock
        self._platform = platform
        self._tasks = Tasks()
        self._known: OrderedDict[str, Query] = OrderedDict()

    async def start(self) -> None:
        """There is nothing to go on with."""

    async def stop(self) -> None:
        """End those under way."""
        await self._tasks.stop()

    def begin(self, query: Query, running: Running, sources: Sequence[Source]) -> None:
        """Start a query. Raises LimitExceededException when too many are under way."""
        active = sum(
            one.status == "Running" and one.scope == query.scope for one in self._known.values()
        )
        if active >= QUERIES_RUNNING_MAX:
            raise LimitExceededException(
                f"Account maximum query concurrency limit of [{QUERIES_RUNNING_MAX}] reached."
            )
        self._known[query.id] = query
        while len(self._known) > QUERIES_KEPT_MAX:
            _, oldest = self._known.popitem(last=False)
            if oldest.task is not None:
                oldest.task.cancel()
        query.task = self._tasks.start(self._run(query, running, sources), f"query {query.id}")

    def find(self, scope: Scope, uid: str) -> Query | None:
        """A query of this account and region."""
        found = self._known.get(uid)
        return found if found is not None and found.scope == scope else None

    def all(self, scope: Scope) -> list[Query]:
        """The queries of this account and region, the newest first."""
        return [one for one in reversed(self._known.values()) if one.scope == scope]

    def cancel(self, query: Query) -> bool:
        """End a query; False when it has ended already."""
        if query.status != "Running" or query.task is None:
            return False
        query.task.cancel()
        self._end(query, "Cancelled")
        return True

    def _end(self, query: Query, status: str) -> None:
        query.status = status
        query.ended_ms = int(self._clock.now() * 1_000)

    async def _run(self, query: Query, running: Running, sources: Sequence[Source]) -> None:
        try:
            await self._run_charged(query, running, sources)
        finally:
            share = query.scanned_bytes / GIB / max(1, len(query.groups))
            for group in query.groups:
                self._platform.need(Usage).used(
                    query.scope, group_arn(query.scope, group), LOGS_SCANNED, share
                )

    async def _run_charged(self, query: Query, running: Running, sources: Sequence[Source]) -> None:
        try:
            ended = await self._look_through(query, running, sources)
            query.answers = running.answers()
            self._end(query, "Complete" if ended else "Timeout")
        except (QueryError, AwsError) as cause:
            log_cause("", "a query failed", cause, query=query.id)
            self._end(query, "Failed")
        except asyncio.CancelledError:
            self._end(query, "Cancelled")
            raise
        except Exception:
            self._end(query, "Failed")
            raise

    async def _look_through(
        self, query: Query, running: Running, sources: Sequence[Source]
    ) -> bool:
        """Whether the end was reached in time."""
        until = self._clock.monotonic() + QUERY_SECONDS_MAX
        for log, begin in sources:
            walk = begin()
            while not walk.is_done and not running.is_full:
                for event in await walk.take(QUERY_STEP_EVENTS):
                    running.add(EventRow(event, log))
                    query.scanned += 1
                    query.scanned_bytes += event.size_bytes
                query.matched = running.matched
                if self._clock.monotonic() > until:
                    return False
                # A long query must not hold up everybody else.
                await self._clock.sleep(0)
        return True
