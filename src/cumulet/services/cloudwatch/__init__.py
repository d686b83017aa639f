"""CloudWatch: logs (groups, streams, events, filters) and metrics. A table of contents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Platform
from cumulet.kit.ports import LogSink, Metrics
from cumulet.kit.service import Service, operations_of
from cumulet.services.cloudwatch import store
from cumulet.services.cloudwatch.alarms import store as alarms_store
from cumulet.services.cloudwatch.alarms import watching
from cumulet.services.cloudwatch.alarms.acting import AlarmDeliveries
from cumulet.services.cloudwatch.logs.sink import StoreSink
from cumulet.services.cloudwatch.metrics import retention
from cumulet.services.cloudwatch.metrics import store as metrics_store
from cumulet.services.cloudwatch.metrics.gather import Gatherer
from cumulet.services.cloudwatch.operations import (
    alarm,
    alarm_listing,
    log_event,
    log_group,
    log_search,
    log_stream,
    metric,
    metric_data,
)
from cumulet.services.cloudwatch.resources import LOGS_RESOURCES, METRICS_RESOURCES
from cumulet.services.cloudwatch.workers import WORKERS


def _provides(platform: Platform) -> Mapping[type, Any]:
    sink = StoreSink(platform)
    return {LogSink: sink, StoreSink: sink}


LOGS = Service(
    name="logs",
    prefix="logs",
    operations=operations_of(log_group, log_stream, log_event, log_search),
    workers=WORKERS,
    resources=LOGS_RESOURCES,
    provides=_provides,
    tables=(store.GROUPS, store.STREAMS, store.EVENTS, store.BLOCKS, store.DROPPED),
)


def _provides_metrics(platform: Platform) -> Mapping[type, Any]:
    gatherer = Gatherer(platform)
    return {
        Metrics: gatherer,
        Gatherer: gatherer,
        AlarmDeliveries: AlarmDeliveries(platform),
    }


METRICS = Service(
    name="cloudwatch",
    prefix="cloudwatch",
    operations=operations_of(metric, metric_data, alarm, alarm_listing),
    workers=(*retention.WORKERS, *watching.WORKERS),
    provides=_provides_metrics,
    resources=METRICS_RESOURCES,
    tables=(*metrics_store.TABLES, *alarms_store.TABLES),
)

SERVICES = (LOGS, METRICS)
