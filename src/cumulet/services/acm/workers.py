"""Renewal: requested certificates are issued anew before they end."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.kit.workers import Worker
from cumulet.kv.contract import Transaction
from cumulet.services.acm import store
from cumulet.services.acm.issuing import issue
from cumulet.services.acm.limits import RENEW_CHECK_SECONDS
from cumulet.services.acm.model import Certificate
from cumulet.services.acm.views import is_due

_NOWHERE = Scope("", "")


async def renew(platform: Platform) -> float:
    """Renew what ends soon, in every account."""

    async def scopes(tx: Transaction, _: Scope) -> list[Scope]:
        return await store.CERTIFICATES.scopes(tx)

    for scope in await platform.transact(scopes, _NOWHERE):
        for one in await platform.transact(store.scan, scope):
            if is_due(one, platform.clock.now()):
                anew = await asyncio.to_thread(issue, platform.need, one)
                renewed = msgspec.structs.replace(anew, renewed=platform.clock.now())
                await platform.transact(_replace, scope, one, renewed)
    return RENEW_CHECK_SECONDS


async def _replace(tx: Transaction, scope: Scope, old: Certificate, new: Certificate) -> Any:
    """Unless it was deleted or changed meanwhile."""
    if await store.load(tx, scope, old.id) == old:
        await store.CERTIFICATES.save(tx, scope, new)


WORKERS = (Worker("acm renewal", renew),)
