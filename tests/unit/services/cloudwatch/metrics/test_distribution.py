"""Statistics of distributions, against the plain definitions."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.services.cloudwatch.metrics.distribution import (
    merge,
    parse_statistic,
    percentile,
    summarize,
)

VALUES = st.lists(st.floats(-1e9, 1e9, allow_nan=False), min_size=1, max_size=60)


def told(name: str, values: list[float]) -> float | None:
    statistic = parse_statistic(name)
    assert statistic is not None, name
    return statistic(summarize(values))


@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_a_percentile_lies_between_its_neighbours(values: list[float]) -> None:
    ordered = sorted(values)
    assert told("p0", values) == ordered[0]
    assert told("p100", values) == ordered[-1]
    assert told("p50", values) == pytest.approx(statistics.median(values), rel=1e-9, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(VALUES, VALUES)
def test_merging_is_as_if_measured_together(one: list[float], other: list[float]) -> None:
    merged = merge((summarize(one), summarize(other)))
    together = summarize(one + other)
    assert merged.samples == together.samples
    assert merged.pairs == together.pairs
    assert merged.sum == pytest.approx(together.sum, abs=1e-3)
    assert (merged.minimum, merged.maximum) == (together.minimum, together.maximum)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0.001, 1e6), min_size=200, max_size=2_000))
def test_many_values_keep_percentiles_within_one_per_cent(values: list[float]) -> None:
    summary = summarize(values)
    ordered = sorted(values)
    for share in (0.1, 0.5, 0.9, 0.99):
        place = share * (len(ordered) - 1)
        low, high = ordered[int(place)], ordered[min(int(place) + 1, len(ordered) - 1)]
        found = percentile(summary, share)
        assert found is not None
        assert low * 0.989 <= found <= high * 1.011


@pytest.mark.parametrize(
    ("name", "figure"),
    [
        ("SampleCount", 10.0),
        ("Sum", 55.0),
        ("Average", 5.5),
        ("tm90", 5.0),
        ("tc90", 9.0),
        ("ts90", 45.0),
        ("wm90", 5.4),
        ("TM(10%:90%)", 5.5),
        ("TC(2:5)", 3.0),
        ("TS(:3)", 6.0),
        ("PR(:3)", 30.0),
        ("PR(8:)", 20.0),
        ("IQM", 5.5),
    ],
)
def test_aws_s_other_statistics(name: str, figure: float) -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html"""
    assert told(name, [float(number) for number in range(1, 11)]) == pytest.approx(figure)


@pytest.mark.parametrize("name", ["", "p", "p101", "median", "TM(a:b)", "PR(10%:90%)", "tm(1:2)"])
def test_what_is_no_statistic_is_known(name: str) -> None:
    assert parse_statistic(name) is None


def test_bare_sums_have_no_percentiles() -> None:
    bare = summarize([1.0, 5.0])._replace(pairs=())
    assert percentile(bare, 0.5) is None
    assert percentile(summarize([4.0])._replace(pairs=()), 0.5) == 4.0
