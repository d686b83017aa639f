"""When a schedule comes: its expression in its time zone, between its start and its end. Pure."""

from __future__ import annotations

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cumulet.services.events.expressions import At, next_time, parse_expression
from cumulet.services.events.model import Schedule

_LITTLE = 1e-3


def zone_of(name: str) -> tzinfo:
    """A time zone by its name. Raises ValueError."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError) as cause:
        raise ValueError(f"{name} is no time zone") from cause


def following(schedule: Schedule, after: float) -> float | None:
    """The schedule's first time later than `after`; None when there is none, or it is disabled.

    A rate comes first at the start date, or when the schedule was made.
    """
    if schedule.state != "ENABLED":
        return None
    expression = parse_expression(schedule.expression)
    begin = schedule.start if schedule.start is not None else schedule.created_at
    is_once = isinstance(expression, At)
    if not is_once and schedule.start is not None:
        after = max(after, schedule.start - _LITTLE)
    at = next_time(expression, after, begin, zone_of(schedule.zone))
    # The dates do not bind a schedule that comes once.
    if at is None or (not is_once and schedule.end is not None and at > schedule.end):
        return None
    return at


def first(schedule: Schedule) -> float | None:
    """The first time of a schedule that was just made or changed."""
    return following(schedule, schedule.modified_at - _LITTLE)
