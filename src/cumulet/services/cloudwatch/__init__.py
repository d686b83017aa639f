"""CloudWatch Logs: groups, streams, events, filters. (Metrics come to this folder too.)"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Platform
from cumulet.kit.ports import LogSink
from cumulet.kit.service import Service, operations_of
from cumulet.services.cloudwatch import store
from cumulet.services.cloudwatch.operations import log_event, log_group, log_search, log_stream
from cumulet.services.cloudwatch.resources import RESOURCES
from cumulet.services.cloudwatch.sink import StoreSink
from cumulet.services.cloudwatch.workers import WORKERS


def _provides(platform: Platform) -> Mapping[type, Any]:
    sink = StoreSink(platform)
    return {LogSink: sink, StoreSink: sink}


LOGS = Service(
    name="logs",
    prefix="logs",
    operations=operations_of(log_group, log_stream, log_event, log_search),
    workers=WORKERS,
    resources=RESOURCES,
    provides=_provides,
    tables=(store.GROUPS, store.STREAMS, store.EVENTS, store.BLOCKS, store.DROPPED),
)

SERVICES = (LOGS,)
