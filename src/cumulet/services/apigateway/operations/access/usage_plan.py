"""Usage plans: create, list, change, delete. Their keys are in `usage_plan_key.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway import store
from cumulet.services.apigateway.admission import store as admission
from cumulet.services.apigateway.admission.limits import PLANS_MAX
from cumulet.services.apigateway.admission.model import PlanStage, UsagePlan
from cumulet.services.apigateway.admission.usage.plans import parse_plan, patch_plan, plan_view
from cumulet.services.apigateway.admission.usage.quotas import Quotas
from cumulet.services.apigateway.errors import (
    BadRequestException,
    LimitExceededException,
    NotFoundException,
    no_plan,
)
from cumulet.services.apigateway.operations.access.api_key import find_key
from cumulet.services.apigateway.operations.rest_api import origin_of, page, page_of
from cumulet.services.apigateway.rules.names import at
from cumulet.services.apigateway.rules.settings import check_tags
from cumulet.services.apigateway.v2 import store as v2_store

Request = Mapping[str, Any]

_ALL = "/usageplans"
ONE = _ALL + "/{usagePlanId}"


@operation("CreateUsagePlan", action="POST", resource=at(_ALL))
async def create_usage_plan(ctx: Context, request: Request) -> dict[str, Any]:
    """Make a plan for stages, with a throttle and a quota for each of its keys."""
    tags, origin = origin_of(ctx, request.get("tags"))
    check_tags(tags)
    if origin and (old := await ctx.transact(_made_by, origin)) is not None:
        return plan_view(old)
    made = parse_plan(request, new_label(ctx.clock, 6), tags, origin)

    async def create(tx: Transaction, scope: Scope) -> None:
        if not await admission.has_room_for_plan(tx, scope):
            raise LimitExceededException(
                f"Maximum number of usage plans ({PLANS_MAX}) for this account has been reached."
            )
        await _check_stages(tx, scope, made.api_stages)
        await admission.PLANS.save(tx, scope, made)

    await ctx.transact(create)
    return plan_view(made)


async def _made_by(tx: Transaction, scope: Scope, origin: str) -> UsagePlan | None:
    found = await admission.PLANS.lookup(tx, scope, "origin", origin, limit=1)
    return found[0] if found else None


async def _check_stages(tx: Transaction, scope: Scope, stages: tuple[PlanStage, ...]) -> None:
    """Plans are of REST and of WebSocket APIs. Raises NotFoundException."""
    for one in stages:
        place = (one.api_id, one.stage)
        if await store.STAGES.load(tx, scope, *place) is not None:
            continue
        if await v2_store.STAGES.load(tx, scope, *place) is None:
            raise NotFoundException(f"API Stage not found: {one.api_id}:{one.stage}")


async def find_plan(tx: Transaction, scope: Scope, plan_id: str) -> UsagePlan:
    """The plan with this id. Raises NotFoundException."""
    found = await admission.PLANS.load(tx, scope, plan_id)
    if found is None:
        raise no_plan()
    return found


@operation("GetUsagePlan", action="GET", resource=at(ONE))
async def get_usage_plan(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe a plan."""
    return plan_view(await ctx.transact(find_plan, request["usagePlanId"]))


@operation("GetUsagePlans", action="GET", resource=at(_ALL))
async def get_usage_plans(ctx: Context, request: Request) -> dict[str, Any]:
    """List the account's plans, or those that a key is in, a page at a time."""
    after, limit = page_of(request)
    key_id = request.get("keyId")

    async def load(tx: Transaction, scope: Scope) -> list[UsagePlan]:
        if not key_id:
            mark = (after,) if after else None
            return await admission.PLANS.scan(tx, scope, limit=limit + 1, after=mark)
        await find_key(tx, scope, key_id)
        found = await admission.scan_plans_of_key(tx, scope, key_id)
        return [plan for plan in found if after is None or plan.id > after]

    return page([(plan.id, plan_view(plan)) for plan in await ctx.transact(load)], limit)


@operation("UpdateUsagePlan", action="PATCH", resource=at(ONE))
async def update_usage_plan(ctx: Context, request: Request) -> dict[str, Any]:
    """Change a plan; it counts from the next request on."""

    async def update(tx: Transaction, scope: Scope) -> UsagePlan:
        old = await find_plan(tx, scope, request["usagePlanId"])
        changed = patch_plan(old, request.get("patchOperations"))
        known = {(one.api_id, one.stage) for one in old.api_stages}
        added = [one for one in changed.api_stages if (one.api_id, one.stage) not in known]
        await _check_stages(tx, scope, tuple(added))
        await admission.PLANS.save(tx, scope, changed)
        return changed

    return plan_view(await ctx.transact(update))


@operation("DeleteUsagePlan", action="DELETE", resource=at(ONE))
async def delete_usage_plan(ctx: Context, request: Request) -> None:
    """Remove a plan without stages, with its keys' places in it and what they used."""
    plan_id = request["usagePlanId"]

    async def delete(tx: Transaction, scope: Scope) -> None:
        found = await find_plan(tx, scope, plan_id)
        if found.api_stages:
            raise BadRequestException(
                f"Cannot delete usage plan {plan_id} because it has API stages associated with it"
            )
        await admission.drop_plan(tx, scope, plan_id)

    await ctx.need(Quotas).settle(ctx.scope, plan_id)
    await ctx.transact(delete)
