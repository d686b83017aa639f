"""Counting uses in the store: reserved ahead in small blocks, and given back when not used.

A use is counted, durably, before it happens. So no crash makes a key use more than its quota, and
no number of requests at once: the store orders the reservations.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

import msgspec

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway.admission import store
from cumulet.services.apigateway.admission.limits import (
    USAGE_DAYS_KEPT,
    USES_RESERVED_MAX,
    USES_RESERVED_PART,
)
from cumulet.services.apigateway.admission.model import DayUse, PeriodUse, Quota
from cumulet.services.apigateway.admission.usage.periods import begin_of


class Unused(NamedTuple):
    """What is left of a reservation of an earlier `day`, of the period that began on `begin`."""

    day: str
    begin: str
    uses: int


def block_max(quota: Quota | None) -> int:
    """How many uses may be reserved at once; this is what a crash can lose of a quota."""
    if quota is None:
        return USES_RESERVED_MAX
    return max(1, min(USES_RESERVED_MAX, quota.limit // USES_RESERVED_PART))


def begin_text(quota: Quota | None, day: date) -> str:
    """The first day of the period as it is kept; without a quota each day is one."""
    return (begin_of(quota, day) if quota is not None else day).isoformat()


async def reserve(
    tx: Transaction,
    scope: Scope,
    plan_id: str,
    key_id: str,
    quota: Quota | None,
    day: date,
    wanted: int,
    unused: Unused | None,
) -> int:
    """Give back what is unused, then count at most `wanted` uses of `day`; how many were left.

    A key that is not in the plan (any more) gets none.
    """
    if await store.PLAN_KEYS.load(tx, scope, plan_id, key_id) is None:
        return 0
    if unused is not None and unused.uses:
        await give_back(tx, scope, plan_id, key_id, unused)
    begin = begin_text(quota, day)
    period = await store.PERIODS.load(tx, scope, plan_id, key_id)
    used = period.used if period is not None and period.begin == begin else 0
    granted = wanted if quota is None else max(0, min(wanted, quota.limit - used))
    if not granted:
        return 0
    await store.PERIODS.save(
        tx,
        scope,
        PeriodUse(plan_id=plan_id, key_id=key_id, begin=begin, used=used + granted),
    )
    old = await store.DAYS.load(tx, scope, plan_id, key_id, day.isoformat())
    if old is None:
        oldest = day - timedelta(days=USAGE_DAYS_KEPT)
        await store.drop_days_before(tx, scope, plan_id, key_id, oldest.isoformat())
    await store.DAYS.save(
        tx,
        scope,
        DayUse(
            plan_id=plan_id,
            key_id=key_id,
            day=day.isoformat(),
            used=(old.used if old is not None else 0) + granted,
            remaining=None if quota is None else quota.limit - used - granted,
        ),
    )
    return granted


async def give_back(
    tx: Transaction, scope: Scope, plan_id: str, key_id: str, unused: Unused
) -> None:
    """Uncount what was reserved and not used, where it is still counted."""
    day = await store.DAYS.load(tx, scope, plan_id, key_id, unused.day)
    if day is not None:
        left = None if day.remaining is None else day.remaining + unused.uses
        changed = msgspec.structs.replace(day, used=day.used - unused.uses, remaining=left)
        await store.DAYS.save(tx, scope, changed)
    period = await store.PERIODS.load(tx, scope, plan_id, key_id)
    if period is not None and period.begin == unused.begin:
        less = msgspec.structs.replace(period, used=period.used - unused.uses)
        await store.PERIODS.save(tx, scope, less)


async def set_remaining(
    tx: Transaction,
    scope: Scope,
    plan_id: str,
    key_id: str,
    quota: Quota,
    day: date,
    remaining: int,
) -> None:
    """Say how many uses are left in the period of `day`, whatever was used."""
    begin = begin_text(quota, day)
    await store.PERIODS.save(
        tx,
        scope,
        PeriodUse(plan_id=plan_id, key_id=key_id, begin=begin, used=quota.limit - remaining),
    )
    old = await store.DAYS.load(tx, scope, plan_id, key_id, day.isoformat())
    fresh = old or DayUse(plan_id=plan_id, key_id=key_id, day=day.isoformat(), used=0)
    await store.DAYS.save(tx, scope, msgspec.structs.replace(fresh, remaining=remaining))
