"""Background work of hosts: commands are forgotten after thirty days."""

from __future__ import annotations

from cumulet.core.context import Platform
from cumulet.kit.workers import Worker
from cumulet.kv.contract import Store
from cumulet.kv.transact import transact
from cumulet.services.ssm.hosts import store
from cumulet.services.ssm.hosts.limits import KEPT_SECONDS

_HOUR_SECONDS = 3600.0


async def expire_commands(platform: Platform) -> float:
    """Remove old commands with what they said."""
    kv = platform.need(Store)
    before = platform.clock.now() - KEPT_SECONDS
    for scope in await kv.transact(store.COMMANDS.scopes):
        while await transact(kv, store.expire, scope, before):
            pass
    return _HOUR_SECONDS


WORKERS = (Worker("commands' retention", expire_commands),)
