"""Archives in use, ready in memory until they change; and what they keep of an event."""

from __future__ import annotations

import json
from collections import OrderedDict
from datetime import datetime
from typing import Any, NamedTuple

from cumulet.core.context import Context, Platform
from cumulet.core.event_patterns import Test, compile_pattern
from cumulet.core.identity import Scope
from cumulet.kv.cache import CachedView
from cumulet.kv.contract import Store, Transaction
from cumulet.services.events.archives.model import Archive
from cumulet.services.events.archives.store import ARCHIVES, Keeping
from cumulet.services.events.delivery import EventDeliveries
from cumulet.services.events.limits import ARCHIVES_MAX, SCOPES_MAX
from cumulet.services.events.model import BusName

REPLAYED = "replay-name"
"""The member that only replayed events have; they are not archived again."""
_ALL = ""


class ReadyArchive(NamedTuple):
    """An archive; `test` is None when it keeps every event."""

    archive: Archive
    test: Test | None


class Archives:
    """The archives of all accounts."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._store = platform.need(Store)
        self._views: OrderedDict[Scope, CachedView[str, list[ReadyArchive]]] = OrderedDict()

    async def keepings(self, ctx: Context, named: BusName, event: dict[str, Any]) -> list[Keeping]:
        """What the archives of a bus keep of an event that came to it now."""
        chosen = [
            ready.archive
            for ready in await self._of(named.scope).get(_ALL)
            if ready.archive.bus == named.name and (ready.test is None or ready.test(event))
        ]
        if not chosen or REPLAYED in event:
            return []
        data = json.dumps(event, separators=(",", ":")).encode()
        sequence = ctx.need(EventDeliveries).next_sequence()
        arrived_ms = int(self._platform.clock.now() * 1000)
        time_ms = int(datetime.fromisoformat(event["time"]).timestamp() * 1000)
        return [
            Keeping(named.scope, archive, time_ms, sequence, arrived_ms, data) for archive in chosen
        ]

    def _of(self, scope: Scope) -> CachedView[str, list[ReadyArchive]]:
        view = self._views.get(scope)
        if view is None:
            view = self._views[scope] = self._view(scope)
            if len(self._views) > SCOPES_MAX:
                self._views.popitem(last=False)[1].close()
        return view

    def _view(self, scope: Scope) -> CachedView[str, list[ReadyArchive]]:
        async def load(_: str) -> list[ReadyArchive]:
            async def read(tx: Transaction, scope: Scope) -> list[Archive]:
                return await ARCHIVES.scan(tx, scope, limit=ARCHIVES_MAX)

            found = await self._platform.transact(read, scope)
            return [
                ReadyArchive(one, compile_pattern(one.pattern) if one.pattern else None)
                for one in found
            ]

        return CachedView(self._store, ARCHIVES.prefix(scope), load)
