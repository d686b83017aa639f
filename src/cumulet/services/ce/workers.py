"""Background work of Cost Explorer: what resources hold as time passes, and old usage's end."""

from __future__ import annotations

from cumulet.core.context import Platform
from cumulet.core.trace import log_cause
from cumulet.kit.service import Holders
from cumulet.kit.workers import Worker
from cumulet.kv.contract import Store
from cumulet.services.ce import store
from cumulet.services.ce.gather import UsageGatherer
from cumulet.services.ce.limits import HOLD_SECONDS, HOLD_SECONDS_MAX, MONTHS_KEPT
from cumulet.services.ce.model import day_at, hours_by_day, hours_of_month, months_before

_DAY_SECONDS = 86_400.0


async def count_holdings(platform: Platform) -> float:
    """Add what resources held since the last reading: byte-hours, alarms, capacity.

    A resource counts for the whole time between two readings in which it is there at the second.
    Time in which the cloud was off counts: what is stored was stored.
    """
    kv = platform.need(Store)
    now = platform.clock.now()
    last = await kv.transact(store.load_reading)
    # Noted first: a kill in between loses minutes, and doubles nothing.
    await kv.transact(lambda tx: store.save_reading(tx, now))
    if last is None or last >= now:
        return HOLD_SECONDS
    parts = hours_by_day(max(last, now - HOLD_SECONDS_MAX), now)
    gatherer = platform.need(UsageGatherer)
    for holds in platform.need(Holders).holders:
        try:
            async for scope, resource, dimension, quantity in holds(platform):
                if not quantity:
                    continue
                for day, hours in parts:
                    share = hours / hours_of_month(day) if dimension.is_monthly else hours
                    gatherer.hold((day, scope, resource, dimension), quantity * share)
        except Exception as cause:
            # The others' holdings count all the same.
            log_cause("", "holdings could not be read", cause, service=holds.__module__)
        await gatherer.flush()
    return HOLD_SECONDS


async def expire_usage(platform: Platform) -> float:
    """Remove what is older than Cost Explorer keeps."""
    kv = platform.need(Store)
    before = months_before(day_at(platform.clock.now()), MONTHS_KEPT)
    more = False
    for scope in await kv.transact(store.AMOUNTS.scopes):
        more |= await platform.transact(store.expire, scope, before)
    return 0.0 if more else _DAY_SECONDS


WORKERS = (Worker("usage by time", count_holdings), Worker("usage expiry", expire_usage))
