"""Reads what rules counted, for reports and for metric math."""

from __future__ import annotations

from cumulet.core.context import Context
from cumulet.services.cloudwatch.contributors import store
from cumulet.services.cloudwatch.contributors.limits import SCAN_MINUTES
from cumulet.services.cloudwatch.contributors.model import Minute, rule_arn
from cumulet.services.cloudwatch.contributors.reporting import FIGURES, parts_of
from cumulet.services.cloudwatch.metrics.math import MathError, Series


async def read_minutes(ctx: Context, rule: str, begin: int, end: int) -> list[Minute]:
    """The minutes of a rule that begin in a span, in the order of time."""
    found: list[Minute] = []
    at = begin
    while True:
        page = await ctx.transact(store.minutes_between, rule, at, end)
        found += page
        if len(page) < SCAN_MINUTES:
            return found
        at = page[-1].start + 1


async def rule_series(
    ctx: Context, rule: str, figure: str, begin: int, end: int, period: int
) -> Series:
    """A metric of a rule by periods that are counted from `begin`.

    Raises MathError for a metric or a rule that there is not, and AccessDenied.
    """
    read = FIGURES.get(figure)
    if read is None:
        raise MathError(f"INSIGHT_RULE_METRIC takes one of {', '.join(FIGURES)}.")
    await ctx.authorize("cloudwatch:GetInsightRuleReport", rule_arn(ctx.scope, rule))
    if await ctx.transact(store.load_rule, rule) is None:
        raise MathError(f"There is no Contributor Insights rule '{rule}'.")
    parts = parts_of(await read_minutes(ctx, rule, begin, end), begin, period)
    return Series({start: read(part) for start, part in parts.items()}, period, f"{rule} {figure}")
