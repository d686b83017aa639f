"""What the body of a dashboard must be, and what is only worth a warning. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

WIDGETS_MAX = 500
METRICS_MAX = 500
BODY_BYTES_MAX = 1_048_576 - 1_024
_TYPES = ("metric", "text", "log", "alarm", "explorer", "custom")
_TOP = {"start", "end", "widgets", "periodOverride", "variables"}
_PLACES = {"x": (0, 23), "y": (0, None), "width": (1, 24), "height": (1, 1_000)}
_VIEWS = ("timeSeries", "singleValue", "gauge", "bar", "pie", "table")


class Message(NamedTuple):
    """Something wrong: where, and what. An error keeps the dashboard from being kept."""

    path: str
    text: str
    is_error: bool = True


def check_body(text: str) -> list[Message]:
    """Everything that is wrong with a body, errors and warnings."""
    if len(text.encode()) > BODY_BYTES_MAX:
        return [Message("", "The dashboard body is too large")]
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return [Message("", "The field DashboardBody must be a valid JSON object")]
    if not isinstance(body, dict):
        return [Message("", "The field DashboardBody must be a valid JSON object")]
    return list(_of_body(body))


def _of_body(body: dict[str, Any]) -> Iterator[Message]:
    for key in body:
        if key not in _TOP:
            yield Message(f"/{key}", f"Should NOT have additional property '{key}'", False)
    if body.get("periodOverride", "auto") not in ("auto", "inherit"):
        yield Message("/periodOverride", "Should be equal to one of the allowed values")
    widgets = body.get("widgets")
    if widgets is None:
        yield Message("", "Should have required property 'widgets'")
        return
    if not isinstance(widgets, list):
        yield Message("/widgets", "Should be array")
        return
    if len(widgets) > WIDGETS_MAX:
        yield Message("/widgets", f"Should NOT have more than {WIDGETS_MAX} items")
        return
    for number, widget in enumerate(widgets):
        yield from _of_widget(widget, f"/widgets/{number}")


def _of_widget(widget: Any, path: str) -> Iterator[Message]:
    if not isinstance(widget, dict):
        yield Message(path, "Should be object")
        return
    kind, properties = widget.get("type"), widget.get("properties")
    if kind is None:
        yield Message(path, "Should have required property 'type'")
    elif kind not in _TYPES:
        yield Message(f"{path}/type", "Should be equal to one of the allowed values")
    for key, (least, most) in _PLACES.items():
        value = widget.get(key)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int):
            yield Message(f"{path}/{key}", "Should be integer")
        elif value < least:
            yield Message(f"{path}/{key}", f"Should be >= {least}")
        elif most is not None and value > most:
            yield Message(f"{path}/{key}", f"Should be <= {most}")
    if properties is None:
        yield Message(path, "Should have required property 'properties'")
    elif not isinstance(properties, dict):
        yield Message(f"{path}/properties", "Should be object")
    else:
        yield from _of_properties(kind, properties, f"{path}/properties")


_NEEDED = {"text": ("markdown",), "log": ("query",), "alarm": ("alarms",), "custom": ("endpoint",)}


def _of_properties(kind: Any, properties: dict[str, Any], path: str) -> Iterator[Message]:
    for name in _NEEDED.get(kind, ()):
        if name not in properties:
            yield Message(path, f"Should have required property '{name}'")
    if kind in ("metric", "log") and "region" not in properties:
        yield Message(path, "Should have required property 'region'", False)
    if kind != "metric":
        return
    if "metrics" not in properties and "annotations" not in properties:
        yield Message(path, "Should have required property 'metrics'")
    if properties.get("view", "timeSeries") not in _VIEWS:
        yield Message(f"{path}/view", "Should be equal to one of the allowed values")
    metrics = properties.get("metrics", [])
    if not isinstance(metrics, list):
        yield Message(f"{path}/metrics", "Should be array")
    elif len(metrics) > METRICS_MAX:
        yield Message(f"{path}/metrics", f"Should NOT have more than {METRICS_MAX} items")
    else:
        for number, metric in enumerate(metrics):
            yield from _of_metric(metric, f"{path}/metrics/{number}")


def _of_metric(metric: Any, path: str) -> Iterator[Message]:
    if not isinstance(metric, list) or not metric:
        yield Message(path, "Should be a non-empty array")
        return
    names = metric[:-1] if isinstance(metric[-1], dict) else metric
    if not names:
        if "expression" not in metric[-1]:
            yield Message(path, "Should have an expression, or a namespace and a metric name")
        return
    if any(not isinstance(one, str) for one in names):
        yield Message(path, "Should have strings, and options in the last place")
    elif len(names) % 2:
        yield Message(path, "Should have a value for every dimension", len(names) == 1)
