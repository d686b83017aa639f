"""The `Usage` port: what services tell they used, gathered in memory and written each second."""

from __future__ import annotations

import asyncio
import logging

from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.core.trace import Trace, log_line
from cumulet.core.usage import Dimension, Used
from cumulet.kit.workers.regularly import Regularly
from cumulet.kv.contract import Store
from cumulet.kv.transact import transact
from cumulet.services.ce import store
from cumulet.services.ce.limits import (
    GATHERED_MAX,
    MEMBERS_MAX,
    WRITE_RECORDS,
    WRITE_SECONDS,
)
from cumulet.services.ce.model import day_at
from cumulet.services.ce.store import Place, Seen

_DAY_SECONDS = 86_400
_UNKNOWN = ""
"""The resource of amounts for which there was no more room by resource."""


class UsageGatherer(Regularly):
    """Gathers by day. What was told in the second before a kill is lost, and nothing else.

    Amounts that are written are added in one transaction with what is there, so that a restart
    neither loses nor doubles them.
    """

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform.clock, WRITE_SECONDS, "usage", self.flush)
        self._store = platform.need(Store)
        self._today = ""
        self._ends = 0.0
        self._amounts: dict[tuple[Scope, str, Dimension], float] = {}
        self._waiting: dict[Place, float] = {}
        self._known: set[tuple[str, Scope, str, Dimension, str]] = set()
        self._members: list[Seen] = []
        self._left_out = 0
        self._writing = asyncio.Lock()

    def used(
        self,
        scope: Scope,
        resource: str,
        dimension: Dimension,
        amount: float,
        trace: Trace | None = None,
    ) -> None:
        """Add an amount that a resource used now."""
        if self._clock.now() >= self._ends:
            self._turn_day()
        key = (scope, resource, dimension)
        try:
            self._amounts[key] += amount
        except KeyError:
            self._begin(key, amount)
        if trace is not None:
            trace.add_used(Used(scope.region, resource, dimension, amount))

    def seen(self, scope: Scope, resource: str, dimension: Dimension, member: str) -> None:
        """Add one unit unless this member was seen this month."""
        if self._clock.now() >= self._ends:
            self._turn_day()
        mark = (self._today[:7], scope, resource, dimension, member)
        if mark in self._known:
            return
        if len(self._members) >= GATHERED_MAX:
            self._left_out += 1
            return
        if len(self._known) >= MEMBERS_MAX:
            self._known.clear()
        self._known.add(mark)
        self._members.append((self._today, *mark[1:]))

    def hold(self, place: Place, amount: float) -> None:
        """Add an amount of a day, as of what resources hold."""
        self._waiting[place] = self._waiting.get(place, 0.0) + amount

    async def flush(self) -> None:
        """Write all that was told so far. Keeps it when the store does not take it, and raises."""
        async with self._writing:
            self._close()
            while self._waiting:
                await self._write_some()
            await self._write_members()
        if self._left_out:
            log_line(logging.WARNING, "usage has lost its resources", told=self._left_out)
            self._left_out = 0

    def _begin(self, key: tuple[Scope, str, Dimension], amount: float) -> None:
        scope, resource, dimension = key
        if len(self._amounts) + len(self._waiting) >= GATHERED_MAX and resource != _UNKNOWN:
            self._left_out += 1
            key = (scope, _UNKNOWN, dimension)
        self._amounts[key] = self._amounts.get(key, 0.0) + amount

    def _turn_day(self) -> None:
        self._close()
        now = self._clock.now()
        self._today = day_at(now)
        self._ends = (now // _DAY_SECONDS + 1) * _DAY_SECONDS
        self._known.clear()

    def _close(self) -> None:
        for (scope, resource, dimension), amount in self._amounts.items():
            self.hold((self._today, scope, resource, dimension), amount)
        self._amounts = {}

    async def _write_some(self) -> None:
        taken = {place: self._waiting.pop(place) for place in list(self._waiting)[:WRITE_RECORDS]}
        try:
            await self._store.transact(lambda tx: store.add(tx, taken))
        except Exception:
            for place, amount in taken.items():
                self.hold(place, amount)
            raise

    async def _write_members(self) -> None:
        while self._members:
            taken = self._members[:WRITE_RECORDS]
            await transact(self._store, store.add_members, taken)
            del self._members[: len(taken)]
