"""Contributor Insights of tables and global indexes: turned on and off, shown and listed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token, read_token
from cumulet.kit.ports import Contributors
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.dynamodb import permissions
from cumulet.services.dynamodb.errors import ResourceNotFoundException, ValidationException
from cumulet.services.dynamodb.limits import INSIGHTS_LISTED_MAX
from cumulet.services.dynamodb.model import Insights, Table
from cumulet.services.dynamodb.operations.table import no_such_table
from cumulet.services.dynamodb.store.records import load_table, save_table, scan_tables
from cumulet.services.dynamodb.tables.insights.rules import ALL, managed_rules, rule_names
from cumulet.services.dynamodb.tables.views import need_table, place_of

Request = Mapping[str, Any]
Place = tuple[str, str, str]

_TABLES_AT_ONCE = 100


def _check_index(table: Table, index: str) -> None:
    """Raises ResourceNotFoundException, and ValidationException for a local index."""
    if not index:
        return
    for one in table.indexes:
        if one.name == index:
            if not one.is_global:
                raise ValidationException(
                    "Contributor Insights is supported for tables and global secondary indexes "
                    f"only: {index} is a local secondary index"
                )
            return
    raise ResourceNotFoundException(f"Requested resource not found: Index: {index} not found")


def _summary(table: Table, index: str) -> dict[str, Any]:
    told: dict[str, Any] = {"TableName": table.name}
    if index:
        told["IndexName"] = index
    insights = table.insights.get(index)
    is_on = insights is not None and bool(insights.mode)
    told["ContributorInsightsStatus"] = "ENABLED" if is_on else "DISABLED"
    if insights is not None and insights.mode:
        told["ContributorInsightsMode"] = insights.mode
    return told


@operation(
    "DescribeContributorInsights",
    resource=permissions.table_or_index,
    resource_policy=permissions.policy_of_table,
    conditions=permissions.table_keys,
)
async def describe_contributor_insights(ctx: Context, request: Request) -> dict[str, Any]:
    """Whether the most used keys of a table or index are counted, and by which rules."""
    table = (await need_table(ctx, request["TableName"])).record
    index = request.get("IndexName") or ""
    _check_index(table, index)
    answer = _summary(table, index)
    answer["ContributorInsightsRuleList"] = list(rule_names(table, index).values())
    if (insights := table.insights.get(index)) is not None:
        answer["LastUpdateDateTime"] = insights.changed
    return answer


@operation(
    "UpdateContributorInsights",
    resource=permissions.table_or_index,
    resource_policy=permissions.policy_of_table,
    conditions=permissions.table_keys,
)
async def update_contributor_insights(ctx: Context, request: Request) -> dict[str, Any]:
    """Count the most used keys of a table or index, or count them no more."""
    index = request.get("IndexName") or ""
    enabled = request["ContributorInsightsAction"] == "ENABLE"
    mode = (request.get("ContributorInsightsMode") or ALL) if enabled else ""
    contributors = ctx.need(Contributors)
    place = place_of(ctx, request["TableName"])
    table = await ctx.transact(_update, place, index, mode, ctx.clock.now(), contributors)
    answer = _summary(table, index)
    answer["ContributorInsightsStatus"] = "ENABLING" if enabled else "DISABLING"
    return answer


async def _update(
    tx: Transaction,
    scope: Scope,
    place: Place,
    index: str,
    mode: str,
    now: float,
    contributors: Contributors,
) -> Table:
    account, region, name = place
    table = await load_table(tx, Scope(account, region), name)
    if table is None:
        raise no_such_table(name)
    _check_index(table, index)
    old = table.insights.get(index)
    if (old.mode if old is not None else "") == mode:
        return table
    # Counting that goes on in another mode goes on under its names.
    began = old.began if old is not None and old.mode else now
    before = rule_names(table, index)
    new = with_insights(table, index, Insights(mode, began, now))
    after = rule_names(new, index)
    gone = [rule for kind, rule in before.items() if kind not in after]
    await contributors.drop_rules(tx, table.scope, gone)
    made = [rule for rule in managed_rules(new, index) if rule.name not in before.values()]
    await contributors.put_rules(tx, table.scope, made)
    await save_table(tx, new)
    return new


def with_insights(table: Table, index: str, insights: Insights) -> Table:
    """The table with other settings for itself ("") or one of its indexes."""
    return msgspec.structs.replace(table, insights={**table.insights, index: insights})


@operation("ListContributorInsights", resource=permissions.everything)
async def list_contributor_insights(ctx: Context, request: Request) -> dict[str, Any]:
    """The tables and indexes whose most used keys are, or were, counted; in pages."""
    most = request.get("MaxResults") or INSIGHTS_LISTED_MAX
    token = request.get("NextToken")
    try:
        after = ("", "") if token is None else tuple(map(str, read_token(token)))
        table_after, index_after = after
    except (ValueError, TypeError) as cause:
        raise ValidationException("The provided NextToken is invalid") from cause
    if request.get("TableName") is not None:
        tables = [(await need_table(ctx, request["TableName"])).record]
        found = _listed(tables, table_after, index_after)
    else:
        found = await ctx.transact(_list, most + 1, table_after, index_after)
    answer: dict[str, Any] = {
        "ContributorInsightsSummaries": [_summary(table, index) for table, index in found[:most]]
    }
    if len(found) > most:
        table, index = found[most - 1]
        answer["NextToken"] = make_token([table.name, index])
    return answer


def _listed(tables: list[Table], table_after: str, index_after: str) -> list[tuple[Table, str]]:
    return [
        (table, index)
        for table in tables
        for index in sorted(table.insights)
        if table.name != table_after or index > index_after
    ]


async def _list(
    tx: Transaction, scope: Scope, limit: int, table_after: str, index_after: str
) -> list[tuple[Table, str]]:
    found: list[tuple[Table, str]] = []
    if table_after:
        first = await load_table(tx, scope, table_after)
        found = [] if first is None else _listed([first], table_after, index_after)
    after: str | None = table_after or None
    while len(found) < limit:
        page = await scan_tables(tx, scope, limit=_TABLES_AT_ONCE, after=after)
        found += _listed(page, "", "")
        if len(page) < _TABLES_AT_ONCE:
            break
        after = page[-1].name
    return found
