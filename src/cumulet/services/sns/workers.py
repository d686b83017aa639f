"""Background work of SNS: deliveries, and what goes away with time."""

from __future__ import annotations

from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.kit.workers import Worker
from cumulet.kv.contract import Store, Transaction
from cumulet.kv.transact import transact
from cumulet.services.sns.limits import PENDING_SECONDS, SWEEP_PAGE, SWEEP_SECONDS
from cumulet.services.sns.sending.carry import TopicDeliveries
from cumulet.services.sns.store import DEDUPLICATIONS, QUEUE, SUBSCRIPTIONS


async def _deliver(platform: Platform) -> float:
    return await platform.need(TopicDeliveries).step()


async def sweep(platform: Platform) -> float:
    """Forget old deduplications, and subscriptions that nobody confirmed."""
    kv = platform.need(Store)
    now = platform.clock.now()
    for scope in await kv.transact(DEDUPLICATIONS.scopes):
        while await transact(kv, _forget, scope, now):
            pass
    for scope in await kv.transact(SUBSCRIPTIONS.scopes):
        while await transact(kv, _drop_pending, scope, now):
            pass
    return SWEEP_SECONDS


async def _forget(tx: Transaction, scope: Scope, now: float) -> bool:
    found = await DEDUPLICATIONS.lookup_between(tx, scope, "expires", (), (now,), limit=SWEEP_PAGE)
    for one in found:
        await DEDUPLICATIONS.drop(tx, scope, one.topic, one.place, one.id)
    return len(found) == SWEEP_PAGE


async def _drop_pending(tx: Transaction, scope: Scope, now: float) -> bool:
    before = (now - PENDING_SECONDS,)
    found = await SUBSCRIPTIONS.lookup_between(tx, scope, "pending", (), before, limit=SWEEP_PAGE)
    for one in found:
        await SUBSCRIPTIONS.drop(tx, scope, one.topic, one.id)
    return len(found) == SWEEP_PAGE


WORKERS = (
    Worker("sns deliveries", _deliver, wakes_on=QUEUE.wakes_on),
    Worker("sns sweep", sweep),
)
