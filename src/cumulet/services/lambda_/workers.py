"""Lambda's background work: the event queue, and the sweep of unpacked packages."""

from __future__ import annotations

from cumulet.core.context import Platform
from cumulet.kit.workers import Worker
from cumulet.services.lambda_ import store
from cumulet.services.lambda_.limits import SWEEP_SECONDS
from cumulet.services.lambda_.running import queue
from cumulet.services.lambda_.running.functions import Functions
from cumulet.services.lambda_.sources import pollers


async def _sweep(platform: Platform) -> float:
    """Remove the folders of packages that no version and no layer has any more."""
    functions = platform.need(Functions)
    keep = functions.digests_ready()
    for scope in await platform.transact(store.scopes_with_code, store.NOWHERE):
        keep |= await platform.transact(store.used_digests, scope)
    await functions.folders.sweep(keep)
    return SWEEP_SECONDS


async def _warm_up(platform: Platform) -> float:
    """Prepare the runtimes of the functions there are, so that the first event need not wait."""
    functions = platform.need(Functions)
    runtimes: set[str] = set()
    for scope in await platform.transact(store.scopes_with_code, store.NOWHERE):
        runtimes |= await platform.transact(store.used_runtimes, scope)
    for runtime in sorted(runtimes):
        functions.warm_up(runtime)
    return SWEEP_SECONDS


WORKERS = (
    Worker("lambda warm-up", _warm_up),
    queue.WORKER,
    pollers.WORKER,
    Worker("lambda code sweep", _sweep),
)
