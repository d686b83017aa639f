"""What keys used of usage plans, by day, and what is left for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway.admission import store as admission
from cumulet.services.apigateway.admission.limits import USAGE_DAYS_KEPT
from cumulet.services.apigateway.admission.model import Quota
from cumulet.services.apigateway.admission.usage.periods import begin_of, day_of
from cumulet.services.apigateway.admission.usage.quotas import Quotas
from cumulet.services.apigateway.errors import BadRequestException
from cumulet.services.apigateway.operations.access.usage_plan import ONE as PLAN
from cumulet.services.apigateway.operations.access.usage_plan import find_plan
from cumulet.services.apigateway.operations.access.usage_plan_key import ONE as PLAN_KEY
from cumulet.services.apigateway.operations.access.usage_plan_key import find_plan_key
from cumulet.services.apigateway.operations.rest_api import page, page_of
from cumulet.services.apigateway.rules.names import at
from cumulet.services.apigateway.rules.patch import Rule, apply_patches, listing

Request = Mapping[str, Any]

_UNBOUNDED = -1
"""Shown as what is left where a plan has no quota."""


@operation("GetUsage", action="GET", resource=at(PLAN + "/usage"))
async def get_usage(ctx: Context, request: Request) -> dict[str, Any]:
    """What the keys of a plan used on each day, and what was left; a page of keys at a time."""
    begin, end = _days(request)
    after, limit = page_of(request)
    plan_id, key_id = request["usagePlanId"], request.get("keyId") or ""
    # What is reserved in memory would count as used.
    await ctx.need(Quotas).settle(ctx.scope, plan_id, key_id)

    async def load(tx: Transaction, scope: Scope) -> list[tuple[str, list[list[int]]]]:
        plan = await find_plan(tx, scope, plan_id)
        if key_id:
            await find_plan_key(tx, scope, plan_id, key_id)
            ids = [key_id]
        else:
            mark = (plan_id, after) if after else None
            keys = await admission.PLAN_KEYS.scan(tx, scope, plan_id, limit=limit + 1, after=mark)
            ids = [one.key_id for one in keys]
        return [
            (one, await _days_of(tx, scope, plan_id, one, plan.quota, begin, end)) for one in ids
        ]

    found = await ctx.transact(load)
    paged = page([(one, {}) for one, _ in found], limit)
    answer = {
        "usagePlanId": plan_id,
        "startDate": begin.isoformat(),
        "endDate": end.isoformat(),
        "items": dict(found[:limit]),
    }
    return {**answer, "position": paged["position"]} if "position" in paged else answer


async def _days_of(
    tx: Transaction,
    scope: Scope,
    plan_id: str,
    key_id: str,
    quota: Quota | None,
    begin: date,
    end: date,
) -> list[list[int]]:
    """For each day what was used on it and what was left after it."""
    first = begin if quota is None else begin_of(quota, begin)
    found = await admission.DAYS.scan_between(
        tx,
        scope,
        (plan_id, key_id, first.isoformat()),
        (plan_id, key_id, (end + timedelta(days=1)).isoformat()),
        limit=2 * USAGE_DAYS_KEPT,
    )
    by_day = {one.day: one for one in found}
    period = await admission.PERIODS.load(tx, scope, plan_id, key_id)
    newest = await admission.DAYS.scan(tx, scope, plan_id, key_id, limit=1, reverse=True)
    last = newest[0].day if newest else ""
    shown = []
    day, left = first, _UNBOUNDED
    while day <= end:
        if quota is not None and begin_of(quota, day) == day:
            left = quota.limit
        use = by_day.get(day.isoformat())
        if use is not None and quota is not None and use.remaining is not None:
            left = use.remaining
        if quota is not None and period is not None and day.isoformat() == last:
            # The quota may have been changed since.
            is_current = begin_of(quota, day).isoformat() == period.begin
            left = quota.limit - period.used if is_current else left
        if day >= begin:
            shown.append([use.used if use is not None else 0, left])
        day += timedelta(days=1)
    return shown


def _days(request: Request) -> tuple[date, date]:
    try:
        begin = date.fromisoformat(request["startDate"])
        end = date.fromisoformat(request["endDate"])
    except ValueError as cause:
        raise BadRequestException("Invalid date specified, must be yyyy-mm-dd") from cause
    if not timedelta(0) <= end - begin < timedelta(days=USAGE_DAYS_KEPT):
        raise BadRequestException(
            "Invalid dates specified: the end must not be before the start, and at most "
            f"{USAGE_DAYS_KEPT} days can be asked for"
        )
    return begin, end


def _read_remaining(text: str) -> int:
    if not text.isdigit() or len(text) > 15:
        raise BadRequestException(f"Invalid remaining quota specified: {text}")
    return int(text)


_RULES = (Rule("/remaining", read=_read_remaining),)


@operation("UpdateUsage", action="PATCH", resource=at(PLAN_KEY + "/usage"))
async def update_usage(ctx: Context, request: Request) -> dict[str, Any]:
    """Say how much of the current period's quota is left for a key."""
    plan_id, key_id = request["usagePlanId"], request["keyId"]
    document = apply_patches({}, request.get("patchOperations"), _RULES, listing)

    async def load(tx: Transaction, scope: Scope) -> Quota | None:
        await find_plan_key(tx, scope, plan_id, key_id)
        return (await find_plan(tx, scope, plan_id)).quota

    quota = await ctx.transact(load)
    if "remaining" in document:
        if quota is None:
            raise BadRequestException("The usage plan has no quota")
        await ctx.need(Quotas).correct(ctx.scope, plan_id, key_id, quota, document["remaining"])
    today = day_of(ctx.clock.now()).isoformat()
    request = {"usagePlanId": plan_id, "keyId": key_id, "startDate": today, "endDate": today}
    return await get_usage(ctx, request)
