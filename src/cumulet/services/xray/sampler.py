"""Whether a trace that begins in the cloud itself is recorded: by the account's sampling rules.

The first rule that fits decides: a number of traces each second for sure, and a share of the rest.
https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html
"""

from __future__ import annotations

from typing import Any

from cumulet.core.clock import Clock
from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.core.wildcards import Glob, wildcards
from cumulet.kit.ports import TraceStart
from cumulet.kv.cache import CachedView
from cumulet.kv.contract import Store
from cumulet.services.xray import store
from cumulet.services.xray.limits import SAMPLED_SCOPES_MAX
from cumulet.services.xray.model import Rule

_TESTED = (
    ("ServiceName", "service_name"),
    ("ServiceType", "service_type"),
    ("ResourceARN", "resource_arn"),
    ("Host", "host"),
    ("HTTPMethod", "method"),
    ("URLPath", "path"),
)


class ReadyRule:
    """A rule made ready, with what it has given in the second at hand."""

    __slots__ = (
        *("_attributes", "_globs", "_rate", "_second", "_size", "_taken"),
        *("asked", "at", "name", "sampled"),
    )

    def __init__(self, rule: Rule) -> None:
        settings = rule.settings
        self.name = rule.name
        self._globs: list[tuple[str, Glob]] = [
            (name, wildcards(str(settings[key]).lower()))
            for key, name in _TESTED
            if settings.get(key, "*") != "*"
        ]
        self._attributes: list[tuple[str, Glob]] = [
            (name.lower(), wildcards(str(value)))
            for name, value in (settings.get("Attributes") or {}).items()
        ]
        self._size = int(settings["ReservoirSize"])
        self._rate = float(settings["FixedRate"])
        self._second = self._taken = 0
        self.asked = self.sampled = 0
        self.at = 0.0

    def fits(self, start: TraceStart) -> bool:
        """Whether the rule is for such a trace; letters' case makes no difference."""
        for name, glob in self._globs:
            if not glob.matches(getattr(start, name).lower()):
                return False
        for name, glob in self._attributes:
            value = start.headers.get(name)
            if value is None or not glob.matches(value):
                return False
        return True

    def takes(self, clock: Clock) -> bool:
        """Whether this one is recorded."""
        now = clock.now()
        second = int(now)
        self.asked += 1
        self.at = now
        if second != self._second:
            self._second, self._taken = second, 0
        if self._taken < self._size:
            self._taken += 1
        elif self._rate <= 0.0 or _drawn(clock) >= self._rate:
            return False
        self.sampled += 1
        return True


def _drawn(clock: Clock) -> float:
    return int.from_bytes(clock.random_bytes(4)) / (1 << 32)


class Sampler:
    """The rules of all accounts, in memory until they change."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._clock = platform.clock
        self._views: dict[Scope, CachedView[Scope, tuple[ReadyRule, ...]]] = {}

    async def sample(self, scope: Scope, start: TraceStart) -> str:
        """The name of the rule by which the trace is recorded; empty when it is not."""
        view = self._views.get(scope)
        if view is None:
            view = self._view(scope)
        for rule in view.held(scope) or await view.get(scope):
            if rule.fits(start):
                return rule.name if rule.takes(self._clock) else ""
        return ""

    def _view(self, scope: Scope) -> CachedView[Scope, tuple[ReadyRule, ...]]:
        if len(self._views) >= SAMPLED_SCOPES_MAX:
            for view in self._views.values():
                view.close()
            self._views.clear()
        under = store.RULES.prefix(scope)
        made = CachedView(self._platform.need(Store), under, self._load, entries_max=1)
        self._views[scope] = made
        return made

    async def _load(self, scope: Scope) -> tuple[ReadyRule, ...]:
        return tuple(map(ReadyRule, await self._platform.transact(store.all_rules, scope)))

    def summaries(self, scope: Scope) -> list[dict[str, Any]]:
        """What the cloud itself took of each rule since it was read, in AWS's spelling."""
        view = self._views.get(scope)
        return [
            {
                "RuleName": rule.name,
                "Timestamp": rule.at,
                "RequestCount": rule.asked,
                "BorrowCount": 0,
                "SampledCount": rule.sampled,
            }
            for rule in (view.held(scope) or () if view is not None else ())
            if rule.asked
        ]
