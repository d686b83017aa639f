"""Key layout and transactions of Contributor Insights: the only file that knows their keys."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.kv.table import Table
from cumulet.kv.tuples import AFTER
from cumulet.services.cloudwatch.contributors.limits import LIST_MAX, SCAN_MINUTES
from cumulet.services.cloudwatch.contributors.model import InsightRule, Minute

RULES: Table[InsightRule] = Table(
    "cloudwatch",
    "insight rule",
    InsightRule,
    lambda rule: (rule.name,),
    indexes={"resource": lambda rule: [(rule.resource,)] if rule.resource else []},
)
MINUTES: Table[Minute] = Table(
    "cloudwatch", "insight minute", Minute, lambda minute: (minute.rule, minute.start)
)
TABLES = (RULES, MINUTES)


async def load_rule(tx: Transaction, scope: Scope, name: str) -> InsightRule | None:
    """The rule of that name."""
    return await RULES.load(tx, scope, name)


async def save_rules(tx: Transaction, scope: Scope, rules: Iterable[InsightRule]) -> None:
    """Make rules, or change them whole."""
    for rule in rules:
        await RULES.save(tx, scope, rule)


async def drop_rule(tx: Transaction, scope: Scope, name: str) -> bool:
    """Remove a rule with all that was counted by it; False when there is none."""
    if await RULES.drop(tx, scope, name) is None:
        return False
    expire_minutes(tx, scope, name, None)
    return True


async def set_state(tx: Transaction, scope: Scope, name: str, state: str) -> bool:
    """Turn a rule on or off; False when there is none."""
    rule = await RULES.load(tx, scope, name)
    if rule is None:
        return False
    await RULES.save(tx, scope, msgspec.structs.replace(rule, state=state))
    return True


async def minutes_between(
    tx: Transaction, scope: Scope, rule: str, begin: int, end: int
) -> list[Minute]:
    """The minutes that begin in that span, at most `SCAN_MINUTES`, in the order of time."""
    return await MINUTES.scan_between(tx, scope, (rule, begin), (rule, end), limit=SCAN_MINUTES)


def expire_minutes(tx: Transaction, scope: Scope, rule: str, before: int | None) -> None:
    """Remove what was counted before a time, or all of it."""
    begin = MINUTES.prefix(scope, rule)
    end = begin + AFTER if before is None else MINUTES.prefix(scope, rule, before)
    tx.clear(begin, end)


async def expire_some(
    tx: Transaction, scope: Scope, before: int, after: tuple[str, ...] | None
) -> list[str]:
    """Remove what some rules counted before a time; gives their names, none at the end."""
    rules = await RULES.scan(tx, scope, after=after, limit=LIST_MAX)
    for rule in rules:
        expire_minutes(tx, scope, rule.name, before)
    return [rule.name for rule in rules]
