"""Series as OTLP's metrics: sums, gauges and histograms, added up since their start. Pure.

https://opentelemetry.io/docs/specs/otel/metrics/data-model/
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from cumulet.app.telemetry.naming import Family, Kind
from cumulet.app.telemetry.otlp import messages
from cumulet.app.telemetry.otlp.messages import CUMULATIVE, Message
from cumulet.app.telemetry.process import Figure
from cumulet.app.telemetry.registry import Series

POINT: dict[Kind, messages.Kind] = {
    "counter": messages.NUMBER_POINT,
    "gauge": messages.NUMBER_POINT,
    "histogram": messages.HISTOGRAM_POINT,
}
"""How the points of each kind of family are written."""


def point_of_series(series: Series, now: float) -> Message:
    """All that a series has come to by now."""
    family = series.family
    point: dict[str, Any] = {
        "startTimeUnixNano": _ns(series.began),
        "timeUnixNano": _ns(now),
        "attributes": {**_of_aws(family), **dict(series.labels)},
    }
    if family.kind == "histogram":
        point |= {
            "count": series.count,
            "sum": series.total,
            "bucketCounts": list(series.buckets),
            "explicitBounds": family.bounds,
        }
    else:
        point["asDouble"] = series.total
    if family.kind == "gauge":
        del point["startTimeUnixNano"]
    return point


def metrics_of_figures(figures: Iterable[Figure], began: float, now: float) -> list[Message]:
    """Figures that were read just now. Those that are added up are so since `began`."""
    found: list[Message] = []
    ordered = sorted(figures, key=lambda one: one.family.name)
    for family, alike in groupby(ordered, key=lambda one: one.family):
        points: list[dict[str, Any]] = []
        for figure in alike:
            point: dict[str, Any] = {"timeUnixNano": _ns(now), "asDouble": figure.value}
            if family.kind != "gauge":
                point["startTimeUnixNano"] = _ns(began)
            if figure.labels:
                point["attributes"] = dict(figure.labels)
            points.append(point)
        found.append(metric_of(family, points))
    return found


def _of_aws(family: Family) -> dict[str, str]:
    """Namespace and name apart, as in CloudWatch's metric streams.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-metric-streams-formats-opentelemetry-100.html
    """
    _, separator, full_name = family.otel_name.partition("/")
    namespace, _, name = full_name.rpartition("/")
    return {"Namespace": namespace, "MetricName": name} if separator else {}


def metric_of(family: Family, points: Sequence[Any]) -> Message:
    """A family with its points, which may have been written before."""
    metric: dict[str, Any] = {
        "name": family.otel_name,
        "description": family.about,
        "unit": family.otel_unit,
    }
    if family.kind == "gauge":
        metric["gauge"] = {"dataPoints": list(points)}
    elif family.kind == "counter":
        metric["sum"] = {
            "dataPoints": list(points),
            "aggregationTemporality": CUMULATIVE,
            "isMonotonic": True,
        }
    else:
        metric["histogram"] = {"dataPoints": list(points), "aggregationTemporality": CUMULATIVE}
    return metric


def _ns(seconds: float) -> int:
    return int(seconds * 1e9)
