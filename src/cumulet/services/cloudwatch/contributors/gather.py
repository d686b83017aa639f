"""The `Contributors` port: contributions gathered in memory by minute, and written in batches."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.core.trace import log_line
from cumulet.kit.ports import ManagedRule
from cumulet.kit.workers import Worker
from cumulet.kit.workers.regularly import Regularly
from cumulet.kv.contract import Store, Transaction
from cumulet.kv.transact import transact
from cumulet.services.cloudwatch.contributors import store
from cumulet.services.cloudwatch.contributors.counting import Counting
from cumulet.services.cloudwatch.contributors.limits import (
    COUNTINGS_MAX,
    KEPT_SECONDS,
    KEY_CHARACTERS_MAX,
    WRITE_COUNTINGS,
    WRITE_SECONDS,
)
from cumulet.services.cloudwatch.contributors.model import InsightRule, Keys, Minute

_HOUR_SECONDS = 3_600.0
_Key = tuple[Scope, str, int]


class StoreContributors(Regularly):
    """Counts each minute of each rule. What was counted in the seconds before a kill is lost."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform.clock, WRITE_SECONDS, "writing of contributors", self.flush)
        self._store = platform.need(Store)
        self._countings: dict[_Key, Counting] = {}
        self._left_out = 0

    async def put_rules(self, tx: Transaction, scope: Scope, rules: Sequence[ManagedRule]) -> None:
        """Make rules of a service, or change them whole, in the caller's transaction."""
        made = [
            InsightRule(one.name, "ENABLED", one.definition, one.template, one.resource)
            for one in rules
        ]
        await store.save_rules(tx, scope, made)

    async def drop_rules(self, tx: Transaction, scope: Scope, names: Sequence[str]) -> None:
        """Remove rules with all that was counted by them, in the caller's transaction."""
        for name in names:
            await store.drop_rule(tx, scope, name)

    def contribute(self, scope: Scope, rule: str, keys: Keys, value: float = 1.0) -> None:
        """Add one contribution, made now."""
        key = (scope, rule, int(self._clock.now()) // 60 * 60)
        counting = self._countings.get(key)
        if counting is None:
            if len(self._countings) >= COUNTINGS_MAX:
                self._left_out += 1
                return
            counting = self._countings[key] = Counting()
        counting.add(tuple(one[:KEY_CHARACTERS_MAX] for one in keys), value)

    async def flush(self) -> None:
        """Write all that was counted so far. Raises Unavailable, and keeps it then."""
        if self._left_out:
            log_line(logging.WARNING, "contributions were left out", count=self._left_out)
            self._left_out = 0
        untold = [key for key, one in self._countings.items() if not one.is_told]
        for at in range(0, len(untold), WRITE_COUNTINGS):
            await self._write(untold[at : at + WRITE_COUNTINGS])
        minute = int(self._clock.now()) // 60 * 60
        self._countings = {
            key: one for key, one in self._countings.items() if key[2] >= minute or not one.is_told
        }

    async def _write(self, keys: Sequence[_Key]) -> None:
        before = [key for key in keys if not self._countings[key].is_whole]
        found = await self._store.transact(lambda tx: _load(tx, before))
        for key in before:
            counting = self._countings[key]
            counting.is_whole = True
            if (minute := found.get(key)) is not None:
                counting.take_in(minute)
        minutes = {key: self._countings[key].minute(key[1], key[2]) for key in keys}
        # What comes while this is written is not in it.
        for key in keys:
            self._countings[key].is_told = True
        try:
            await self._store.transact(lambda tx: _save(tx, minutes))
        except BaseException:
            for key in keys:
                self._countings[key].is_told = False
            raise


async def _load(tx: Transaction, keys: Sequence[_Key]) -> dict[_Key, Minute]:
    found = {}
    for key in keys:
        scope, rule, start = key
        minute = await store.MINUTES.load(tx, scope, rule, start)
        if minute is not None:
            found[key] = minute
    return found


async def _save(tx: Transaction, minutes: dict[_Key, Minute]) -> None:
    """Write what rules counted that are there, and on."""
    for (scope, name, _), minute in minutes.items():
        rule = await store.load_rule(tx, scope, name)
        if rule is not None and rule.is_enabled:
            await store.MINUTES.save(tx, scope, minute)


async def expire(platform: Platform) -> float:
    """Remove what was counted longer ago than CloudWatch keeps it."""
    kv = platform.need(Store)
    before = int(platform.clock.now()) - KEPT_SECONDS
    for scope in await kv.transact(store.RULES.scopes):
        after: tuple[str, ...] | None = None
        while names := await transact(kv, store.expire_some, scope, before, after):
            after = (names[-1],)
    return _HOUR_SECONDS


WORKERS = (Worker("insight rules retention", expire),)
