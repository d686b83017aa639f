"""Background work: writing down when keys were used."""

from __future__ import annotations

from typing import Final

from cumulet.core.context import Platform
from cumulet.kit.workers import Worker
from cumulet.kv.contract import Store, Transaction
from cumulet.services.iam import store
from cumulet.services.iam.credentials import StoredCredentials
from cumulet.services.iam.model import KeyUse

_PERIOD_SECONDS: Final = 60.0


async def record_uses(platform: Platform) -> float:
    """Write down the keys that signed since the last time. Returns when to look again."""
    used = platform.need(StoredCredentials).take_used()
    if used:

        async def work(tx: Transaction) -> None:
            for key_id, at in used.items():
                # A key that was deleted meanwhile keeps no trace.
                if await store.ACCESS_KEYS.load(tx, store.EVERYWHERE, key_id) is not None:
                    await store.KEY_USES.save(tx, store.EVERYWHERE, KeyUse(key_id, float(int(at))))

        await platform.need(Store).transact(work)
    return _PERIOD_SECONDS


WORKERS = (Worker("iam.key-uses", record_uses),)
