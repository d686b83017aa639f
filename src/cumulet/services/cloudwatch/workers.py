"""Background work of CloudWatch Logs: retention, and the remains of deleted groups."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.kit.workers import Worker
from cumulet.kv.contract import Store, Transaction
from cumulet.services.cloudwatch import store
from cumulet.services.cloudwatch.limits import EXPIRE_RECORDS
from cumulet.services.cloudwatch.model import Group

_HOUR_SECONDS = 3600.0
_GROUPS_AT_ONCE = 500


async def expire_events(platform: Platform) -> float:
    """Remove events older than their group's retention."""
    kv = platform.need(Store)
    now_ms = int(platform.clock.now() * 1000)
    more = False
    for scope in await kv.transact(store.GROUPS.scopes):
        after: tuple[str, ...] | None = None
        while groups := await kv.transact(_page_of_groups(scope, after)):
            after = (groups[-1].name,)
            for group in groups:
                if group.retention_days:
                    before = now_ms - group.retention_days * 86_400_000
                    more |= await kv.transact(_expire(scope, group.uid, before))
    return 0.0 if more else _HOUR_SECONDS


def _page_of_groups(
    scope: Scope, after: tuple[str, ...] | None
) -> Callable[[Transaction], Awaitable[list[Group]]]:
    async def read(tx: Transaction) -> list[Group]:
        return await store.GROUPS.scan(tx, scope, after=after, limit=_GROUPS_AT_ONCE)

    return read


def _expire(
    scope: Scope, group_uid: str, before_ms: int
) -> Callable[[Transaction], Awaitable[bool]]:
    async def drop(tx: Transaction) -> bool:
        return await store.drop_events(tx, scope, group_uid, before_ms, EXPIRE_RECORDS)

    return drop


async def drop_deleted(platform: Platform) -> float:
    """Remove streams and events of groups that were deleted, a part at a time."""
    kv = platform.need(Store)
    for scope in await kv.transact(store.DROPPED.scopes):

        async def drop(tx: Transaction, scope: Scope = scope) -> bool:
            found = await store.DROPPED.scan(tx, scope, limit=1)
            if found:
                await store.drop_remains(tx, scope, found[0].group_uid, EXPIRE_RECORDS)
            return bool(found)

        while await kv.transact(drop):
            pass
    return _HOUR_SECONDS / 60


WORKERS = (
    Worker("logs retention", expire_events),
    Worker("logs deletion", drop_deleted),
)
