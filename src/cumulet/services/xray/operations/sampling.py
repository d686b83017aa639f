"""Sampling rules, and what each client of them may take.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sampling.html
"""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.xray import store
from cumulet.services.xray.errors import InvalidRequestException, RuleLimitExceededException
from cumulet.services.xray.limits import RULES_MAX, TARGET_SECONDS
from cumulet.services.xray.model import DEFAULT, Rule, rule_arn
from cumulet.services.xray.recorder import Recorder
from cumulet.services.xray.shares import Shares

Request = dict[str, Any]


def _name(request: Request) -> str:
    name = request.get("RuleName") or (request.get("RuleARN") or "").rpartition("/")[2]
    if not name:
        raise InvalidRequestException("RuleName or RuleARN must be given.")
    return str(name)


def _resource(ctx: Context, request: Request) -> str:
    inner = request.get("SamplingRule") or request.get("SamplingRuleUpdate") or request
    return rule_arn(ctx.scope, inner.get("RuleName") or "*")


def _shown(ctx: Context, rule: Rule) -> Request:
    arn = rule_arn(ctx.scope, rule.name)
    return {
        "SamplingRule": {**rule.settings, "RuleName": rule.name, "RuleARN": arn},
        "CreatedAt": rule.created_at,
        "ModifiedAt": rule.modified_at,
    }


def _check(settings: Request) -> None:
    if settings.get("SamplingRateBoost"):
        raise InvalidRequestException("SamplingRateBoost is not supported by Cumulet.")
    if settings["Version"] != 1:
        raise InvalidRequestException("Invalid Version: it must be 1.")


@operation("CreateSamplingRule", resource=_resource)
async def create_sampling_rule(ctx: Context, request: Request) -> Request:
    """Make a rule."""
    if request.get("Tags"):
        raise InvalidRequestException("Tags are not supported by Cumulet.")
    settings, now = dict(request["SamplingRule"]), ctx.clock.now()
    _check(settings)
    made = Rule(_name(settings), {"Attributes": {}, **settings}, now, now)

    async def write(tx: Transaction, scope: Scope) -> None:
        rules = await store.all_rules(tx, scope)
        if any(rule.name == made.name for rule in rules):
            raise InvalidRequestException(f"Rule already exists: {made.name}")
        if len(rules) > RULES_MAX:
            raise RuleLimitExceededException(f"There can be {RULES_MAX} sampling rules.")
        await store.RULES.save(tx, scope, made)

    await ctx.transact(write)
    return {"SamplingRuleRecord": _shown(ctx, made)}


@operation("UpdateSamplingRule", resource=_resource)
async def update_sampling_rule(ctx: Context, request: Request) -> Request:
    """Change a rule; of the default one only how much it samples."""
    given, now = request["SamplingRuleUpdate"], ctx.clock.now()
    name = _name(given)
    changes = {key: one for key, one in given.items() if key not in ("RuleName", "RuleARN")}
    if name == DEFAULT and set(changes) - {"FixedRate", "ReservoirSize"}:
        raise InvalidRequestException(
            "Only FixedRate and ReservoirSize of the default rule can be changed."
        )

    async def write(tx: Transaction, scope: Scope) -> Rule | None:
        for old in await store.all_rules(tx, scope):
            if old.name == name:
                settings = {**old.settings, **changes}
                _check(settings)
                new = Rule(name, settings, old.created_at, now)
                await store.RULES.save(tx, scope, new)
                return new
        return None

    found = await ctx.transact(write)
    if found is None:
        raise InvalidRequestException(f"Sampling rule {name} does not exist.")
    return {"SamplingRuleRecord": _shown(ctx, found)}


@operation("DeleteSamplingRule", resource=_resource)
async def delete_sampling_rule(ctx: Context, request: Request) -> Request:
    """Delete a rule; the default one stays."""
    name = _name(request)
    if name == DEFAULT:
        raise InvalidRequestException("The default rule cannot be deleted.")

    async def drop(tx: Transaction, scope: Scope) -> Rule | None:
        return await store.RULES.drop(tx, scope, name)

    found = await ctx.transact(drop)
    if found is None:
        raise InvalidRequestException(f"Sampling rule {name} does not exist.")
    return {"SamplingRuleRecord": _shown(ctx, found)}


@operation("GetSamplingRules")
async def get_sampling_rules(ctx: Context, request: Request) -> Request:
    """All rules, the default one too."""
    rules = await ctx.transact(store.all_rules)
    return {"SamplingRuleRecords": [_shown(ctx, rule) for rule in rules]}


@operation("GetSamplingTargets")
async def get_sampling_targets(ctx: Context, request: Request) -> Request:
    """What a client may take for the next seconds, and keep what it took."""
    now, shares = ctx.clock.now(), ctx.need(Shares)
    rules = {rule.name: rule for rule in await ctx.transact(store.all_rules)}
    targets, unknown = [], []
    for one in request["SamplingStatisticsDocuments"]:
        rule = rules.get(one["RuleName"])
        if rule is None:
            unknown.append(
                {
                    "RuleName": one["RuleName"],
                    "ErrorCode": "InvalidRequest",
                    "Message": "Unknown rule",
                }
            )
            continue
        size = rule.settings["ReservoirSize"]
        targets.append(
            {
                "RuleName": rule.name,
                "FixedRate": rule.settings["FixedRate"],
                "ReservoirQuota": shares.take(ctx.scope, rule.name, one, size),
                "ReservoirQuotaTTL": int(now) + TARGET_SECONDS,
                "Interval": TARGET_SECONDS,
            }
        )
    return {
        "SamplingTargetDocuments": targets,
        "LastRuleModification": max((rule.modified_at for rule in rules.values()), default=0.0),
        "UnprocessedStatistics": unknown,
    }


@operation("GetSamplingStatisticSummaries")
async def get_sampling_statistic_summaries(ctx: Context, request: Request) -> Request:
    """What was taken of each rule: by the cloud itself, and by clients as they have said."""
    totals: dict[str, Request] = {}
    own = ctx.need(Recorder).summaries(ctx.scope)
    for one in (*ctx.need(Shares).summaries(ctx.scope), *own):
        known = totals.setdefault(one["RuleName"], one)
        if known is not one:
            for count in ("RequestCount", "BorrowCount", "SampledCount"):
                known[count] += one[count]
            known["Timestamp"] = max(known["Timestamp"], one["Timestamp"])
    return {"SamplingStatisticSummaries": list(totals.values())}
