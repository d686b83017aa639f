"""Lambda: functions, versions, aliases, layers, invocation, function URLs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Platform
from cumulet.kit.service import Service, operations_of
from cumulet.services.lambda_ import store
from cumulet.services.lambda_.operations import (
    alias,
    attributes,
    concurrency,
    event_config,
    function,
    invoke,
    layer,
    mapping,
    permission,
    update,
    url,
)
from cumulet.services.lambda_.resources import RESOURCES
from cumulet.services.lambda_.running.functions import Functions
from cumulet.services.lambda_.running.measures import Measures
from cumulet.services.lambda_.running.queue import EventQueue
from cumulet.services.lambda_.sources import store as sources_store
from cumulet.services.lambda_.sources.pollers import Pollers
from cumulet.services.lambda_.surface import CodeSurface, UrlSurface
from cumulet.services.lambda_.workers import WORKERS


def _provides(platform: Platform) -> Mapping[type, Any]:
    measures = Measures(platform)
    return {
        Measures: measures,
        Functions: Functions(platform, measures),
        EventQueue: EventQueue(platform, measures),
        Pollers: Pollers(platform),
    }


async def _holds_blob(platform: Platform, blob_id: str) -> bool:
    unused = await platform.transact(store.unused_blobs, store.NOWHERE, frozenset({blob_id}))
    return not unused


SERVICE = Service(
    name="lambda",
    prefix="lambda",
    operations=operations_of(
        function,
        update,
        invoke,
        alias,
        permission,
        layer,
        concurrency,
        event_config,
        url,
        mapping,
        attributes,
    ),
    workers=WORKERS,
    resources=RESOURCES,
    surfaces=(UrlSurface(), CodeSurface()),
    provides=_provides,
    tables=(*store.TABLES, *sources_store.TABLES),
    holds_blob=_holds_blob,
)

SERVICES = (SERVICE,)
