"""Forgetting stacks that were deleted long ago."""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.services.cloudformation import limits, store


async def sweep(platform: Platform) -> float:
    """The worker's unit: one batch in each account and region; seconds until the next look."""
    before = platform.clock.now() - limits.DELETED_SECONDS_KEPT

    async def scopes(tx: Any, _scope: Scope) -> list[Scope]:
        return await store.STACKS.scopes(tx)

    async def forget(tx: Any, scope: Scope) -> bool:
        old = await store.scan_deleted(tx, scope, before, limits.SWEEP_STACKS_MAX)
        for stack in old:
            await store.forget_stack(tx, scope, stack)
        return len(old) == limits.SWEEP_STACKS_MAX

    more = False
    for scope in await platform.transact(scopes, Scope("", "")):
        more = await platform.transact(forget, scope) or more
    return 0.0 if more else limits.SWEEP_SECONDS
