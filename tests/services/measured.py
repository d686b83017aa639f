"""What CloudWatch was told, asked for until it is there."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

WAIT_SECONDS = 60
Dimensions = tuple[tuple[str, str], ...]
Wanted = tuple[str, str, Dimensions]
"""A metric's name, a statistic (`Sum`, `SampleCount`, `Maximum`), and dimensions."""


def figure(watch: Any, namespace: str, wanted: Wanted) -> float | None:
    """The figure over the last hours, over the boundaries of minutes and hours; None without."""
    metric, statistic, dimensions = wanted
    points = watch.get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions],
        StartTime=datetime.now(UTC) - timedelta(hours=2),
        EndTime=datetime.now(UTC) + timedelta(minutes=5),
        Period=3600,
        Statistics=[statistic],
    )["Datapoints"]
    if not points:
        return None
    gather = max if statistic == "Maximum" else sum
    return float(gather(point[statistic] for point in points))


def await_figures(cloud: Any, namespace: str, wanted: Mapping[Wanted, float]) -> None:
    """Wait until CloudWatch says all of this."""
    watch = cloud.client("cloudwatch")
    until = time.monotonic() + WAIT_SECONDS
    found: dict[Wanted, float | None] = {}
    while time.monotonic() < until:
        found = {one: figure(watch, namespace, one) for one in wanted}
        if found == wanted:
            return
    off = {one: told for one, told in found.items() if told != wanted[one]}
    pytest.fail(f"after {WAIT_SECONDS} seconds CloudWatch says {off}")
