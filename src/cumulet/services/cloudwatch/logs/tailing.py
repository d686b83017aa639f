"""Live tails: who looks at groups just now, and what has arrived there since the last second.

Follows https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatchLogs_LiveTail.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cumulet.core.identity import Scope
from cumulet.services.cloudwatch.errors import LimitExceededException
from cumulet.services.cloudwatch.limits import TAIL_EVENTS_MAX, TAILS_MAX
from cumulet.services.cloudwatch.logs.blocks import Line
from cumulet.services.cloudwatch.model import group_arn

IsWanted = Callable[[str, str], bool]
"""Whether an event is, by the name of its stream and its text."""


class Tail:
    """One who looks on. What comes faster than AWS shows is left out, which is told."""

    def __init__(self, scope: Scope, groups: Sequence[str], is_wanted: IsWanted) -> None:
        self.places = [(scope, name) for name in dict.fromkeys(groups)]
        self._is_wanted = is_wanted
        self._events: list[dict[str, Any]] = []
        self._sampled = False

    def add(self, arn: str, stream: str, lines: Sequence[Line], now_ms: int) -> None:
        """Take in what has arrived."""
        for timestamp_ms, _, message in lines:
            if not self._is_wanted(stream, message):
                continue
            if len(self._events) >= TAIL_EVENTS_MAX:
                self._sampled = True
                return
            self._events.append(
                {
                    "logStreamName": stream,
                    "logGroupIdentifier": arn,
                    "message": message,
                    "timestamp": timestamp_ms,
                    "ingestionTime": now_ms,
                }
            )

    def take(self) -> dict[str, Any]:
        """What has arrived since the last time."""
        events, sampled = self._events, self._sampled
        self._events, self._sampled = [], False
        return {"sessionMetadata": {"sampled": sampled}, "sessionResults": events}


class Tails:
    """Everybody who looks on."""

    def __init__(self) -> None:
        self._by_group: dict[tuple[Scope, str], list[Tail]] = {}
        self._count = 0

    def open(self, tail: Tail) -> None:
        """Begin to look on. Raises LimitExceededException when too many do."""
        if self._count >= TAILS_MAX:
            raise LimitExceededException("The maximum number of Live Tail sessions is reached.")
        self._count += 1
        for place in tail.places:
            self._by_group.setdefault(place, []).append(tail)

    def close(self, tail: Tail) -> None:
        """Look on no longer."""
        self._count -= 1
        for place in tail.places:
            there = self._by_group[place]
            there.remove(tail)
            if not there:
                del self._by_group[place]

    def tell(
        self, scope: Scope, group: str, stream: str, lines: Sequence[Line], now_ms: int
    ) -> None:
        """Events are in the store: those who look on there hear of them."""
        for tail in self._by_group.get((scope, group), ()):
            arn = group_arn(scope, group).removesuffix(":*")
            tail.add(arn, stream, lines, now_ms)
