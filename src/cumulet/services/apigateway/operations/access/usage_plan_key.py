"""The keys of usage plans: put one in, list them, take one out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway.admission import store as admission
from cumulet.services.apigateway.admission.limits import API_KEYS_MAX, PLANS_OF_KEY_MAX
from cumulet.services.apigateway.admission.model import ApiKey, PlanKey, UsagePlan
from cumulet.services.apigateway.errors import (
    BadRequestException,
    ConflictException,
    LimitExceededException,
    NotFoundException,
)
from cumulet.services.apigateway.operations.access.api_key import find_key, value_of
from cumulet.services.apigateway.operations.access.usage_plan import ONE as PLAN
from cumulet.services.apigateway.operations.access.usage_plan import find_plan
from cumulet.services.apigateway.operations.rest_api import page, page_of
from cumulet.services.apigateway.rules.names import at

Request = Mapping[str, Any]

_ALL = PLAN + "/keys"
ONE = _ALL + "/{keyId}"
_TYPE = "API_KEY"


def _view(ctx: Context, key: ApiKey) -> dict[str, Any]:
    view = {"id": key.id, "type": _TYPE, "value": value_of(ctx, key)}
    return {**view, "name": key.name} if key.name is not None else view


@operation("CreateUsagePlanKey", action="POST", resource=at(_ALL))
async def create_usage_plan_key(ctx: Context, request: Request) -> dict[str, Any]:
    """Put a key into a plan: it opens the plan's stages from the next request on."""
    if request["keyType"] != _TYPE:
        raise BadRequestException(f"Invalid key type specified. Valid options are {_TYPE}")
    plan_id, key_id = request["usagePlanId"], request["keyId"]

    async def create(tx: Transaction, scope: Scope) -> ApiKey:
        plan = await find_plan(tx, scope, plan_id)
        key = await find_key(tx, scope, key_id)
        others = await admission.scan_plans_of_key(tx, scope, key_id)
        _check_others(plan, others)
        await admission.PLAN_KEYS.save(tx, scope, PlanKey(plan_id=plan_id, key_id=key_id))
        return key

    return _view(ctx, await ctx.transact(create))


def _check_others(plan: UsagePlan, others: list[UsagePlan]) -> None:
    """A key has one plan in each stage."""
    if any(other.id == plan.id for other in others):
        raise ConflictException("Usage Plan Key already exists")
    if len(others) >= PLANS_OF_KEY_MAX:
        raise LimitExceededException(
            f"An API key can be in at most {PLANS_OF_KEY_MAX} usage plans."
        )
    wanted = {(one.api_id, one.stage) for one in plan.api_stages}
    for other in others:
        for one in other.api_stages:
            if (one.api_id, one.stage) in wanted:
                raise ConflictException(
                    f"The API key is in the usage plan {other.id} for the API stage "
                    f"{one.api_id}:{one.stage} already"
                )


async def find_plan_key(tx: Transaction, scope: Scope, plan_id: str, key_id: str) -> ApiKey:
    """The key in a plan. Raises NotFoundException for the plan, and when it is not in it."""
    await find_plan(tx, scope, plan_id)
    if await admission.PLAN_KEYS.load(tx, scope, plan_id, key_id) is None:
        raise _no_plan_key()
    return await find_key(tx, scope, key_id)


def _no_plan_key() -> NotFoundException:
    return NotFoundException("Invalid Usage Plan Key identifier specified")


@operation("GetUsagePlanKey", action="GET", resource=at(ONE))
async def get_usage_plan_key(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe a key of a plan."""
    found = await ctx.transact(find_plan_key, request["usagePlanId"], request["keyId"])
    return _view(ctx, found)


@operation("GetUsagePlanKeys", action="GET", resource=at(_ALL))
async def get_usage_plan_keys(ctx: Context, request: Request) -> dict[str, Any]:
    """List a plan's keys, a page at a time; by the beginning of their names if wanted."""
    after, limit = page_of(request)
    prefix = request.get("nameQuery") or ""

    async def load(tx: Transaction, scope: Scope) -> list[ApiKey]:
        # AWS does not ask whether there is such a plan.
        mark = (request["usagePlanId"], after) if after else None
        found = []
        for one in await admission.PLAN_KEYS.scan(
            tx, scope, request["usagePlanId"], limit=API_KEYS_MAX, after=mark
        ):
            key = await admission.API_KEYS.load(tx, scope, one.key_id)
            if key is not None and (key.name or "").startswith(prefix):
                found.append(key)
            if len(found) > limit:
                break
        return found

    return page([(key.id, _view(ctx, key)) for key in await ctx.transact(load)], limit)


@operation("DeleteUsagePlanKey", action="DELETE", resource=at(ONE))
async def delete_usage_plan_key(ctx: Context, request: Request) -> None:
    """Take a key out of a plan, with what it used of it."""
    plan_id, key_id = request["usagePlanId"], request["keyId"]

    async def delete(tx: Transaction, scope: Scope) -> None:
        await find_plan(tx, scope, plan_id)
        if not await admission.drop_plan_key(tx, scope, plan_id, key_id):
            raise _no_plan_key()

    await ctx.transact(delete)
