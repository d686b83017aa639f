"""When the periods of quotas begin."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulet.services.apigateway.admission.model import Quota
from cumulet.services.apigateway.admission.usage.periods import begin_of, day_of, offset_max


@pytest.mark.parametrize(
    ("period", "offset", "day", "begin"),
    [
        ("DAY", 0, "2026-11-21", "2026-11-21"),
        ("WEEK", 0, "2026-11-21", "2026-11-16"),
        ("WEEK", 5, "2026-11-21", "2026-11-21"),
        ("WEEK", 6, "2026-11-21", "2026-11-15"),
        ("MONTH", 0, "2026-11-01", "2026-11-01"),
        ("MONTH", 0, "2026-11-30", "2026-11-01"),
        ("MONTH", 20, "2026-11-20", "2026-10-21"),
        ("MONTH", 20, "2026-11-21", "2026-11-21"),
        ("MONTH", 27, "2027-01-01", "2026-12-28"),
    ],
)
def test_a_period_begins(period: str, offset: int, day: str, begin: str) -> None:
    quota = Quota(limit=1, offset=offset, period=period)
    assert begin_of(quota, date.fromisoformat(day)) == date.fromisoformat(begin)


@given(
    st.sampled_from(["DAY", "WEEK", "MONTH"]),
    st.integers(0, 27),
    st.dates(date(2000, 1, 1), date(2100, 1, 1)),
)
def test_periods_follow_one_another(period: str, offset: int, day: date) -> None:
    quota = Quota(limit=1, offset=min(offset, offset_max(period)), period=period)
    begin = begin_of(quota, day)
    assert begin <= day
    assert begin_of(quota, begin) == begin
    assert begin_of(quota, begin - timedelta(days=1)) < begin
    assert begin_of(quota, day + timedelta(days=1)) in (begin, day + timedelta(days=1))


def test_days_are_of_utc() -> None:
    assert day_of(0) == date(1970, 1, 1)
    assert day_of(1_700_000_000) == date(2023, 11, 14)
