"""Schedule expressions: `rate(…)`, `cron(…)` and `at(…)`, and when they come next. Pure.

Follows https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html and
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import calendar
import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

_RATE = re.compile(r"rate\((\d{1,9}) (minutes?|hours?|days?)\)\Z")
_CRON = re.compile(r"cron\(([^()]+)\)\Z")
_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)\Z")
_SECONDS = {"minute": 60, "hour": 3_600, "day": 86_400}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIRST_YEAR, _LAST_YEAR = 1970, 2199

Days = Callable[[int, int], set[int]]
"""The days of a month that are meant, by year and month."""


class InvalidExpression(ValueError):
    """The text is no schedule; the message says why."""


class Rate(NamedTuple):
    """Every so many seconds."""

    seconds: int


class At(NamedTuple):
    """Once, at a local time."""

    moment: datetime


class Cron(NamedTuple):
    """At minutes of hours of days."""

    minutes: list[int]
    hours: list[int]
    days: Days
    months: list[int]
    years: set[int]


Expression = Rate | At | Cron


def parse_expression(text: str, *, strict: bool = False) -> Expression:
    """The schedule in a text. Raises InvalidExpression.

    `strict` as rules are: they know no `at`, and want the singular after one.
    """
    if found := _RATE.match(text):
        return _parse_rate(int(found[1]), found[2], strict)
    if found := _CRON.match(text):
        return _parse_cron(found[1])
    if (found := _AT.match(text)) and not strict:
        try:
            return At(datetime.fromisoformat(found[1]))
        except ValueError as cause:
            raise InvalidExpression("not a time") from cause
    raise InvalidExpression("neither rate, cron nor at")


def _parse_rate(value: int, unit: str, strict: bool) -> Rate:
    if value < 1:
        raise InvalidExpression("a rate is positive")
    if strict and (value == 1) == unit.endswith("s"):
        raise InvalidExpression("one has the singular, more have the plural")
    return Rate(value * _SECONDS[unit.removesuffix("s")])


def _parse_cron(text: str) -> Cron:
    fields = text.upper().split()
    if len(fields) != 6:
        raise InvalidExpression("cron has six fields")
    minutes, hours, days, months, weekdays, years = fields
    if (days == "?") == (weekdays == "?"):
        raise InvalidExpression("one of day-of-month and day-of-week must be ?")
    return Cron(
        sorted(_values(minutes, 0, 59)),
        sorted(_values(hours, 0, 23)),
        _days_of_month(days) if weekdays == "?" else _days_of_week(weekdays),
        sorted(_values(months, 1, 12, _MONTHS)),
        _values(years, _FIRST_YEAR, _LAST_YEAR),
    )


def _number(text: str, least: int, most: int, names: tuple[str, ...]) -> int:
    if text in names:
        return names.index(text) + least
    if not text.isdigit() or len(text) > 4 or not least <= int(text) <= most:
        raise InvalidExpression(f"{text} is not between {least} and {most}")
    return int(text)


def _values(text: str, least: int, most: int, names: tuple[str, ...] = ()) -> set[int]:
    """Lists, ranges and steps."""
    found: set[int] = set()
    for item in text.split(","):
        span, slash, step = item.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            begin, end = least, most
        elif dash:
            begin, end = _number(first, least, most, names), _number(last, least, most, names)
        else:
            begin = _number(span, least, most, names)
            end = most if slash else begin
        if slash and (not step.isdigit() or not 0 < int(step) <= most):
            raise InvalidExpression(f"{item} has no step")
        if begin > end:
            # A range may go over the end, as in FRI-MON.
            found |= {*range(begin, most + 1), *range(least, end + 1)}
        else:
            found |= set(range(begin, end + 1, int(step) if slash else 1))
    return found


def _length(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _days_of_month(text: str) -> Days:
    if text == "L":
        return lambda year, month: {_length(year, month)}
    if text == "LW":
        return lambda year, month: {_near_weekday(year, month, _length(year, month))}
    if text.endswith("W"):
        day = _number(text[:-1], 1, 31, ())
        return lambda year, month: (
            {_near_weekday(year, month, day)} if day <= _length(year, month) else set()
        )
    wanted = _values(text, 1, 31)
    return lambda year, month: {day for day in wanted if day <= _length(year, month)}


def _near_weekday(year: int, month: int, day: int) -> int:
    """The weekday next to a day, within the month."""
    weekday = date(year, month, day).weekday()
    if weekday == calendar.SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == calendar.SUNDAY:
        return day + 1 if day < _length(year, month) else day - 2
    return day


def _days_of_week(text: str) -> Days:
    if "#" in text:
        name, _, count = text.partition("#")
        weekday, nth = _number(name, 1, 7, _DAYS), _number(count, 1, 5, ())
        return lambda year, month: set(_on(year, month, {weekday})[nth - 1 : nth])
    if text == "L":
        return lambda year, month: set(_on(year, month, {7}))
    if text.endswith("L") and text not in _DAYS:
        last = _number(text[:-1], 1, 7, _DAYS)
        return lambda year, month: {_on(year, month, {last})[-1]}
    wanted = _values(text, 1, 7, _DAYS)
    return lambda year, month: set(_on(year, month, wanted))


def _on(year: int, month: int, weekdays: set[int]) -> list[int]:
    """The days of a month that are such weekdays, where 1 is Sunday."""
    first = date(year, month, 1).isoweekday() % 7
    days = range(1, _length(year, month) + 1)
    return [day for day in days if (first + day - 1) % 7 + 1 in weekdays]


def next_time(
    expression: Expression, after: float, begin: float, zone: tzinfo = UTC
) -> float | None:
    """The first time of a schedule that is later than `after`, or None when there is none.

    A rate counts from `begin`. A local time that the clocks leave out does not come; one that
    comes twice counts once.
    """
    match expression:
        case Rate(seconds):
            passed = math.floor((after - begin) / seconds)
            return begin + max(0, passed + 1) * seconds
        case At(moment):
            at = _stamp(moment, zone)
            return at if at is not None and at > after else None
        case Cron():
            return _next_cron(expression, after, zone)


def _stamp(moment: datetime, zone: tzinfo) -> float | None:
    """When a local time is, or None when it is never."""
    at = moment.replace(tzinfo=zone).timestamp()
    return at if datetime.fromtimestamp(at, zone).replace(tzinfo=None) == moment else None


def _next_cron(cron: Cron, after: float, zone: tzinfo) -> float | None:
    now = datetime.fromtimestamp(after, zone).replace(tzinfo=None, second=0, microsecond=0)
    # An hour that comes twice lies behind the first of its times.
    now -= timedelta(hours=1)
    for year in range(max(now.year, _FIRST_YEAR), _LAST_YEAR + 1):
        if year not in cron.years:
            continue
        for month in cron.months:
            if (year, month) < (now.year, now.month):
                continue
            for day in sorted(cron.days(year, month)):
                if date(year, month, day) < now.date():
                    continue
                for hour in cron.hours:
                    for minute in cron.minutes:
                        at = _stamp(datetime(year, month, day, hour, minute), zone)
                        if at is not None and at > after:
                            return at
    return None
