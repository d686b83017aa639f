"""AWS's list prices, each with its date and source, and what usage costs by them. Pure.

The prices are in `prices/<region>.json`; one that a region lacks is taken from us-east-1, and said.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files
from math import inf
from typing import NamedTuple

import msgspec

from cumulet.core.usage import Dimension

FALLBACK = "us-east-1"

ESTIMATE = (
    "These are estimates of what AWS would have charged, by its list prices: no bill. "
    "Taxes, support, discounts and whatever Cumulet does not count are not in them."
)


class Price(msgspec.Struct, frozen=True):
    """The price of one usage type in one region.

    `tiers` are pairs of a monthly amount up to which a price per unit holds (None: without end) and
    that price in US dollars. `free` is what AWS's free tier gives each month. `date` (ISO) is that
    of the price list or page where it was read; `checked` says whether it was read at all, or is
    from memory.
    """

    service: str
    usage_type: str
    unit: str
    tiers: tuple[tuple[float | None, float], ...]
    date: str
    source: str
    checked: bool
    free: float = 0.0
    note: str = ""


class _Prices(msgspec.Struct, frozen=True):
    region: str
    currency: str
    prices: tuple[Price, ...]


class Found(NamedTuple):
    """A price, and the region it is of, which is another where the asked one's is not known."""

    price: Price
    region: str


class Span(NamedTuple):
    """The dates of the prices that went into a sum, and how many of them nobody checked."""

    oldest: str
    newest: str
    unchecked: int
    elsewhere: int
    """How many are those of us-east-1 for want of the region's own."""


@lru_cache(maxsize=1)
def price_table() -> dict[str, dict[tuple[str, str], Price]]:
    """All prices, by region, then by service and usage type."""
    table: dict[str, dict[tuple[str, str], Price]] = {}
    for file in files("cumulet.services.ce").joinpath("prices").iterdir():
        if file.name.endswith(".json"):
            read = msgspec.json.decode(file.read_bytes(), type=_Prices)
            table[read.region] = {(one.service, one.usage_type): one for one in read.prices}
    return table


def find_price(region: str, service: str, usage_type: str) -> Found | None:
    """The price in that region, else in us-east-1; None where there is none at all.

    What has no region, as dashboards, has the prices of us-east-1 for its own.
    """
    table = price_table()
    for place in (region, FALLBACK):
        price = table.get(place, {}).get((service, usage_type))
        if price is not None:
            return Found(price, place)
    return None


def cost_between(price: Price, before: float, after: float) -> float:
    """What it costs to go from one amount of a month to a higher one, in US dollars."""
    total, start = 0.0, 0.0
    for end, usd in price.tiers:
        upper = inf if end is None else end
        total += max(0.0, min(after, upper) - max(before, start)) * usd
        start = upper
    return total


def cost_of(
    region: str, dimension: Dimension, amount: float, *, free_tier: bool = False
) -> float | None:
    """What a month's amount costs, or None when there is no price."""
    found = find_price(region, dimension.service, dimension.usage_type)
    if found is None:
        return None
    if free_tier:
        amount = max(0.0, amount - found.price.free)
    return cost_between(found.price, 0.0, amount)


def span_of(used: Iterable[tuple[str, str, str]]) -> Span | None:
    """The dates of the prices of these regions, services and usage types; None when none has one.

    It is the true range: the newest date alone would say more of the others than is known.
    """
    prices = {(place, found) for place, *what in used if (found := find_price(place, *what))}
    if not prices:
        return None
    dates = sorted(found.price.date for _, found in prices)
    unchecked = sum(not found.price.checked for _, found in prices)
    elsewhere = sum((place or FALLBACK) != found.region for place, found in prices)
    return Span(dates[0], dates[-1], unchecked, elsewhere)


def say_span(span: Span | None) -> str:
    """The dates as a sentence for people."""
    if span is None:
        return "No price was used."
    days = span.oldest if span.oldest == span.newest else f"{span.oldest} to {span.newest}"
    text = f"Prices are of {days}."
    if span.unchecked:
        text += f" {span.unchecked} of them were not checked against AWS's pages."
    if span.elsewhere:
        text += f" {span.elsewhere} are those of {FALLBACK}, for want of the region's own."
    return text


_PREFIXES = {
    "us-east-1": "",
    "us-east-2": "USE2-",
    "us-west-1": "USW1-",
    "us-west-2": "USW2-",
    "ca-central-1": "CAN1-",
    "eu-west-1": "EU-",
    "eu-west-2": "EUW2-",
    "eu-west-3": "EUW3-",
    "eu-north-1": "EUN1-",
    "eu-south-1": "EUS1-",
    "eu-south-2": "EUS2-",
    "eu-central-1": "EUC1-",
    "eu-central-2": "EUC2-",
    "ap-northeast-1": "APN1-",
    "ap-northeast-2": "APN2-",
    "ap-south-1": "APS3-",
    "ap-southeast-1": "APS1-",
    "ap-southeast-2": "APS2-",
    "sa-east-1": "SAE1-",
}
_ALWAYS_PREFIXED = ("Amazon API Gateway", "AmazonCloudWatch", "Amazon Bedrock")


def usage_type_in(region: str, service: str, usage_type: str) -> str:
    """The usage type as bills of that region write it: `EU-Lambda-GB-Second`.

    https://docs.aws.amazon.com/cur/latest/userguide/product-columns.html
    """
    prefix = _PREFIXES.get(region, f"{region}-") if region else ""
    if region == FALLBACK and service in _ALWAYS_PREFIXED and not usage_type.startswith("CW:"):
        prefix = "USE1-"
    return prefix + usage_type
