"""Background work of metrics: points past their retention are removed."""

from __future__ import annotations

from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.kit.workers import Worker
from cumulet.kv.contract import Store, Transaction
from cumulet.services.cloudwatch.metrics import store

_HOUR_SECONDS = 3600.0


async def expire_points(platform: Platform) -> float:
    """Remove what is older than its resolution is kept."""
    kv = platform.need(Store)
    now = int(platform.clock.now())
    for scope in await kv.transact(store.SERIES.scopes):
        after: tuple[str, ...] | None = ()
        while after is not None:

            async def expire(
                tx: Transaction, scope: Scope = scope, after: tuple[str, ...] = after
            ) -> tuple[str, ...] | None:
                return await store.expire(tx, scope, now, after or None)

            after = await kv.transact(expire)
    return _HOUR_SECONDS


WORKERS = (Worker("metrics retention", expire_points),)
