"""Lambda's background work: the event queue, and the sweep of unpacked packages."""

from __future__ import annotations

from cumulet.core.context import Platform
from cumulet.kit.workers import Worker
from cumulet.services.lambda_ import store
from cumulet.services.lambda_.limits import SWEEP_SECONDS
from cumulet.services.lambda_.running import queue
from cumulet.services.lambda_.running.functions import Functions


async def _sweep(platform: Platform) -> float:
    """Remove the folders of packages that no version and no layer has any more."""
    functions = platform.need(Functions)
    keep = functions.digests_ready()
    for scope in await platform.transact(store.scopes_with_code, store.NOWHERE):
        keep |= await platform.transact(store.used_digests, scope)
    await functions.folders.sweep(keep)
    return SWEEP_SECONDS


WORKERS = (queue.WORKER, Worker("lambda code sweep", _sweep))
