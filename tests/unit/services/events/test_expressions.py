"""Schedule expressions, against examples and against going through the minutes one by one.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.services.events.expressions import (
    Cron,
    InvalidExpression,
    next_time,
    parse_expression,
)


def after(text: str, moment: str, zone: str = "UTC") -> str | None:
    begin = datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()
    found = next_time(parse_expression(text), begin, begin, ZoneInfo(zone))
    return None if found is None else f"{datetime.fromtimestamp(found, UTC):%Y-%m-%dT%H:%M:%S}"


@pytest.mark.parametrize(
    ("text", "moment", "wanted"),
    [
        ("rate(5 minutes)", "2026-01-01T00:00:30", "2026-01-01T00:05:30"),
        ("cron(0 10 * * ? *)", "2026-01-01T10:00:00", "2026-01-02T10:00:00"),
        ("cron(15 12 * * ? *)", "2026-01-01T00:00:00", "2026-01-01T12:15:00"),
        ("cron(0 18 ? * MON-FRI *)", "2026-01-02T18:00:00", "2026-01-05T18:00:00"),
        ("cron(0 8 1 * ? *)", "2026-01-01T08:00:00", "2026-02-01T08:00:00"),
        ("cron(0/10 * ? * MON-FRI *)", "2026-01-05T00:05:00", "2026-01-05T00:10:00"),
        # The third Tuesday: 1 is Sunday, so 3 is Tuesday.
        ("cron(0 0 ? * 3#3 *)", "2026-01-01T00:00:00", "2026-01-20T00:00:00"),
        ("cron(0 0 ? * 6L *)", "2026-01-01T00:00:00", "2026-01-30T00:00:00"),
        ("cron(0 0 L * ? *)", "2026-02-01T00:00:00", "2026-02-28T00:00:00"),
        ("cron(0 0 LW * ? *)", "2026-02-01T00:00:00", "2026-02-27T00:00:00"),
        # 15 February 2026 is a Sunday; the weekday next to it is Monday the 16th.
        ("cron(0 0 15W * ? *)", "2026-02-01T00:00:00", "2026-02-16T00:00:00"),
        ("cron(0 0 1W * ? *)", "2026-02-01T00:00:00", "2026-02-02T00:00:00"),
        ("cron(0 0 29 2 ? *)", "2026-01-01T00:00:00", "2028-02-29T00:00:00"),
        ("cron(0 0 30 2 ? *)", "2026-01-01T00:00:00", None),
        ("cron(0 0 ? * FRI-MON *)", "2026-01-06T00:00:00", "2026-01-09T00:00:00"),
        ("cron(0 0 1 1 ? 2025)", "2026-01-01T00:00:00", None),
    ],
)
def test_examples(text: str, moment: str, wanted: str | None) -> None:
    assert after(text, moment) == wanted


def test_a_time_that_comes_twice_counts_once() -> None:
    """On 25 October 2026 clocks in Berlin go from 3 back to 2."""
    text = "cron(30 2 * * ? *)"
    assert after(text, "2026-10-25T00:00:00", "Europe/Berlin") == "2026-10-25T00:30:00"
    assert after(text, "2026-10-25T00:30:00", "Europe/Berlin") == "2026-10-26T01:30:00"


@pytest.mark.parametrize(
    "text",
    [
        *("", "rate(0 minutes)", "rate(1 second)", "rate(-1 days)", "at(tomorrow)"),
        *("cron(* * * * * *)", "cron(* * ? * ? *)", "cron(60 * * * ? *)", "cron(* * 32 * ? *)"),
        *("cron(* * ? * 8 *)", "cron(* * ? * MON#6 *)", "cron(* * * 13 ? *)", "cron(* * * *)"),
        *("at(2026-13-01T00:00:00)", "cron(a * * * ? *)", "cron(*/0 * * * ? *)"),
    ],
)
def test_what_is_no_schedule(text: str) -> None:
    with pytest.raises(InvalidExpression):
        parse_expression(text)


FIELD = st.sampled_from(["*", "0", "7", "5,23", "10-20", "0/15", "3-22/4"])


@settings(max_examples=40, deadline=None)
@given(FIELD, FIELD, st.integers(0, 7 * 24 * 60))
def test_it_is_the_first_minute_that_matches(minute: str, hour: str, offset: int) -> None:
    hour = {"5,23": "5,23", "0/15": "0/5"}.get(hour, hour)
    cron = parse_expression(f"cron({minute} {hour} * * ? *)")
    assert isinstance(cron, Cron)
    begin = datetime(2026, 5, 1, tzinfo=UTC) + timedelta(minutes=offset)
    at = begin + timedelta(minutes=1)
    while at.minute not in cron.minutes or at.hour not in cron.hours:
        at += timedelta(minutes=1)
    assert next_time(cron, begin.timestamp(), 0.0) == at.timestamp()
