"""Background work of X-Ray: old traces are removed, and the oldest of too many."""

from __future__ import annotations

from cumulet.core.context import Platform
from cumulet.kit.workers import Worker
from cumulet.kv.contract import Store
from cumulet.services.xray import store
from cumulet.services.xray.limits import EXPIRE_TRACES, KEPT_SECONDS

_MINUTES_SECONDS = 300.0


async def expire_traces(platform: Platform) -> float:
    """Remove a part of what is past its time; says when to look again."""
    kv = platform.need(Store)
    before = platform.clock.now() - KEPT_SECONDS
    more = False
    for scope in await kv.transact(store.TRACES.scopes):
        more |= await platform.transact(store.drop_oldest, scope, before, EXPIRE_TRACES)
    return 0.0 if more else _MINUTES_SECONDS


WORKERS = (Worker("traces", expire_traces),)
