"""What follows from events that arrive: measurements and deliveries, in the events' transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from cumulet.core.identity import Scope
from cumulet.kit.workers.deliveries import Draft, Load
from cumulet.kv.contract import Transaction
from cumulet.services.cloudwatch import store
from cumulet.services.cloudwatch.limits import SUBSCRIPTION_BYTES_MAX
from cumulet.services.cloudwatch.logs.blocks import Line
from cumulet.services.cloudwatch.logs.embedded import MARK, embedded_metrics
from cumulet.services.cloudwatch.logs.extracting import filter_of, measured
from cumulet.services.cloudwatch.metrics import store as metrics_store
from cumulet.services.cloudwatch.metrics.distribution import Summary, merge, summarize
from cumulet.services.cloudwatch.metrics.limits import (
    FUTURE_SECONDS_MAX,
    PAST_SECONDS_MAX,
    VALUE_MAX,
)
from cumulet.services.cloudwatch.metrics.store import Place
from cumulet.services.cloudwatch.model import (
    Event,
    Group,
    MetricFilter,
    Stream,
    SubscriptionFilter,
    group_arn,
)

NUMBERS_MAX = 4_096
"""Numbers of deliveries that one arrival may need."""


class Arrival(NamedTuple):
    """When events arrive, and the ids for what follows from them."""

    now_ms: int
    uid: str
    sequence: int


async def arrive(
    tx: Transaction, scope: Scope, group: Group, stream: Stream, lines: Sequence[Line],
    arrival: Arrival,
) -> None:  # fmt: skip
    """Write events of one stream, what the group's filters measure in them, and deliveries."""
    await store.append(tx, scope, group, stream, lines, arrival.now_ms)
    filters = await store.load_metric_filters(tx, scope, group.uid)
    found: dict[Place, list[float]] = {}
    for place, values in _measurements(filters, lines):
        found.setdefault(place, []).extend(values)
    if found:
        await metrics_store.add(tx, scope, _summaries(found, arrival.now_ms / 1_000))
    subscribed = await store.load_subscriptions(tx, scope, group.uid)
    if subscribed:
        await _subscribe(tx, scope, group, stream, lines, arrival, subscribed)


def _measurements(
    filters: Sequence[MetricFilter], lines: Sequence[Line]
) -> Iterator[tuple[Place, list[float]]]:
    for _, _, message in lines:
        # Most lines have none: they are not worth a call.
        if MARK in message:
            yield from embedded_metrics(message)
    for one in filters:
        yield from _filtered(one, lines)


def _filtered(one: MetricFilter, lines: Sequence[Line]) -> Iterator[tuple[Place, list[float]]]:
    """What a filter measures; its default once when nothing of what arrived matches."""
    matches, told = filter_of(one.pattern), one.transformation
    unit = told.get("unit", "None")

    def place(dimensions: tuple[tuple[str, str], ...], at_ms: int) -> Place:
        start = at_ms // 60_000 * 60
        return Place(told["metricNamespace"], told["metricName"], dimensions, unit, start)

    matched = False
    for at_ms, _, message in lines:
        if matches(message):
            matched = True
            if (value := measured(told, one.pattern, message)) is not None:
                yield place(value[1], at_ms), [value[0]]
    default = told.get("defaultValue")
    if not matched and default is not None and lines:
        yield place((), lines[-1][0]), [float(default)]


def _summaries(found: dict[Place, list[float]], now: float) -> dict[Place, Summary]:
    """As CloudWatch takes them: not too old, not ahead, not out of range."""
    kept: dict[Place, Summary] = {}
    for place, values in found.items():
        taken = [value for value in values if abs(value) <= VALUE_MAX]
        if taken and now - PAST_SECONDS_MAX <= place.start <= now + FUTURE_SECONDS_MAX:
            summary = summarize(taken)
            there = kept.get(place)
            kept[place] = summary if there is None else merge((there, summary))
    return kept


async def _subscribe(
    tx: Transaction, scope: Scope, group: Group, stream: Stream, lines: Sequence[Line],
    arrival: Arrival, filters: Sequence[SubscriptionFilter],
) -> None:  # fmt: skip
    number = 0
    for one in filters:
        matches = filter_of(one.pattern)
        events = [
            {
                "id": Event(group.uid, at_ms, sequence, stream.uid, stream.name, "", 0).event_id,
                "timestamp": at_ms,
                "message": message,
            }
            for at_ms, sequence, message in lines
            if matches(message)
        ]
        task = {
            "filter": one.name,
            "function": one.destination,
            "group": group_arn(scope, group.name),
        }
        for part in _parts(events):
            data = json.dumps(_told(scope, one, stream, part), ensure_ascii=False)
            lane = f"{task['group']} {one.name}"
            load = Load(
                f"{arrival.uid} {number}",
                data.encode(errors="replace"),
                [Draft(lane, task, is_ordered=True)],
                arrival.now_ms / 1_000,
                arrival.sequence + (number % NUMBERS_MAX << 10),
            )
            await store.SUBSCRIPTION_QUEUE.add(tx, scope, load)
            number += 1


def _parts(events: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Events in parts that fit into one invocation; a long one goes by itself."""
    part: list[dict[str, Any]] = []
    size = 0
    for event in events:
        own = len(event["message"]) + 100
        if part and size + own > SUBSCRIPTION_BYTES_MAX:
            yield part
            part, size = [], 0
        part.append(event)
        size += own
    if part:
        yield part


def _told(
    scope: Scope, one: SubscriptionFilter, stream: Stream, events: list[dict[str, Any]]
) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html"""
    return {
        "messageType": "DATA_MESSAGE",
        "owner": scope.account,
        "logGroup": one.group,
        "logStream": stream.name,
        "subscriptionFilters": [one.name],
        "logEvents": events,
    }
