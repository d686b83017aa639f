"""CloudWatch: logs (groups, streams, events, filters) and metrics. A table of contents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Platform
from cumulet.kit.ports import Contributors, LogSink, Metrics
from cumulet.kit.service import Service, operations_of
from cumulet.services.cloudwatch import store
from cumulet.services.cloudwatch.alarms import store as alarms_store
from cumulet.services.cloudwatch.alarms import watching
from cumulet.services.cloudwatch.alarms.acting import AlarmDeliveries
from cumulet.services.cloudwatch.contributors import gather as contributing
from cumulet.services.cloudwatch.contributors import store as contributors_store
from cumulet.services.cloudwatch.contributors.gather import StoreContributors
from cumulet.services.cloudwatch.dashboards import store as dashboards_store
from cumulet.services.cloudwatch.logs import subscribing
from cumulet.services.cloudwatch.logs.insights.queries import Queries
from cumulet.services.cloudwatch.logs.sink import StoreSink
from cumulet.services.cloudwatch.logs.subscribing import SubscriptionDeliveries
from cumulet.services.cloudwatch.logs.tailing import Tails
from cumulet.services.cloudwatch.metrics import retention
from cumulet.services.cloudwatch.metrics import store as metrics_store
from cumulet.services.cloudwatch.metrics.gather import Gatherer
from cumulet.services.cloudwatch.metrics.holding import log_holdings, metric_holdings
from cumulet.services.cloudwatch.operations import (
    alarm,
    alarm_listing,
    dashboard,
    insight_rule,
    log_event,
    log_filter,
    log_group,
    log_query,
    log_search,
    log_stream,
    log_tail,
    metric,
    metric_data,
)
from cumulet.services.cloudwatch.resources import LOGS_RESOURCES, METRICS_RESOURCES
from cumulet.services.cloudwatch.workers import WORKERS


def _provides(platform: Platform) -> Mapping[type, Any]:
    deliveries = SubscriptionDeliveries(platform)
    tails = Tails()
    sink = StoreSink(platform, deliveries, tails)
    return {
        LogSink: sink,
        StoreSink: sink,
        SubscriptionDeliveries: deliveries,
        Queries: Queries(platform),
        Tails: tails,
    }


LOGS = Service(
    name="logs",
    prefix="logs",
    operations=operations_of(
        log_group, log_stream, log_event, log_search, log_filter, log_query, log_tail
    ),
    workers=(*WORKERS, *subscribing.WORKERS),
    resources=LOGS_RESOURCES,
    provides=_provides,
    holds=log_holdings,
    tables=store.TABLES,
)


def _provides_metrics(platform: Platform) -> Mapping[type, Any]:
    gatherer = Gatherer(platform)
    return {
        Metrics: gatherer,
        Gatherer: gatherer,
        Contributors: StoreContributors(platform),
        AlarmDeliveries: AlarmDeliveries(platform),
    }


METRICS = Service(
    name="cloudwatch",
    prefix="cloudwatch",
    operations=operations_of(metric, metric_data, alarm, alarm_listing, dashboard, insight_rule),
    workers=(*retention.WORKERS, *watching.WORKERS, *contributing.WORKERS),
    provides=_provides_metrics,
    holds=metric_holdings,
    resources=METRICS_RESOURCES,
    tables=(
        *metrics_store.TABLES,
        *alarms_store.TABLES,
        *dashboards_store.TABLES,
        *contributors_store.TABLES,
    ),
)

SERVICES = (LOGS, METRICS)
