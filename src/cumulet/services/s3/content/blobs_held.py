"""Which blobs the objects of S3 refer to; the rest may be swept."""

from __future__ import annotations

from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.kv.contract import Store
from cumulet.services.s3 import store

_EVERYWHERE = Scope("", "")


async def holds_blob(platform: Platform, blob: str) -> bool:
    """Whether an object, a version or a part refers to the blob."""
    kv = platform.need(Store)
    return await kv.transact(lambda tx: store.refers_to(tx, _EVERYWHERE, blob))
