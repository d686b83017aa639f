"""What CloudWatch holds and AWS charges for by time: logs, custom metrics, alarms, dashboards.

https://aws.amazon.com/cloudwatch/pricing/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator

from cumulet.core import usage
from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.core.usage import GIB, Dimension, Holding
from cumulet.kv.contract import Store, Transaction
from cumulet.kv.transact import transact
from cumulet.services.cloudwatch import store as logs_store
from cumulet.services.cloudwatch.alarms.model import Alarm, alarm_arn
from cumulet.services.cloudwatch.alarms.store import ALARMS
from cumulet.services.cloudwatch.dashboards.model import dashboard_arn
from cumulet.services.cloudwatch.dashboards.store import DASHBOARDS
from cumulet.services.cloudwatch.metrics.limits import SEEN_SECONDS
from cumulet.services.cloudwatch.metrics.store import SERIES
from cumulet.services.cloudwatch.model import Group, group_arn

_PAGE = 500
_HOUR_SECONDS = 3_600
_FAST_SECONDS = 60
"""An alarm of a shorter period is one of high resolution."""


def namespace_arn(scope: Scope, namespace: str) -> str:
    """Under what a namespace's metrics are counted: metrics have no ARN of their own."""
    return scope.arn("cloudwatch", f"metric/{namespace}")


async def log_holdings(platform: Platform) -> AsyncIterator[Holding]:
    """The bytes that every log group keeps."""
    kv = platform.need(Store)
    for scope in await transact(kv, logs_store.GROUPS.scopes):
        after: tuple[str, ...] | None = None
        while page := await transact(kv, _groups, scope, after):
            for group, size in page:
                arn = group_arn(scope, group.name)
                yield Holding(scope, arn, usage.LOGS_STORAGE, size / GIB)
            after = (page[-1][0].name,)


async def _groups(
    tx: Transaction, scope: Scope, after: tuple[str, ...] | None
) -> list[tuple[Group, int]]:
    found = await logs_store.GROUPS.scan(tx, scope, limit=_PAGE, after=after)
    return [(one, await logs_store.load_stored_bytes(tx, scope, one)) for one in found]


async def metric_holdings(platform: Platform) -> AsyncIterator[Holding]:
    """Custom metrics that had data within the hour, alarms, and dashboards."""
    kv = platform.need(Store)
    since = int(platform.clock.now()) - _HOUR_SECONDS - SEEN_SECONDS
    for scope in await transact(kv, SERIES.scopes):
        counts: Counter[str] = Counter()
        after: tuple[str, ...] | None = None
        while page := await transact(kv, SERIES.scan, scope, limit=_PAGE, after=after):
            counts.update(
                one.namespace
                for one in page
                if one.seen_at >= since and not one.namespace.startswith("AWS/")
            )
            after = (page[-1].id,)
        for namespace, count in counts.items():
            arn = namespace_arn(scope, namespace)
            yield Holding(scope, arn, usage.CUSTOM_METRICS, float(count))
    for scope in await transact(kv, ALARMS.scopes):
        after = None
        while alarms := await transact(kv, ALARMS.scan, scope, limit=_PAGE, after=after):
            for alarm in alarms:
                yield Holding(scope, alarm_arn(scope, alarm.name), _kind(alarm), 1.0)
            after = (alarms[-1].name,)
    for scope in await transact(kv, DASHBOARDS.scopes):
        after = None
        while boards := await transact(kv, DASHBOARDS.scan, scope, limit=_PAGE, after=after):
            for board in boards:
                yield Holding(scope, dashboard_arn(scope, board.name), usage.DASHBOARDS, 1.0)
            after = (boards[-1].name,)


def _kind(alarm: Alarm) -> Dimension:
    if alarm.is_composite:
        return usage.COMPOSITE_ALARMS
    period = alarm.settings.get("Period") or _FAST_SECONDS
    return usage.FAST_ALARMS if period < _FAST_SECONDS else usage.ALARMS
