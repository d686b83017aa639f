"""The records of admission in the store: the only file that knows their keys.

What was used lies apart from the rest: it changes with every few requests, and nothing that is
kept ready for serving depends on it.
"""

from __future__ import annotations

from typing import Any

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.kv.table import Table
from cumulet.kv.tuples import AFTER
from cumulet.services.apigateway.admission.limits import (
    API_KEYS_MAX,
    AUTHORIZERS_MAX,
    PLANS_MAX,
    PLANS_OF_KEY_MAX,
    USAGE_DAYS_KEPT,
)
from cumulet.services.apigateway.admission.model import (
    ApiKey,
    Authorizer,
    DayUse,
    PeriodUse,
    PlanKey,
    UsagePlan,
)

_SERVICE = "apigateway"
_USAGE = "apigateway-usage"

AUTHORIZERS: Table[Authorizer] = Table(
    _SERVICE, "authorizer", Authorizer, lambda one: (one.api_id, one.id)
)
API_KEYS: Table[ApiKey] = Table(
    _SERVICE,
    "api-key",
    ApiKey,
    lambda key: (key.id,),
    indexes={
        "digest": lambda key: [(key.digest,)],
        "origin": lambda key: [(key.origin,)] if key.origin else [],
    },
)
PLANS: Table[UsagePlan] = Table(
    _SERVICE,
    "usage-plan",
    UsagePlan,
    lambda plan: (plan.id,),
    indexes={
        "stage": lambda plan: [(one.api_id, one.stage) for one in plan.api_stages],
        "origin": lambda plan: [(plan.origin,)] if plan.origin else [],
    },
)
PLAN_KEYS: Table[PlanKey] = Table(
    _SERVICE,
    "usage-plan-key",
    PlanKey,
    lambda one: (one.plan_id, one.key_id),
    indexes={"key": lambda one: [(one.key_id,)]},
)
DAYS: Table[DayUse] = Table(_USAGE, "day", DayUse, lambda one: (one.plan_id, one.key_id, one.day))
PERIODS: Table[PeriodUse] = Table(
    _USAGE, "period", PeriodUse, lambda one: (one.plan_id, one.key_id)
)

TABLES: tuple[Table[Any], ...] = (AUTHORIZERS, API_KEYS, PLANS, PLAN_KEYS, DAYS, PERIODS)


async def scan_authorizers(tx: Transaction, scope: Scope, api_id: str) -> list[Authorizer]:
    """Every authorizer of an API; their number is bounded."""
    return await AUTHORIZERS.scan(tx, scope, api_id, limit=AUTHORIZERS_MAX + 1)


async def drop_authorizers(tx: Transaction, scope: Scope, api_id: str) -> None:
    """Remove all authorizers of an API that goes."""
    for one in await scan_authorizers(tx, scope, api_id):
        await AUTHORIZERS.drop(tx, scope, api_id, one.id)


async def has_room_for_key(tx: Transaction, scope: Scope) -> bool:
    """Whether the account may have one more key."""
    return len(await API_KEYS.scan(tx, scope, limit=API_KEYS_MAX)) < API_KEYS_MAX


async def has_room_for_plan(tx: Transaction, scope: Scope) -> bool:
    """Whether the account may have one more plan."""
    return len(await PLANS.scan(tx, scope, limit=PLANS_MAX)) < PLANS_MAX


async def find_key(tx: Transaction, scope: Scope, digest: str) -> ApiKey | None:
    """The key with a value of this digest, or None."""
    found = await API_KEYS.lookup(tx, scope, "digest", digest, limit=1)
    return found[0] if found else None


async def scan_plans_of_key(tx: Transaction, scope: Scope, key_id: str) -> list[UsagePlan]:
    """The plans that a key is in."""
    found = []
    for one in await PLAN_KEYS.lookup(tx, scope, "key", key_id, limit=PLANS_OF_KEY_MAX + 1):
        plan = await PLANS.load(tx, scope, one.plan_id)
        if plan is not None:
            found.append(plan)
    return found


async def drop_key(tx: Transaction, scope: Scope, key_id: str) -> bool:
    """Remove a key from its plans, with what it used; False when it is not there."""
    if await API_KEYS.drop(tx, scope, key_id) is None:
        return False
    for one in await PLAN_KEYS.lookup(tx, scope, "key", key_id, limit=PLANS_OF_KEY_MAX + 1):
        await drop_plan_key(tx, scope, one.plan_id, key_id)
    return True


async def drop_plan_key(tx: Transaction, scope: Scope, plan_id: str, key_id: str) -> bool:
    """Take a key out of a plan, with what it used; False when it is not in it."""
    if await PLAN_KEYS.drop(tx, scope, plan_id, key_id) is None:
        return False
    await PERIODS.drop(tx, scope, plan_id, key_id)
    begin = DAYS.prefix(scope, plan_id, key_id)
    tx.clear(begin, begin + AFTER)
    return True


async def drop_plan(tx: Transaction, scope: Scope, plan_id: str) -> None:
    """Remove a plan, its keys' places in it and what they used."""
    await PLANS.drop(tx, scope, plan_id)
    for one in await PLAN_KEYS.scan(tx, scope, plan_id, limit=API_KEYS_MAX):
        await PLAN_KEYS.drop(tx, scope, plan_id, one.key_id)
    for table in (DAYS, PERIODS):
        begin = table.prefix(scope, plan_id)
        tx.clear(begin, begin + AFTER)


async def drop_days_before(
    tx: Transaction, scope: Scope, plan_id: str, key_id: str, day: str
) -> None:
    """Remove what a key used before `day`; not all at once if it is much."""
    old = await DAYS.scan_between(
        tx, scope, (plan_id, key_id), (plan_id, key_id, day), limit=USAGE_DAYS_KEPT
    )
    for one in old:
        await DAYS.drop(tx, scope, plan_id, key_id, one.day)
