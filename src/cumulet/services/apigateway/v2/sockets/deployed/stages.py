"""The stages of WebSocket APIs that are being served, in memory until something of them changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.kv.cache import CachedView
from cumulet.kv.contract import Store
from cumulet.kv.tuples import pack
from cumulet.services.apigateway import store as rest
from cumulet.services.apigateway.model import Place
from cumulet.services.apigateway.v2 import store
from cumulet.services.apigateway.v2.model import WEBSOCKET
from cumulet.services.apigateway.v2.sockets.deployed.served import ServedStage, serve_stage
from cumulet.services.apigateway.v2.sockets.limits import APIS_CACHED_MAX

_SCOPES_MAX = 1_000
_Served = Mapping[str, ServedStage]


class SocketStages:
    """Finds stages by API and name."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._store = platform.need(Store)
        self._places: CachedView[str, Place | None] = CachedView(
            self._store, rest.PLACES.prefix(rest.NOWHERE), self._load_place
        )
        self._views: dict[Scope, CachedView[str, _Served]] = {}

    async def speaks_sockets(self, api_id: str) -> bool | None:
        """Whether the API is a WebSocket API; None when there is no such API."""
        place = await self._places.get(api_id)
        return None if place is None else place.protocol == WEBSOCKET

    async def find(self, api_id: str, stage: str) -> ServedStage | None:
        """The stage ready to serve, or None when there is no such WebSocket API or stage."""
        place = await self._places.get(api_id)
        if place is None or place.protocol != WEBSOCKET:
            return None
        scope = Scope(place.account, place.region)
        view = self._views.get(scope)
        if view is None:
            view = self._view(scope)
        return (await view.get(api_id)).get(stage)

    def _view(self, scope: Scope) -> CachedView[str, _Served]:
        if len(self._views) >= _SCOPES_MAX:
            for view in self._views.values():
                view.close()
            self._views.clear()

        async def load(api_id: str) -> _Served:
            found = await self._platform.transact(store.load_served, scope, api_id)
            if found is None:
                return {}
            api, stages = found
            return {
                stage.stage_name: serve_stage(scope, api, stage, snapshot)
                for stage, snapshot in stages
            }

        prefix = pack((scope.account, scope.region, store.SERVICE))
        made = CachedView(self._store, prefix, load, entries_max=APIS_CACHED_MAX)
        self._views[scope] = made
        return made

    async def _load_place(self, api_id: str) -> Place | None:
        async def load(tx: Any, scope: Scope) -> Place | None:
            return await rest.PLACES.load(tx, scope, api_id)

        return await self._platform.transact(load, rest.NOWHERE)
