"""Contributor Insights: rules that services made, turned on and off, removed, and their reports."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token, read_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.cloudwatch.contributors import store
from cumulet.services.cloudwatch.contributors.limits import (
    LIST_MAX,
    PERIODS_MAX,
    REPORT_CONTRIBUTORS_DEFAULT,
    REPORT_CONTRIBUTORS_MAX,
)
from cumulet.services.cloudwatch.contributors.model import InsightRule, rule_arn
from cumulet.services.cloudwatch.contributors.reading import read_minutes
from cumulet.services.cloudwatch.contributors.reporting import FIGURES, merged, parts_of, top_of
from cumulet.services.cloudwatch.metrics.errors import (
    InvalidNextToken,
    InvalidParameterValueException,
    ResourceNotFoundException,
)

Request = dict[str, Any]


def rule_resource(ctx: Context, request: Request) -> str:
    """The rule that a request names, as IAM's resource."""
    return rule_arn(ctx.scope, request["RuleName"])


def rule_resources(ctx: Context, request: Request) -> list[str]:
    """The rules that a request names, as IAM's resources."""
    return [rule_arn(ctx.scope, name) for name in request.get("RuleNames") or ["*"]]


@operation("PutInsightRule", resource=rule_resource)
async def put_insight_rule(ctx: Context, request: Request) -> None:
    """Refused: rules on log groups are not there."""
    raise InvalidParameterValueException(
        "The parameter RuleDefinition is not supported by Cumulet: there are only the rules that "
        "services make, such as DynamoDB by UpdateContributorInsights."
    )


@operation("DescribeInsightRules")
async def describe_insight_rules(ctx: Context, request: Request) -> dict[str, Any]:
    """The rules of the account, in pages."""
    most = request.get("MaxResults") or LIST_MAX
    found = await ctx.transact(_rules, most + 1, _after(request))
    answer: dict[str, Any] = {
        "InsightRules": [
            {
                "Name": one.name,
                "State": one.state,
                "Schema": one.schema,
                "Definition": one.definition,
                "ManagedRule": True,
            }
            for one in found[:most]
        ]
    }
    return _with_token(answer, found, most)


async def _rules(
    tx: Transaction, scope: Scope, limit: int, after: tuple[str, ...] | None
) -> list[InsightRule]:
    return await store.RULES.scan(tx, scope, limit=limit, after=after)


@operation("ListManagedInsightRules")
async def list_managed_insight_rules(ctx: Context, request: Request) -> dict[str, Any]:
    """The rules that a service made for a resource, in pages."""
    most = request.get("MaxResults") or LIST_MAX
    arn = request["ResourceARN"]
    found = await ctx.transact(_managed, arn, most + 1, _after(request))
    answer: dict[str, Any] = {
        "ManagedRules": [
            {
                "TemplateName": one.template,
                "ResourceARN": one.resource,
                "RuleState": {"RuleName": one.name, "State": one.state},
            }
            for one in found[:most]
        ]
    }
    return _with_token(answer, found, most)


async def _managed(
    tx: Transaction, scope: Scope, arn: str, limit: int, after: tuple[str, ...] | None
) -> list[InsightRule]:
    behind = None if after is None else (arn, *after)
    return await store.RULES.lookup(tx, scope, "resource", arn, limit=limit, after=behind)


def _after(request: Request) -> tuple[str, ...] | None:
    token = request.get("NextToken")
    if token is None:
        return None
    try:
        (name,) = read_token(token)
        return (str(name),)
    except (ValueError, TypeError) as cause:
        raise InvalidNextToken("The value of NextToken is invalid.") from cause


def _with_token(answer: dict[str, Any], found: Sequence[InsightRule], most: int) -> dict[str, Any]:
    if len(found) > most:
        answer["NextToken"] = make_token([found[most - 1].name])
    return answer


@operation("EnableInsightRules", resource=rule_resources)
async def enable_insight_rules(ctx: Context, request: Request) -> dict[str, Any]:
    """Let rules count again."""
    return await _each(ctx, request, lambda name: ctx.transact(store.set_state, name, "ENABLED"))


@operation("DisableInsightRules", resource=rule_resources)
async def disable_insight_rules(ctx: Context, request: Request) -> dict[str, Any]:
    """Let rules count no more; what they counted stays."""
    return await _each(ctx, request, lambda name: ctx.transact(store.set_state, name, "DISABLED"))


@operation("DeleteInsightRules", resource=rule_resources)
async def delete_insight_rules(ctx: Context, request: Request) -> dict[str, Any]:
    """Remove rules with what they counted."""
    return await _each(ctx, request, lambda name: ctx.transact(store.drop_rule, name))


async def _each(
    ctx: Context, request: Request, do: Callable[[str], Awaitable[bool]]
) -> dict[str, Any]:
    failures = []
    for name in request["RuleNames"]:
        if not await do(name):
            failures.append(
                {
                    "FailureResource": rule_arn(ctx.scope, name),
                    "ExceptionType": "ResourceNotFoundException",
                    "FailureCode": "404",
                    "FailureDescription": f"Insight rule {name} does not exist.",
                }
            )
    return {"Failures": failures}


@operation("GetInsightRuleReport", resource=rule_resource)
async def get_insight_rule_report(ctx: Context, request: Request) -> dict[str, Any]:
    """Who contributed most in a span of time, and figures of all contributors by period."""
    begin, end, period = _span(request)
    count = request.get("MaxContributorCount", REPORT_CONTRIBUTORS_DEFAULT)
    if not 1 <= count <= REPORT_CONTRIBUTORS_MAX:
        raise InvalidParameterValueException(
            f"The parameter MaxContributorCount must be between 1 and {REPORT_CONTRIBUTORS_MAX}."
        )
    order = request.get("OrderBy", "Sum")
    if order not in ("Sum", "Maximum"):
        raise InvalidParameterValueException("The parameter OrderBy must be Sum or Maximum.")
    wanted = request.get("Metrics") or ()
    for name in wanted:
        if name not in FIGURES:
            raise InvalidParameterValueException(
                f"The value {name} for parameter Metrics is invalid. It can be "
                f"{', '.join(FIGURES)}."
            )
    rule = await ctx.transact(store.load_rule, request["RuleName"])
    if rule is None:
        raise ResourceNotFoundException(f"Insight rule {request['RuleName']} does not exist.")
    minutes = await read_minutes(ctx, rule.name, begin, end)
    parts = parts_of(minutes, begin, period)
    whole = merged(minutes) if minutes else None
    answer: dict[str, Any] = {
        "KeyLabels": rule.labels,
        "AggregationStatistic": rule.statistic,
        "AggregateValue": 0.0 if whole is None else whole.sum,
        "ApproximateUniqueCount": 0 if whole is None else int(whole.contributors),
        "Contributors": [
            {
                "Keys": list(one.keys),
                "ApproximateAggregateValue": one.value,
                "Datapoints": [
                    {"Timestamp": start, "ApproximateValue": value}
                    for start, value in sorted(one.points.items())
                ],
            }
            for one in top_of(parts, order, count)
        ],
    }
    if wanted:
        answer["MetricDatapoints"] = [
            {"Timestamp": start, **{name: FIGURES[name](part) for name in wanted}}
            for start, part in parts.items()
        ]
    return answer


def _span(request: Request) -> tuple[int, int, int]:
    begin, end = int(request["StartTime"]), math.ceil(request["EndTime"])
    period = request["Period"]
    if begin >= end:
        raise InvalidParameterValueException(
            "The parameter StartTime must be less than the parameter EndTime."
        )
    if period % 60:
        raise InvalidParameterValueException("The parameter Period must be a multiple of 60.")
    begin -= begin % 60
    if (end - begin) / period > PERIODS_MAX:
        raise InvalidParameterValueException(
            f"A report has at most {PERIODS_MAX} periods: ask for a longer Period, or for less "
            "time."
        )
    return begin, end, period
