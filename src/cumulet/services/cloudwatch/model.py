"""Log groups, streams and events as records."""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.identity import Scope
from cumulet.services.cloudwatch.limits import EVENT_OVERHEAD_BYTES


class Group(msgspec.Struct, frozen=True):
    """A log group. `uid` is new each time a name is used again, so that old events stay apart."""

    name: str
    uid: str
    created_ms: int
    retention_days: int = 0
    tags: dict[str, str] = msgspec.field(default_factory=dict)
    log_class: str = "STANDARD"
    is_protected: bool = False


class Stream(msgspec.Struct, frozen=True):
    """A log stream of the group `group_uid`; times in epoch milliseconds, 0 before any event."""

    group_uid: str
    name: str
    uid: str
    created_ms: int
    first_ms: int = 0
    last_ms: int = 0
    ingested_ms: int = 0


class Event(msgspec.Struct, frozen=True):
    """One log event. `sequence` tells events of one millisecond apart, in their order.

    Events are stored in blocks (see `blocks.py`); earlier releases stored each by itself.
    """

    group_uid: str
    timestamp_ms: int
    sequence: int
    stream_uid: str
    stream: str
    message: str
    ingested_ms: int

    @property
    def size_bytes(self) -> int:
        """What CloudWatch counts for the event: its text in UTF-8 and 26 bytes."""
        message = self.message
        return EVENT_OVERHEAD_BYTES + (len(message) if message.isascii() else len(message.encode()))

    @property
    def event_id(self) -> str:
        """The id that FilterLogEvents shows: decimal, growing with time as AWS's ids do."""
        return f"{self.timestamp_ms}{self.sequence:042d}"


class MetricFilter(msgspec.Struct, frozen=True):
    """Makes measurements of a group's events; `transformation` is as PutMetricFilter gave it."""

    group_uid: str
    name: str
    group: str
    pattern: str
    transformation: dict[str, Any]
    created_ms: int


class SubscriptionFilter(msgspec.Struct, frozen=True):
    """Sends a group's events to a function, whose ARN is `destination`."""

    group_uid: str
    name: str
    group: str
    pattern: str
    destination: str
    created_ms: int


class QueryDefinition(msgspec.Struct, frozen=True):
    """A query that is kept under a name."""

    id: str
    name: str
    query: str
    groups: tuple[str, ...]
    modified_ms: int


def group_arn(scope: Scope, name: str) -> str:
    """The ARN with the `:*` that IAM policies on log streams use."""
    return f"{scope.arn('logs', f'log-group:{name}')}:*"


def stream_arn(scope: Scope, group: str, stream: str) -> str:
    """The ARN of a log stream."""
    return scope.arn("logs", f"log-group:{group}:log-stream:{stream}")
