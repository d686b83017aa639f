"""Prices have dates and sources; tiers, free tiers and shares add up; the pages' totals hold."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from cumulet.core import usage
from cumulet.core.usage import Used, blocks
from cumulet.services.ce.examples import EXAMPLES, cost_example, total_of
from cumulet.services.ce.model import Amount, hours_by_day, hours_of_month, months_before
from cumulet.services.ce.pricing import (
    cost_between,
    cost_of,
    find_price,
    price_table,
    say_span,
    span_of,
    usage_type_in,
)
from cumulet.services.ce.reckoning import Reckoner, cost_of_request

PAGE = Path(__file__).parents[4] / "docs" / "concepts" / "costs.md"
PRICES = [(region, price) for region, table in price_table().items() for price in table.values()]
DIMENSIONS = [value for value in vars(usage).values() if isinstance(value, usage.Dimension)]


@pytest.mark.parametrize(
    ("region", "price"), PRICES, ids=lambda one: getattr(one, "usage_type", one)
)
def test_a_price_has_a_date_a_source_and_tiers_that_end(region, price) -> None:
    assert date.fromisoformat(price.date) <= date.today()
    assert price.source.startswith("https://")
    *bounded, last = [end for end, _ in price.tiers]
    assert last is None
    assert bounded == sorted(bounded)
    rates = [usd for _, usd in price.tiers]
    assert rates == sorted(rates, reverse=True)


@pytest.mark.parametrize("dimension", DIMENSIONS, ids=lambda one: f"{one.service} {one.usage_type}")
def test_everything_that_is_counted_has_a_price(dimension) -> None:
    found = find_price("eu-south-1", dimension.service, dimension.usage_type)
    assert found is not None
    assert found.price.unit == dimension.unit


def test_the_four_regions_have_prices_of_their_own() -> None:
    assert set(price_table()) == {"us-east-1", "eu-west-1", "eu-central-1", "eu-south-1"}
    assert find_price("eu-south-1", "AWS Lambda", "Lambda-GB-Second").region == "eu-south-1"
    assert find_price("sa-east-1", "AWS Lambda", "Lambda-GB-Second").region == "us-east-1"


def test_tiers_are_passed_through_one_after_the_other() -> None:
    """https://aws.amazon.com/api-gateway/pricing/ : 333 million at 3.50, the next 667 at 2.80."""
    price = find_price("us-east-1", "Amazon API Gateway", "ApiGatewayRequest").price
    assert cost_between(price, 0, 333e6) == pytest.approx(1165.5)
    assert cost_between(price, 0, 433e6) == pytest.approx(1165.5 + 280)
    assert cost_between(price, 333e6, 433e6) == pytest.approx(280)


def test_the_free_tier_is_taken_off_only_when_asked() -> None:
    assert cost_of("us-east-1", usage.LAMBDA_REQUESTS, 1.5e6) == pytest.approx(0.3)
    assert cost_of("us-east-1", usage.LAMBDA_REQUESTS, 1.5e6, free_tier=True) == pytest.approx(0.1)
    assert cost_of("us-east-1", usage.LAMBDA_REQUESTS, 1e5, free_tier=True) == 0


def test_the_dates_of_prices_are_a_true_range() -> None:
    kinds = [("us-east-1", one.service, one.usage_type) for one in DIMENSIONS]
    span = span_of(kinds)
    dates = sorted(find_price(*kind).price.date for kind in kinds)
    assert (span.oldest, span.newest) == (dates[0], dates[-1])
    assert span.oldest < span.newest
    assert f"{span.oldest} to {span.newest}" in say_span(span)
    assert "not checked" in say_span(span)
    assert "those of us-east-1" in say_span(span_of([("sa-east-1", *kinds[0][1:])]))


def test_usage_types_have_their_regions_prefix() -> None:
    assert usage_type_in("eu-west-1", "AWS Lambda", "Request") == "EU-Request"
    assert usage_type_in("us-east-1", "AWS Lambda", "Request") == "Request"
    gateway = usage_type_in("us-east-1", "Amazon API Gateway", "ApiGatewayRequest")
    assert gateway == "USE1-ApiGatewayRequest"


def amount(day: str, resource: str, number: float) -> Amount:
    return Amount(day, "us-east-1", resource, *usage.REST_REQUESTS, number)


def test_a_month_is_reckoned_as_one_and_shared_by_amount() -> None:
    amounts = [
        amount("2026-01-01", "a", 333e6),
        amount("2026-01-02", "a", 50e6),
        amount("2026-01-02", "b", 50e6),
        amount("2026-02-01", "a", 1e6),
    ]
    lines = list(Reckoner("0" * 12).lines(amounts))
    costs = [line.cost for line in lines]
    assert costs == [pytest.approx(one) for one in (1165.5, 140.0, 140.0, 3.5)]


def test_a_model_without_a_price_is_shown_and_not_added() -> None:
    tokens = usage.model_tokens("smollm2", out=True)
    used = [
        Used("us-east-1", "m", tokens, 1.0),
        Used("us-east-1", "q", usage.SQS_REQUESTS, 1.0),
    ]
    cost = cost_of_request(used)
    assert cost["usd"] == pytest.approx(4e-7)
    assert [part["usd"] for part in cost["parts"]] == [None, pytest.approx(4e-7)]
    assert cost_of_request([]) is None


def test_time_is_divided_by_day_and_month() -> None:
    midnight = 1_764_547_200.0  # 2025-12-01
    assert hours_by_day(midnight - 1800, midnight + 5400) == [
        ("2025-11-30", 0.5),
        ("2025-12-01", 1.5),
    ]
    assert (hours_of_month("2025-11-30"), hours_of_month("2025-12-01")) == (720, 744)
    assert months_before("2026-01-31", 14) == "2024-11-01"


def test_a_request_counts_for_each_block_begun() -> None:
    assert [blocks(size) for size in (0, 1, 65_536, 65_537, 262_144)] == [1, 1, 1, 2, 4]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_totals_of_the_page_are_those_of_the_table(name) -> None:
    (row,) = re.findall(rf"^\| `{name}` \|.*$", PAGE.read_text(), re.MULTILINE)
    *_, listed, free = [cell.strip() for cell in row.strip("|").split("|")]
    assert listed == f"{total_of(cost_example(name, 'us-east-1')):,.2f}"
    assert free == f"{total_of(cost_example(name, 'us-east-1', free_tier=True)):,.2f}"


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_need_of_an_example_has_a_price_and_a_reason(name) -> None:
    for costing in cost_example(name, "eu-west-1"):
        assert costing.cost is not None
        assert costing.need.because
