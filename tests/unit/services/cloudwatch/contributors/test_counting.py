"""Counting contributors: exact while there are few, right about the greatest among many."""

from __future__ import annotations

from cumulet.services.cloudwatch.contributors.counting import Counting
from cumulet.services.cloudwatch.contributors.limits import (
    CONTRIBUTORS_COUNTED,
    CONTRIBUTORS_KEPT,
)
from cumulet.services.cloudwatch.contributors.reporting import merged, parts_of, top_of


def test_few_contributors_are_counted_exactly() -> None:
    counting = Counting()
    for keys, value in ((("a",), 2.0), (("b",), 5.0), (("a",), 1.0)):
        counting.add(keys, value)
    minute = counting.minute("r", 60)
    assert [(one.keys, one.sum, one.samples) for one in minute.contributors] == [
        (("b",), 5.0, 1.0),
        (("a",), 3.0, 2.0),
    ]
    assert (minute.samples, minute.sum, minute.minimum, minute.maximum) == (3.0, 8.0, 1.0, 5.0)
    assert minute.others == 0


def test_the_greatest_stay_however_many_come_and_go() -> None:
    counting = Counting()
    for number in range(CONTRIBUTORS_COUNTED * 5):
        counting.add((f"seldom-{number}",), 1.0)
        counting.add((f"often-{number % 10}",), 1.0)
        assert len(counting._by_keys) <= CONTRIBUTORS_COUNTED
    minute = counting.minute("r", 60)
    assert len(minute.contributors) == CONTRIBUTORS_KEPT
    greatest = minute.contributors[:10]
    assert {one.keys for one in greatest} == {(f"often-{number}",) for number in range(10)}
    assert {one.sum for one in greatest} == {CONTRIBUTORS_COUNTED / 2}
    assert minute.sum == CONTRIBUTORS_COUNTED * 10
    assert minute.others + CONTRIBUTORS_KEPT == CONTRIBUTORS_COUNTED * 5 + 10


def test_what_was_counted_before_a_restart_is_taken_in() -> None:
    before, after = Counting(), Counting()
    before.add(("a",), 2.0)
    after.add(("a",), 3.0)
    after.add(("b",), 1.0)
    after.take_in(before.minute("r", 60))
    minute = after.minute("r", 60)
    assert [(one.keys, one.sum) for one in minute.contributors] == [(("a",), 5.0), (("b",), 1.0)]
    assert (minute.samples, minute.sum, minute.minimum) == (3.0, 6.0, 1.0)


def test_periods_put_minutes_together() -> None:
    minutes = []
    for start, contributions in ((0, "aab"), (60, "abbb"), (300, "c")):
        counting = Counting()
        for key in contributions:
            counting.add((key,), 1.0)
        minutes.append(counting.minute("r", start))
    parts = parts_of(minutes, 0, 300)
    assert list(parts) == [0, 300]
    assert (parts[0].sum, parts[0].contributors) == (7.0, 2.0)
    by_sum = top_of(parts, "Sum", 2)
    assert [(one.keys, one.value) for one in by_sum] == [(("b",), 4.0), (("a",), 3.0)]
    per_minute = parts_of(minutes, 0, 60)
    assert top_of(per_minute, "Maximum", 1)[0].value == 3.0
    assert merged(minutes).sum == 8.0
