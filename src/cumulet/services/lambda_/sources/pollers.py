"""The pollers of all mappings: one for each that is enabled, begun and ended as mappings change."""

from __future__ import annotations

import asyncio

from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.kit.workers import Tasks, Worker
from cumulet.kv.contract import Store
from cumulet.kv.transact import transact
from cumulet.services.lambda_.running.functions import Functions
from cumulet.services.lambda_.sources.delivery import Feeder
from cumulet.services.lambda_.sources.model import Mapping
from cumulet.services.lambda_.sources.queues import QueuePoller
from cumulet.services.lambda_.sources.store import MAPPINGS, MAPPINGS_MAX
from cumulet.services.lambda_.sources.streams import StreamPoller

_LOOK_AGAIN_SECONDS = 1.0
_LOOK_AGAIN_SECONDS_MAX = 60.0

_Key = tuple[Scope, str]


class Pollers:
    """Keeps a poller for each enabled mapping. Started and stopped with the platform."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._store = platform.need(Store)
        self._tasks = Tasks()
        self._running: dict[_Key, tuple[Mapping, asyncio.Task[None], QueuePoller | StreamPoller]]
        self._running = {}
        self._changed = asyncio.Event()

    async def start(self) -> None:
        """The worker begins the pollers."""

    async def stop(self) -> None:
        """End all pollers; batches in hand come again."""
        await self._tasks.stop()

    def result(self, scope: Scope, uuid: str) -> str:
        """What came of a mapping's last batch."""
        running = self._running.get((scope, uuid))
        return running[2].result if running is not None else "No records processed"

    async def settle(self) -> None:
        """Begin pollers of mappings that are new, and end those of mappings that are gone."""
        wanted: dict[_Key, Mapping] = {}
        for scope in await self._store.transact(MAPPINGS.scopes):
            for mapping in await transact(self._store, MAPPINGS.scan, scope, limit=MAPPINGS_MAX):
                if mapping.enabled:
                    wanted[scope, mapping.uuid] = mapping
        for key, (mapping, task, _) in list(self._running.items()):
            if wanted.get(key) != mapping or task.done():
                task.cancel()
                del self._running[key]
        for key, mapping in wanted.items():
            if key not in self._running:
                self._begin(key, mapping)

    def _begin(self, key: _Key, mapping: Mapping) -> None:
        ctx = self._platform.need(Functions).worker_context(key[0])
        feeder = Feeder(ctx, mapping)
        kind = StreamPoller if mapping.is_stream else QueuePoller
        poller = kind(feeder, self._tasks)
        task = self._tasks.start(poller.run(), f"mapping {mapping.uuid}")
        self._running[key] = (mapping, task, poller)


async def _work(platform: Platform) -> float:
    """Settle; a change of a mapping settles at once, this finds what was left by a restart."""
    await platform.need(Pollers).settle()
    return _LOOK_AGAIN_SECONDS_MAX


WORKER = Worker("lambda event sources", _work)
