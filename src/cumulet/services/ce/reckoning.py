"""From what was used to what it costs: lines of a bill, with tiers counted over whole months. Pure.

A tier holds for all that an account uses of a usage type in a region in a month. What a day costs
beyond is shared among its resources by their amounts, so that every grouping has the same total.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from cumulet.core.usage import Used
from cumulet.services.ce.model import Amount
from cumulet.services.ce.pricing import (
    ESTIMATE,
    cost_between,
    find_price,
    say_span,
    span_of,
    usage_type_in,
)

_Kind = tuple[str, str, str]


class Line(NamedTuple):
    """What one resource used of one thing on one day, and what that costs (US dollars).

    `usage_type` is as bills write it in that region; `plain_type` is without the region's prefix.
    A cost of 0 has no price when `is_priced` is false.
    """

    day: str
    account: str
    region: str
    resource: str
    service: str
    usage_type: str
    plain_type: str
    operation: str
    unit: str
    amount: float
    cost: float
    is_priced: bool


class Reckoner:
    """Makes lines of amounts that come in the order of their days, from the first of a month."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._month = ""
        self._before: dict[_Kind, float] = {}

    def lines(self, amounts: Iterable[Amount]) -> Iterator[Line]:
        """The lines of whole days."""
        for day, group in groupby(amounts, key=lambda one: one.day):
            yield from self._day(day, list(group))

    def _day(self, day: str, amounts: list[Amount]) -> Iterator[Line]:
        if day[:7] != self._month:
            self._month = day[:7]
            self._before = {}
        totals: dict[_Kind, float] = {}
        for one in amounts:
            kind = (one.region, one.service, one.usage_type)
            totals[kind] = totals.get(kind, 0.0) + one.amount
        rates = {kind: self._rate(kind, total) for kind, total in totals.items()}
        for one in amounts:
            rate = rates[one.region, one.service, one.usage_type]
            yield Line(
                day,
                self._account,
                one.region,
                one.resource,
                one.service,
                usage_type_in(one.region, one.service, one.usage_type),
                one.usage_type,
                one.operation,
                one.unit,
                one.amount,
                one.amount * (rate or 0.0),
                rate is not None,
            )

    def _rate(self, kind: _Kind, total: float) -> float | None:
        """What a unit costs on this day, on average; None without a price."""
        found = find_price(*kind)
        before = self._before.get(kind, 0.0)
        self._before[kind] = before + total
        if found is None:
            return None
        return cost_between(found.price, before, before + total) / total if total else 0.0


def cost_of_request(used: Iterable[Used]) -> dict[str, object] | None:
    """What a request would have cost, with its parts, by the first tiers; None if it used nothing.

    A part without a price has None for its cost, and is not in the sum.
    """
    parts, kinds, total = [], [], 0.0
    for region, resource, dimension, amount in used:
        found = find_price(region, dimension.service, dimension.usage_type)
        cost = None if found is None else cost_between(found.price, 0.0, amount)
        total += cost or 0.0
        kinds.append((region, dimension.service, dimension.usage_type))
        parts.append(
            {
                "service": dimension.service,
                "usage_type": dimension.usage_type,
                "resource": resource,
                "amount": amount,
                "unit": dimension.unit,
                "usd": cost,
            }
        )
    if not parts:
        return None
    return {"usd": total, "parts": parts, "note": f"{ESTIMATE} {say_span(span_of(kinds))}"}
