"""What AWS's metrics are called and counted as in Prometheus and OpenTelemetry. Pure.

https://prometheus.io/docs/practices/naming/
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-metric-streams-formats-opentelemetry-translation-100.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]

_TIMES = {"Seconds": 1.0, "Milliseconds": 1e-3, "Microseconds": 1e-6}
_SIZES = {
    "Bytes": 1.0,
    "Kilobytes": 1e3,
    "Megabytes": 1e6,
    "Gigabytes": 1e9,
    "Terabytes": 1e12,
}
_OTEL_UNITS = {
    "Seconds": "s",
    "Milliseconds": "ms",
    "Microseconds": "us",
    "Bytes": "By",
    "Kilobytes": "kBy",
    "Megabytes": "MBy",
    "Gigabytes": "GBy",
    "Terabytes": "TBy",
    "Percent": "%",
    "Count": "{Count}",
    "None": "1",
}
_LEVELS = re.compile(r"Approximate|.*(?:ConcurrentExecutions|Concurrency|Utilization|Age)\Z")
"""Counts that say how much there is now, not how much has come."""

_LABELS = {
    "cloud.account.id": "account_id",
    "cloud.region": "region",
    "cumulet.surface": "surface",
    "rpc.service": "service",
    "rpc.method": "operation",
    "http.request.method": "method",
    "http.response.status_code": "code",
    "error.type": "error",
}
"""Attributes of OpenTelemetry that have a shorter name as labels of Prometheus."""

SECONDS_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
BYTES_BOUNDS = (256.0, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 16_777_216, 268_435_456)


@dataclass(frozen=True, slots=True)
class Family:
    """One metric, whatever its labels.

    `scale` makes a value of AWS's unit one of Prometheus's base unit; OpenTelemetry is told the
    value as AWS has it, so that its bounds are divided by it.
    """

    name: str
    kind: Kind
    about: str
    otel_name: str
    otel_unit: str
    unit: str = ""
    scale: float = 1.0
    bounds: tuple[float, ...] = ()


@lru_cache(maxsize=1_024)
def family_of(namespace: str, metric: str, unit: str) -> Family:
    """How a metric of AWS's is told."""
    name = f"{snake(namespace.replace('/', '_'))}_{snake(metric)}"
    about = f"{metric} of {namespace}, as CloudWatch has it."
    otel = (f"amazonaws.com/{namespace}/{metric}", _OTEL_UNITS.get(unit, "1"))
    if unit in _TIMES:
        bounds = tuple(bound / _TIMES[unit] for bound in SECONDS_BOUNDS)
        return Family(f"{name}_seconds", "histogram", about, *otel, "seconds", _TIMES[unit], bounds)
    if unit in _SIZES:
        bounds = tuple(bound / _SIZES[unit] for bound in BYTES_BOUNDS)
        return Family(f"{name}_bytes", "histogram", about, *otel, "bytes", _SIZES[unit], bounds)
    if unit == "Percent":
        return Family(f"{name}_ratio", "gauge", about, *otel, "ratio", 0.01)
    if "/" in unit:
        return Family(f"{name}_per_second", "gauge", about, *otel)
    if _LEVELS.match(metric):
        return Family(name, "gauge", about, *otel)
    return Family(name, "counter", about, *otel)


@lru_cache(maxsize=1_024)
def label_of(attribute: str) -> str:
    """The label of Prometheus that an attribute, or a dimension of AWS's, is told as."""
    if attribute in _LABELS:
        return _LABELS[attribute]
    label = snake(attribute)
    return label if label[:1].isalpha() else f"_{label}"


def snake(name: str) -> str:
    """`TableName` as `table_name`: letters, digits and underlines only."""
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    name = re.sub(r"([a-z])([A-Z])", r"\1_\2", name)
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
