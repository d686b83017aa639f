"""What a token bucket lets through."""

from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.services.apigateway.admission.buckets import Buckets, Rate

_GAPS = st.lists(st.floats(0, 3, allow_nan=False), max_size=60)


@settings(max_examples=60, deadline=None)
@given(_GAPS, st.floats(0, 50), st.integers(0, 20))
def test_no_span_of_time_lets_more_through_than_burst_and_rate(
    gaps: list[float], rate: float, burst: int
) -> None:
    buckets = Buckets()
    now, passed = 100.0, []
    for gap in gaps:
        now += gap
        if buckets.take("key", rate, burst, now):
            passed.append(now)
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            allowed = burst + rate * (passed[last] - passed[first])
            assert last - first + 1 <= allowed + 1e-6


@settings(max_examples=60, deadline=None)
@given(_GAPS, st.floats(0.1, 50), st.integers(1, 20))
def test_a_request_is_refused_only_when_the_bucket_is_empty(
    gaps: list[float], rate: float, burst: int
) -> None:
    buckets = Buckets()
    now, counted, tokens = 100.0, 100.0, float(burst)
    for gap in gaps:
        now += gap
        tokens = min(burst, tokens + (now - counted) * rate)
        counted = now
        taken = buckets.take("key", rate, burst, now)
        if abs(tokens - 1) > 1e-6:
            assert taken == (tokens >= 1)
        tokens -= taken


def test_a_steady_overload_is_let_through_at_the_rate() -> None:
    buckets = Buckets()
    passed = sum(buckets.take("key", 100, 200, 50 + tick / 1_000) for tick in range(60_000))
    assert abs(passed - (200 + 100 * 60)) <= 0.02 * 6_200


def test_requests_paced_at_the_rate_all_pass() -> None:
    buckets = Buckets()
    assert all(buckets.take("key", 10, 1, 1e9 + tick * 0.1 + 1e-6 * tick) for tick in range(500))


def test_a_rate_of_zero_refuses_when_the_burst_is_spent() -> None:
    buckets = Buckets()
    assert buckets.take("key", 0, 1, 0.0)
    assert not buckets.take("key", 0, 1, 1e6)
    assert not buckets.take("other", 1_000, 0, 0.0)


def test_time_that_goes_back_gives_no_tokens() -> None:
    buckets = Buckets()
    assert buckets.take("key", 1, 1, 10.0)
    assert not buckets.take("key", 1, 1, 9.0)
    assert not buckets.take("key", 1, 1, 10.5)
    assert buckets.take("key", 1, 1, 11.0)


def test_a_smaller_burst_holds_at_once() -> None:
    buckets = Buckets()
    assert buckets.take("key", 0, 10, 0.0)
    assert [buckets.take("key", 0, 2, 0.0) for _ in range(3)] == [True, True, False]


def test_what_one_bucket_refuses_costs_nothing_at_the_others() -> None:
    buckets = Buckets()
    rates = [Rate("wide", 0, 5), Rate("narrow", 0, 1)]
    assert buckets.take_all(rates, 0.0) is None
    assert [buckets.take_all(rates, 0.0) for _ in range(9)] == [1] * 9
    assert [buckets.take("wide", 0, 5, 0.0) for _ in range(5)] == [True] * 4 + [False]


def test_the_number_of_buckets_is_bounded_and_the_oldest_goes() -> None:
    buckets = Buckets(buckets_max=2)
    assert buckets.take("a", 0, 1, 0.0)
    assert buckets.take("b", 0, 1, 0.0)
    assert not buckets.take("a", 0, 1, 0.0)
    assert buckets.take("c", 0, 1, 0.0)
    assert len(buckets) == 2
    assert not buckets.take("a", 0, 1, 0.0)
