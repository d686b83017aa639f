"""The periods of quotas: on which day the one of a given day began. Pure; days are in UTC.

https://docs.aws.amazon.com/apigateway/latest/api/API_QuotaSettings.html
"""

from __future__ import annotations

from datetime import date, timedelta

from cumulet.services.apigateway.admission.model import Quota

SECONDS_OF_DAY = 86_400
_EPOCH = date(1970, 1, 1)
_LAST_DAYS = {"DAY": 0, "WEEK": 6, "MONTH": 27}
"""By period, the last day on which it may begin, counted from 0."""


def day_of(epoch_seconds: float) -> date:
    """The day of a time."""
    return _EPOCH + timedelta(days=int(epoch_seconds // SECONDS_OF_DAY))


def offset_max(period: str) -> int:
    """The largest offset that a quota of this period may have."""
    return _LAST_DAYS[period]


def begin_of(quota: Quota, day: date) -> date:
    """The first day of the period that a day is in.

    A week begins on Monday and a month on its first day, or as many days later as the offset says.
    """
    if quota.period == "WEEK":
        return day - timedelta(days=(day.weekday() - quota.offset) % 7)
    if quota.period == "MONTH":
        first = day.replace(day=1)
        if day.day > quota.offset:
            return first + timedelta(days=quota.offset)
        before = first - timedelta(days=1)
        return before.replace(day=1) + timedelta(days=quota.offset)
    return day
