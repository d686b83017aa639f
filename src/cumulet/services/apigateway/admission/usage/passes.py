"""What a key opens: its usage plan in a stage, kept ready until a key or a plan changes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.kv.cache import CachedView
from cumulet.kv.contract import Store, Transaction
from cumulet.kv.tuples import pack, unpack
from cumulet.services.apigateway.admission import store
from cumulet.services.apigateway.admission.buckets import Rate
from cumulet.services.apigateway.admission.model import ApiKey, Quota, Throttle, UsagePlan

_SCOPES_MAX = 1_000
_Asked = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Pass:
    """A key and the plan that lets it into a stage. `method_rates` are by `/path/METHOD`."""

    key_id: str
    key_name: str
    plan_id: str
    quota: Quota | None
    rate: Rate | None
    method_rates: Mapping[str, Rate]


class NoPass(Exception):
    """The key opens nothing here; the text, for operators, says why."""


class Passes:
    """Looks keys up by their values. Only keys that open something are remembered."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._store = platform.need(Store)
        self._views: dict[Scope, _View] = {}

    async def find(self, scope: Scope, api_id: str, stage: str, value: str) -> Pass:
        """What a key's value opens in a stage. Raises NoPass."""
        view = self._views.get(scope)
        if view is None:
            view = self._view(scope)
        asked = (api_id, stage, value)
        return view.passes.held(asked) or await view.passes.get(asked)

    def _view(self, scope: Scope) -> _View:
        if len(self._views) >= _SCOPES_MAX:
            for view in self._views.values():
                view.passes.close()
            self._views.clear()
        made = self._views[scope] = _View(self._platform, self._store, scope)
        return made


class _View:
    """The passes of one account and region. A change of a key forgets what that key opens."""

    def __init__(self, platform: Platform, store: Store, scope: Scope) -> None:
        self._platform = platform
        self._scope = scope
        self._asked: dict[str, set[_Asked]] = {}
        """What was asked for, by the identifier of the key that was found: as many as there are."""
        prefix = pack((scope.account, scope.region, "apigateway"))
        self.passes = CachedView(store, prefix, self._load, affects=self._affected)

    async def _load(self, asked: _Asked) -> Pass:
        found = await self._platform.transact(load_pass, self._scope, *asked)
        self._asked.setdefault(found.key_id, set()).add(asked)
        return found

    def _affected(self, changed: bytes) -> Iterable[_Asked] | None:
        kind, *key = unpack(changed)[3:] or ("",)
        if kind == "usage-plan":
            self._asked.clear()
            return None
        if kind in ("api-key", "usage-plan-key") and key:
            return self._asked.pop(str(key[-1]), ())
        return ()


async def load_pass(tx: Transaction, scope: Scope, api_id: str, stage: str, value: str) -> Pass:
    """What a key's value opens, from the store. Raises NoPass."""
    key = await store.find_key(tx, scope, digest_of(value))
    if key is None:
        raise NoPass("no API key has this value")
    if not key.enabled:
        raise NoPass(f"the API key {key.id} is disabled")
    for plan in await store.scan_plans_of_key(tx, scope, key.id):
        for one in plan.api_stages:
            if (one.api_id, one.stage) == (api_id, stage):
                return _made(scope, key, plan, one.throttle or {}, (api_id, stage))
    raise NoPass(f"the API key {key.id} is in no usage plan of this stage")


def _made(
    scope: Scope,
    key: ApiKey,
    plan: UsagePlan,
    throttles: Mapping[str, Throttle],
    place: tuple[str, str],
) -> Pass:
    name = (*scope, plan.id, key.id)
    return Pass(
        key_id=key.id,
        key_name=key.name or "",
        plan_id=plan.id,
        quota=plan.quota,
        rate=_rate(("plan", *name), plan.throttle),
        method_rates={
            route_of(given): Rate(("plan", *name, *place, given), one.rate_limit, one.burst_limit)
            for given, one in throttles.items()
        },
    )


def _rate(key: tuple[str, ...], throttle: Throttle | None) -> Rate | None:
    return None if throttle is None else Rate(key, throttle.rate_limit, throttle.burst_limit)


def route_of(given: str) -> str:
    """A method as `/path/METHOD`, however the slashes around its path were given."""
    return "/" + given.replace("~1", "/").strip("/")


def digest_of(value: str) -> str:
    """By what a key is found; its value itself is kept sealed."""
    return hashlib.sha256(value.encode()).hexdigest()
