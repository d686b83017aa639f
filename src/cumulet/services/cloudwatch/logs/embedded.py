"""Metrics that log events carry in themselves: CloudWatch's embedded metric format. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from cumulet.services.cloudwatch.limits import (
    EMBEDDED_DIMENSIONS_MAX,
    EMBEDDED_METRICS_MAX,
    EMBEDDED_VALUES_MAX,
)
from cumulet.services.cloudwatch.metrics.store import Place

MARK = '"_aws"'
"""What every event with metrics in it has."""
_SIZES = tuple(
    f"{size}{of}" for of in ("bytes", "bits") for size in ("kilo", "mega", "giga", "tera")
)
_AMOUNTS = ("Bytes", "Bits", *(one.capitalize() for one in _SIZES))
_UNITS = frozenset(
    (
        *("Seconds", "Microseconds", "Milliseconds", "Percent", "Count", "Count/Second", "None"),
        *_AMOUNTS,
        *(f"{one}/Second" for one in _AMOUNTS),
    )
)


def embedded_metrics(message: str) -> Iterator[tuple[Place, list[float]]]:
    """The measurements of an event by place; what does not keep to the format is left out."""
    try:
        document = json.loads(message)
    except (ValueError, RecursionError):
        return
    about = document.get("_aws") if isinstance(document, dict) else None
    if not isinstance(about, dict) or not isinstance(about.get("CloudWatchMetrics"), list):
        return
    at = about.get("Timestamp")
    if isinstance(at, bool) or not isinstance(at, int):
        return
    for directive in about["CloudWatchMetrics"]:
        if isinstance(directive, dict):
            yield from _of_directive(document, directive, at // 1_000)


def _of_directive(
    document: dict[str, Any], directive: dict[str, Any], at: int
) -> Iterator[tuple[Place, list[float]]]:
    namespace = directive.get("Namespace")
    metrics = directive.get("Metrics")
    if not isinstance(namespace, str) or not 0 < len(namespace) <= 1_024:
        return
    if namespace.startswith("AWS/") or not isinstance(metrics, list):
        return
    sets = directive.get("Dimensions")
    named = [_dimensions(document, one) for one in sets] if isinstance(sets, list) else []
    for metric in metrics[:EMBEDDED_METRICS_MAX]:
        if not isinstance(metric, dict) or not isinstance(metric.get("Name"), str):
            continue
        values = _values(document.get(metric["Name"]))
        if not values:
            continue
        unit = metric.get("Unit", "None")
        resolution = 1 if metric.get("StorageResolution") == 1 else 60
        for pairs in named or [()]:
            if pairs is not None and unit in _UNITS:
                start = at - at % resolution
                yield Place(namespace, metric["Name"], pairs, unit, start, resolution), values


def _dimensions(document: dict[str, Any], names: Any) -> tuple[tuple[str, str], ...] | None:
    """A set of dimensions with their values; None when one has none."""
    if not isinstance(names, list) or len(names) > EMBEDDED_DIMENSIONS_MAX:
        return None
    pairs = []
    for name in names:
        value = document.get(name) if isinstance(name, str) else None
        if not isinstance(value, str) or not 0 < len(value) <= 1_024:
            return None
        pairs.append((name, value))
    return tuple(sorted(pairs))


def _values(given: Any) -> list[float]:
    values = given if isinstance(given, list) else [given]
    found = [
        float(one) for one in values if isinstance(one, int | float) and not isinstance(one, bool)
    ]
    whole = len(found) == len(values) and all(math.isfinite(one) for one in found)
    return found[:EMBEDDED_VALUES_MAX] if whole else []
