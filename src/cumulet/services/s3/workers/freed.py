"""The bytes of what was replaced or deleted go from the disk."""

from __future__ import annotations

from cumulet.blobs.contract import Blobs
from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.kv.contract import Store, Transaction
from cumulet.services.s3 import store
from cumulet.services.s3.content.readers import Readers
from cumulet.services.s3.limits import FREED_AT_ONCE, FREED_GRACE_SECONDS, FREED_LOOK_SECONDS
from cumulet.services.s3.model import Freed

_EVERYWHERE = Scope("", "")


async def drop_freed(platform: Platform) -> float:
    """Remove blobs that were let go of a while ago; says when the next one is due."""
    kv = platform.need(Store)
    now_ms = int(platform.clock.now() * 1000)

    async def read(tx: Transaction) -> list[Freed]:
        return await store.FREED.scan(tx, _EVERYWHERE, limit=FREED_AT_ONCE)

    found = await kv.transact(read)
    for freed in found:
        if freed.due_ms > now_ms:
            return min((freed.due_ms - now_ms) / 1000, FREED_LOOK_SECONDS)
        await _drop(platform, kv, freed, now_ms)
    return 0.0 if len(found) == FREED_AT_ONCE else FREED_LOOK_SECONDS


async def _drop(platform: Platform, kv: Store, freed: Freed, now_ms: int) -> None:
    is_read = platform.need(Readers).is_read(freed.blob)

    async def is_held(tx: Transaction) -> bool:
        return await store.refers_to(tx, _EVERYWHERE, freed.blob)

    # The file goes before its record: after a crash between them it is only dropped once more.
    if not is_read and not await kv.transact(is_held):
        await platform.need(Blobs).drop(freed.blob)

    async def settle(tx: Transaction) -> None:
        await store.FREED.drop(tx, _EVERYWHERE, freed.due_ms, freed.blob)
        if is_read:
            later = Freed(now_ms + int(FREED_GRACE_SECONDS * 1000), freed.blob)
            await store.FREED.save(tx, _EVERYWHERE, later)

    await kv.transact(settle)
