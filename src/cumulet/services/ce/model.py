"""What Cost Explorer keeps, and the days and months that it counts by (UTC)."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta

import msgspec

from cumulet.core.usage import Dimension

_HOUR = 3600.0


class Amount(msgspec.Struct, frozen=True):
    """What one resource used of one dimension on one day (ISO)."""

    day: str
    region: str
    resource: str
    service: str
    usage_type: str
    operation: str
    unit: str
    amount: float

    @property
    def dimension(self) -> Dimension:
        """Of what."""
        return Dimension(self.service, self.usage_type, self.operation, self.unit)


class Member(msgspec.Struct, frozen=True):
    """One who was seen in a month (`2026-11`), so that nobody is counted twice."""

    month: str
    resource: str
    usage_type: str
    member: str


class Reading(msgspec.Struct, frozen=True):
    """When it was last asked what resources hold, in epoch seconds."""

    name: str
    at: float


def day_at(seconds: float) -> str:
    """The day of a time, as `2026-11-22`."""
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def hours_of_month(day: str) -> int:
    """How many hours the month of that day has."""
    there = date.fromisoformat(day)
    return calendar.monthrange(there.year, there.month)[1] * 24


def month_start(day: str) -> str:
    """The first day of its month."""
    return f"{day[:7]}-01"


def next_month(day: str) -> str:
    """The first day of the month after."""
    there = date.fromisoformat(month_start(day))
    return (there + timedelta(days=32)).replace(day=1).isoformat()


def next_day(day: str) -> str:
    """The day after."""
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()


def months_before(day: str, count: int) -> str:
    """The first day of the month that many months earlier."""
    there = date.fromisoformat(day)
    months = there.year * 12 + there.month - 1 - count
    return date(months // 12, months % 12 + 1, 1).isoformat()


def hours_by_day(begin: float, end: float) -> list[tuple[str, float]]:
    """How many hours of a span belong to which day."""
    parts = []
    at = begin
    while at < end:
        day = datetime.fromtimestamp(at, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        stop = min(end, (day + timedelta(days=1)).timestamp())
        parts.append((day.date().isoformat(), (stop - at) / _HOUR))
        at = stop
    return parts
