"""The rows that a query works on: events with the fields found in them, or groups of them. Pure."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any, Protocol, TypeAlias

from cumulet.services.cloudwatch.model import Event

Value: TypeAlias = str | float | bool | None

_REQUEST = re.compile(r"(START|END|REPORT) RequestId: ([0-9a-f-]{36})")
_FIGURES = {
    "@duration": re.compile(r"(?<!Billed )(?<!Init )Duration: ([\d.]+) ms"),
    "@billedDuration": re.compile(r"Billed Duration: ([\d.]+) ms"),
    "@initDuration": re.compile(r"Init Duration: ([\d.]+) ms"),
    "@memorySize": re.compile(r"Memory Size: (\d+) MB"),
    "@maxMemoryUsed": re.compile(r"Max Memory Used: (\d+) MB"),
}
_FIELDS_MAX = 200
"""Fields found in one event of JSON."""
_DEPTH_MAX = 20


class Row(Protocol):
    """Fields by name."""

    def get(self, name: str) -> Value:
        """The value of a field; None when there is none."""
        ...

    def set(self, name: str, value: Value) -> None:
        """Give a field a value."""
        ...


class EventRow:
    """An event. Its text is looked into only when a field asks for it."""

    __slots__ = ("_document", "_made", "event", "log")

    def __init__(self, event: Event, log: str) -> None:
        self.event = event
        self.log = log
        self._made: dict[str, Value] | None = None
        self._document: dict[str, Value] | None = None

    def get(self, name: str) -> Value:
        """The value of a field."""
        if self._made is not None and name in self._made:
            return self._made[name]
        if not name.startswith("@"):
            if self._document is None:
                self._document = fields_of(self.event.message)
            return self._document.get(name)
        event = self.event
        match name:
            case "@message":
                return event.message
            case "@timestamp":
                return float(event.timestamp_ms)
            case "@ingestionTime":
                return float(event.ingested_ms)
            case "@logStream":
                return event.stream
            case "@log":
                return self.log
            case "@ptr":
                return f"{self.log}/{event.event_id}"
        return _of_function(name, event.message)

    def set(self, name: str, value: Value) -> None:
        """Give a field a value."""
        if self._made is None:
            self._made = {}
        self._made[name] = value


def _of_function(name: str, message: str) -> Value:
    """What Insights finds in the lines that Lambda itself writes."""
    found = _REQUEST.match(message)
    if found is None:
        return None
    if name == "@type":
        return found[1]
    if name == "@requestId":
        return found[2]
    figure = _FIGURES.get(name)
    if figure is None or found[1] != "REPORT" or (number := figure.search(message)) is None:
        return None
    return float(number[1]) * (1_000_000 if name.lower().find("memory") >= 0 else 1)


def fields_of(message: str) -> dict[str, Value]:
    """The fields of a text that is JSON, by their paths with dots."""
    begin = message.find("{")
    if begin != 0 and not message[:begin].isspace():
        return {}
    try:
        document = json.loads(message)
    except (ValueError, RecursionError):
        return {}
    found: dict[str, Value] = {}
    _flatten("", document, found, 0)
    return found


def _flatten(prefix: str, value: Any, found: dict[str, Value], depth: int) -> None:
    if len(found) >= _FIELDS_MAX or depth > _DEPTH_MAX:
        return
    if isinstance(value, dict):
        for key, one in value.items():
            _flatten(f"{prefix}.{key}" if prefix else str(key), one, found, depth + 1)
    elif isinstance(value, list):
        for index, one in enumerate(value):
            _flatten(f"{prefix}.{index}", one, found, depth + 1)
    elif isinstance(value, bool):
        found[prefix] = "1" if value else "0"
    elif isinstance(value, int | float):
        found[prefix] = float(value)
    elif value is not None:
        found[prefix] = value


class GroupRow:
    """What `stats` made of several rows."""

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, Value]) -> None:
        self._values = values

    def get(self, name: str) -> Value:
        """The value of a field."""
        return self._values.get(name)

    def set(self, name: str, value: Value) -> None:
        """Give a field a value."""
        self._values[name] = value


_TIMES = frozenset(("@timestamp", "@ingestionTime"))


def shown(name: str, value: Value, *, is_time: bool = False) -> str | None:
    """A value as an answer has it; times are in UTC."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str):
        return value
    if is_time or name in _TIMES:
        at = datetime.fromtimestamp(value / 1_000, UTC)
        return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1_000:03d}"
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.4f}".rstrip("0").rstrip(".") if abs(value) < 1e15 else repr(value)


def number_of(value: Value) -> float | None:
    """The number that a value is, or that its text says."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, float | int):
        return float(value)
    if not value or value[0] not in "0123456789.-+":
        return None
    try:
        return float(value)
    except ValueError:
        return None
