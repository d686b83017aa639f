"""`cumulet costs`: what the month's usage would have cost on AWS."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from cumulet.cli.main import data_option, endpoint_option, json_option
from cumulet.cli.reach import Reach, find_cloud
from cumulet.cli.say import EXIT_USAGE, fail, say, show, show_json, table
from cumulet.services.ce.examples import EXAMPLES, cost_example, total_of
from cumulet.services.ce.pricing import ESTIMATE, Span, say_span, span_of

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])\Z")
_BY = {"service": ("SERVICE", "USAGE_TYPE"), "resource": ("RESOURCE_ID", "SERVICE")}


@click.command("costs")
@click.option("--month", default=None, help="The month, as YYYY-MM. Default: this one.")
@click.option("--by", type=click.Choice(list(_BY)), default="service", show_default=True)
@click.option(
    "--example",
    type=click.Choice(list(EXAMPLES)),
    default=None,
    help="What one of the example systems would cost in a month, by its load; needs no cloud.",
)
@click.option("--free-tier", is_flag=True, help="Take off AWS's free tier (with --example).")
@click.option("--region", default="us-east-1", show_default=True, help="Where (with --example).")
@data_option
@endpoint_option
@json_option
def command(
    month: str | None,
    by: str,
    example: str | None,
    free_tier: bool,
    region: str,
    data: Path | None,
    endpoint: str | None,
    as_json: bool,
) -> None:
    """Say what was used in a month, and what it would have cost on AWS: an estimate."""
    if example is not None:
        _show_example(example, region, free_tier=free_tier, as_json=as_json)
        return
    if free_tier:
        fail("--free-tier is for --example only", "usage is shown by list prices", EXIT_USAGE)
    begin, end = _period(month)
    reach = find_cloud(data, endpoint)
    rows, attributes = _ask(reach, begin, end, by)
    total = sum(row["usd"] for row in rows)
    span = _span(attributes)
    if as_json:
        prices = span._asdict() if span is not None else None
        told = {"month": begin[:7], "usd": total, "prices": prices, "note": ESTIMATE, by: rows}
        show_json(told)
        return
    if not rows:
        say(f"nothing was used in {begin[:7]}")
        return
    first, second = ("SERVICE", "USAGE TYPE") if by == "service" else ("RESOURCE", "SERVICE")
    cells = [[row["name"], row["of"], row["amount"], dollars(row["usd"])] for row in rows]
    show(table([first, second, "AMOUNT", "USD"], [*cells, ["total", "", "", dollars(total)]]))
    say(f"{ESTIMATE}\n{say_span(span)}")


def _period(month: str | None) -> tuple[str, str]:
    """The first day of the month and of the next. Ends the command when it is no past month."""
    today = datetime.now(UTC).date()
    if month is None:
        month = f"{today:%Y-%m}"
    if not _MONTH.match(month):
        fail(f"{month} is no month", "write it as YYYY-MM, such as 2026-11", EXIT_USAGE)
    begin = date.fromisoformat(f"{month}-01")
    if begin > today:
        fail(f"{month} has not come yet", f"the newest month is {today:%Y-%m}", EXIT_USAGE)
    return begin.isoformat(), (begin + timedelta(days=32)).replace(day=1).isoformat()


def _ask(
    reach: Reach, begin: str, end: str, by: str
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Rows with the dearest first, and what is told of the prices of each service."""
    client = reach.client("ce")
    asked: dict[str, Any] = {
        "TimePeriod": {"Start": begin, "End": end},
        "Granularity": "MONTHLY",
        "Metrics": ["UnblendedCost", "UsageQuantity"],
        "GroupBy": [{"Type": "DIMENSION", "Key": key} for key in _BY[by]],
        "Filter": {},
    }
    rows: list[dict[str, Any]] = []
    attributes: dict[str, dict[str, str]] = {}
    while True:
        try:
            answer = client.get_cost_and_usage_with_resources(**asked)
        except client.exceptions.ClientError as cause:
            fail(cause.response["Error"]["Message"], "usage is kept for 14 months")
        for step in answer["ResultsByTime"]:
            rows += [_row(group) for group in step["Groups"]]
        for one in answer["DimensionValueAttributes"]:
            attributes[one["Value"]] = one["Attributes"]
        if "NextPageToken" not in answer:
            break
        asked["NextPageToken"] = answer["NextPageToken"]
    services = {row["name" if by == "service" else "of"] for row in rows}
    told = [one for value, one in attributes.items() if value in services]
    return sorted(rows, key=lambda row: -row["usd"]), told


def _row(group: dict[str, Any]) -> dict[str, Any]:
    name, of = group["Keys"]
    quantity = group["Metrics"]["UsageQuantity"]
    unit = "" if quantity["Unit"] == "N/A" else quantity["Unit"]
    amount = f"{plain(float(quantity['Amount']), 6)} {unit}" if unit else ""
    usd = float(group["Metrics"]["UnblendedCost"]["Amount"])
    return {"name": name, "of": of, "amount": amount, "usd": usd}


def _span(attributes: list[dict[str, str]]) -> Span | None:
    dated = [one for one in attributes if "pricesFrom" in one]
    if not dated:
        return None
    return Span(
        min(one["pricesFrom"] for one in dated),
        max(one["pricesTo"] for one in dated),
        sum(int(one["unchecked"]) for one in dated),
        sum(int(one["elsewhere"]) for one in dated),
    )


def dollars(value: float) -> str:
    """A cost: two decimals, or as many as a small one needs."""
    return plain(value, 2) if value and value < 0.01 else f"{value:,.2f}"


def plain(value: float, digits: int) -> str:
    """A number of that many significant digits, as people write it: without an exponent."""
    if not value:
        return "0"
    text = f"{value:,.{max(0, digits - 1 - math.floor(math.log10(abs(value))))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _show_example(name: str, region: str, *, free_tier: bool, as_json: bool) -> None:
    costings = cost_example(name, region, free_tier=free_tier)
    load, _ = EXAMPLES[name]
    total = total_of(costings)
    kinds = [
        (region, one.need.dimension.service, one.need.dimension.usage_type) for one in costings
    ]
    span = span_of(kinds)
    if as_json:
        needs = [
            {**one.need.dimension._asdict(), "amount": one.need.amount,
             "because": one.need.because, "usd": one.cost}
            for one in costings
        ]  # fmt: skip
        prices = span._asdict() if span is not None else None
        show_json({"example": name, "region": region, "load": load, "free_tier": free_tier,
                   "usd": total, "prices": prices, "note": ESTIMATE, "needs": needs})  # fmt: skip
        return
    say(f"{name}: {load}, a month of 30 days in {region}")
    cells = [
        [
            one.need.dimension.service,
            one.need.dimension.usage_type,
            plain(one.need.amount, 6),
            "no price" if one.cost is None else dollars(one.cost),
            one.need.because,
        ]
        for one in costings
    ]
    titles = ["SERVICE", "USAGE TYPE", "AMOUNT", "USD", "BECAUSE OF"]
    show(table(titles, [*cells, ["total", "", "", dollars(total), ""]]))
    say(f"{ESTIMATE}\n{say_span(span)}")
