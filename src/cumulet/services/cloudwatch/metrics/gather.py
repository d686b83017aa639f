"""The `Metrics` port: what services measure, gathered in memory and written every few seconds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence

from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.core.trace import log_line
from cumulet.kit.workers.regularly import Regularly
from cumulet.kv.contract import Store, Transaction, Unavailable
from cumulet.services.cloudwatch.metrics import store
from cumulet.services.cloudwatch.metrics.distribution import Summary, merge, summarize
from cumulet.services.cloudwatch.metrics.limits import (
    GATHER_SECONDS,
    GATHERED_SERIES_MAX,
    GATHERED_VALUES_MAX,
    WRITE_SERIES,
)
from cumulet.services.cloudwatch.metrics.model import Dimensions
from cumulet.services.cloudwatch.metrics.store import Place

_Key = tuple[Scope, str, str, Dimensions, str]
_Waiting = dict[tuple[Scope, Place], Summary]


class Gatherer(Regularly):
    """Gathers by minute. What is measured in the seconds before a kill is lost; answers are not.

    Measurements are told apart from answers: nobody was promised one of them.
    """

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform.clock, GATHER_SECONDS, "writing of metrics", self._write)
        self._store = platform.need(Store)
        self._minute = 0
        self._values: dict[_Key, list[float]] = {}
        self._waiting: _Waiting = {}
        self._left_out = 0
        self._writing = asyncio.Lock()

    def record(
        self,
        scope: Scope,
        namespace: str,
        name: str,
        dimensions: Dimensions,
        value: float,
        unit: str = "Count",
    ) -> None:
        """Add one value, measured now."""
        minute = int(self._clock.now()) // 60 * 60
        if minute != self._minute:
            self._close_minute()
            self._minute = minute
        key = (scope, namespace, name, dimensions, unit)
        values = self._values.get(key)
        if values is None:
            if len(self._values) + len(self._waiting) >= GATHERED_SERIES_MAX:
                self._left_out += 1
                return
            self._values[key] = [value]
            return
        values.append(value)
        if len(values) >= GATHERED_VALUES_MAX:
            self._put(key, values)
            values.clear()

    def record_all(
        self,
        scope: Scope,
        namespace: str,
        name: str,
        dimensions: Dimensions,
        values: Sequence[float],
        unit: str = "Count",
    ) -> None:
        """Add values that were measured in the last second or so."""
        for at in range(0, len(values), GATHERED_VALUES_MAX):
            first, *rest = values[at : at + GATHERED_VALUES_MAX]
            self.record(scope, namespace, name, dimensions, first, unit)
            gathered = self._values.get((scope, namespace, name, dimensions, unit))
            if gathered is None:
                # There are too many series.
                self._left_out += len(rest)
                continue
            gathered.extend(rest)
            if len(gathered) >= GATHERED_VALUES_MAX:
                self._put((scope, namespace, name, dimensions, unit), gathered)
                gathered.clear()

    async def flush(self) -> None:
        """Write all that was gathered so far. Raises Unavailable, and keeps it then."""
        async with self._writing:
            self._close_minute()
            while self._waiting:
                await self._write_some()

    def _close_minute(self) -> None:
        for key, values in self._values.items():
            if values:
                self._put(key, values)
        self._values = {}

    def _put(self, key: _Key, values: list[float]) -> None:
        scope, namespace, name, dimensions, unit = key
        self._wait((scope, Place(namespace, name, dimensions, unit, self._minute)), values)

    def _wait(self, at: tuple[Scope, Place], values: list[float]) -> None:
        summary = summarize(values)
        there = self._waiting.get(at)
        self._waiting[at] = summary if there is None else merge((there, summary))

    async def _write_some(self) -> None:
        taken = {at: self._waiting.pop(at) for at in list(self._waiting)[:WRITE_SERIES]}
        by_scope: dict[Scope, dict[Place, Summary]] = {}
        for (scope, place), summary in taken.items():
            by_scope.setdefault(scope, {})[place] = summary
        try:
            await self._store.transact(lambda tx: _add_all(tx, by_scope))
        except Unavailable:
            for at, summary in taken.items():
                there = self._waiting.get(at)
                self._waiting[at] = summary if there is None else merge((there, summary))
            raise
        # What fails otherwise is left out: it must not hold up the rest for ever.

    async def _write(self) -> None:
        if self._left_out:
            log_line(logging.WARNING, "metrics were left out", measurements=self._left_out)
            self._left_out = 0
        await self.flush()


async def _add_all(tx: Transaction, by_scope: Mapping[Scope, Mapping[Place, Summary]]) -> None:
    for scope, measured in by_scope.items():
        await store.add(tx, scope, measured)
