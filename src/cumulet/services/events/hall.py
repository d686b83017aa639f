"""What operations and deliveries share in memory: buses with their policies, rules with patterns.

Both stay true as long as the store does.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, NamedTuple

from cumulet.core.context import Context, Platform
from cumulet.core.event_patterns import Test, compile_pattern
from cumulet.core.identity import Scope
from cumulet.kit.policy import parse_policy
from cumulet.kit.service import OwnedPolicies
from cumulet.kv.cache import CachedView
from cumulet.kv.contract import Store, Transaction
from cumulet.services.events.errors import no_bus
from cumulet.services.events.limits import RULES_MAX, SCOPES_MAX
from cumulet.services.events.model import DEFAULT, Bus, BusName, Rule, bus_arn, bus_named, rule_arn
from cumulet.services.events.store import BUSES, RULES

Request = dict[str, Any]


class ReadyBus(NamedTuple):
    """A bus with its policies."""

    bus: Bus
    owned: OwnedPolicies


class ReadyRule(NamedTuple):
    """A rule; `test` is None when it has no pattern or is disabled."""

    rule: Rule
    test: Test | None


class _Views(NamedTuple):
    buses: CachedView[str, ReadyBus | None]
    rules: CachedView[str, dict[str, ReadyRule]]


class Buses:
    """Buses and rules that are in use, ready in memory until they change."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._store = platform.need(Store)
        self._views: OrderedDict[Scope, _Views] = OrderedDict()

    async def find(self, named: BusName) -> ReadyBus | None:
        """A bus, or None. Every account has the default bus."""
        return await self._of(named.scope).buses.get(named.name)

    async def rules(self, named: BusName) -> dict[str, ReadyRule]:
        """The rules of a bus by their names."""
        return await self._of(named.scope).rules.get(named.name)

    def _of(self, scope: Scope) -> _Views:
        views = self._views.get(scope)
        if views is None:
            views = self._views[scope] = _Views(self._buses(scope), self._rules(scope))
            if len(self._views) > SCOPES_MAX:
                for view in self._views.popitem(last=False)[1]:
                    view.close()
        return views

    def _buses(self, scope: Scope) -> CachedView[str, ReadyBus | None]:
        async def load(name: str) -> ReadyBus | None:
            bus = await self._platform.transact(load_bus, scope, name)
            if bus is None:
                return None
            arn = bus_arn(scope, name)
            policies = (parse_policy(arn, bus.policy),) if bus.policy else ()
            return ReadyBus(bus, OwnedPolicies(scope.account, policies))

        return CachedView(self._store, BUSES.prefix(scope), load)

    def _rules(self, scope: Scope) -> CachedView[str, dict[str, ReadyRule]]:
        async def load(name: str) -> dict[str, ReadyRule]:
            async def read(tx: Transaction, scope: Scope) -> list[Rule]:
                return await RULES.scan(tx, scope, name, limit=RULES_MAX)

            found = await self._platform.transact(read, scope)
            return {rule.name: ReadyRule(rule, _test_of(rule)) for rule in found}

        def affected(key: bytes) -> Iterable[str]:
            owned = RULES.owned(key)
            return () if owned is None else (str(owned[1][0]),)

        return CachedView(self._store, RULES.prefix(scope), load, affects=affected)


def _test_of(rule: Rule) -> Test | None:
    return compile_pattern(rule.pattern) if rule.pattern and rule.is_enabled else None


async def load_bus(tx: Transaction, scope: Scope, name: str) -> Bus | None:
    """A bus; the default one is there before anything was said of it."""
    found = await BUSES.load(tx, scope, name)
    if found is None and name == DEFAULT:
        return Bus(DEFAULT, 0.0, 0.0)
    return found


async def find_bus(ctx: Context, given: str | None) -> tuple[BusName, Bus]:
    """The bus that a request names. Raises ResourceNotFoundException."""
    named = bus_named(ctx.scope, given)
    found = await ctx.need(Buses).find(named)
    if found is None:
        raise no_bus(named.name)
    return named, found.bus


def named_bus(ctx: Context, request: Request) -> BusName:
    """The bus of a request about rules."""
    return bus_named(ctx.scope, request.get("EventBusName"))


async def owned_bus(ctx: Context, named: BusName) -> OwnedPolicies:
    """Whose a bus is, and its policy; one that is not there has none."""
    found = await ctx.need(Buses).find(named)
    return OwnedPolicies(named.scope.account) if found is None else found.owned


def rule_resource(ctx: Context, request: Request) -> str:
    """The rule of a request, as IAM's resource."""
    named = named_bus(ctx, request)
    return rule_arn(named.scope, named.name, request.get("Rule") or request.get("Name") or "")


async def rule_policy(ctx: Context, request: Request) -> OwnedPolicies:
    """Whose the rule's bus is, and its policy, which may let accounts manage rules of their own."""
    return await owned_bus(ctx, named_bus(ctx, request))


ON_RULE: dict[str, Any] = {"resource": rule_resource, "resource_policy": rule_policy}
"""How permission is asked for what is done to a rule."""
