"""One item: GetItem, PutItem, UpdateItem, DeleteItem."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.dynamodb import permissions
from cumulet.services.dynamodb.errors import (
    ConditionalCheckFailedException,
    ValidationException,
)
from cumulet.services.dynamodb.expressions.projection import branches_of, project
from cumulet.services.dynamodb.expressions.substitutions import Substitutions, refuse_mixture
from cumulet.services.dynamodb.items.packing import packed_size, unpack_item
from cumulet.services.dynamodb.items.values import Item, check_item
from cumulet.services.dynamodb.plans.answers import show, show_packed
from cumulet.services.dynamodb.plans.capacity import Used, read_units
from cumulet.services.dynamodb.plans.collections import told_collection
from cumulet.services.dynamodb.plans.search import read_projection
from cumulet.services.dynamodb.plans.usage import use_write
from cumulet.services.dynamodb.plans.writes import (
    ConditionFailed,
    Outcome,
    Write,
    plan_delete,
    plan_put,
    plan_update,
    required,
)
from cumulet.services.dynamodb.store.items import load_item, require_same
from cumulet.services.dynamodb.tables.insights.contributing import count_read, count_write
from cumulet.services.dynamodb.tables.metering import measure
from cumulet.services.dynamodb.tables.throttling import admit
from cumulet.services.dynamodb.tables.view import TableView
from cumulet.services.dynamodb.tables.views import (
    PLANS_MAX,
    TableChanged,
    TableViews,
    keeps_changing,
    place_of,
)

Request = Mapping[str, Any]
Plan = Callable[[TableView | None, Request], Write]
_NAMES: dict[Plan, str] = {
    plan_put: "PutItem",
    plan_delete: "DeleteItem",
    plan_update: "UpdateItem",
}
_PLAIN_GET = frozenset(("TableName", "Key", "ConsistentRead", "ReturnConsumedCapacity"))
FAILED = "The conditional request failed"


@operation(
    "GetItem",
    resource=permissions.table,
    resource_policy=permissions.policy_of_table,
    conditions=permissions.item_keys,
)
async def get_item(ctx: Context, request: Request) -> dict[str, Any]:
    """Read one item by its key."""
    view = await ctx.need(TableViews).find(place_of(ctx, request["TableName"]))
    projection = None
    if _PLAIN_GET.issuperset(request):
        check_item(request["Key"])
    else:
        refuse_mixture(request)
        substitutions = Substitutions(request, ("ProjectionExpression",))
        check_item(request["Key"])
        projection = read_projection(request, substitutions)
        substitutions.finish()
    view = required(view)
    primary = view.check_key(request["Key"])
    if view.is_throttled:
        admit(ctx, view, is_write=False, keys=(request["Key"],))
    packed = await ctx.transact(_load, view, primary)
    size = 0 if packed is None else packed_size(packed)
    used = Used(view, is_write=False)
    used.table = read_units(size, consistent=bool(request.get("ConsistentRead")))
    measure(ctx, view, "GetItem", used)
    if view.insights:
        count_read(ctx, view, request["Key"], used.table)
    answer: dict[str, Any] = {}
    if packed is not None:
        if projection is None:
            answer["Item"] = show_packed(ctx, packed)
        else:
            answer["Item"] = show(ctx, project(unpack_item(packed), projection[0]))
    return _with_capacity(answer, request, used)


async def _load(tx: Transaction, scope: Scope, view: TableView, primary: bytes) -> bytes | None:
    return await load_item(tx, view, primary)


_PUT_VALUES = ("NONE", "ALL_OLD")


@operation(
    "PutItem",
    resource=permissions.table,
    resource_policy=permissions.policy_of_table,
    conditions=permissions.item_keys,
)
async def put_item(ctx: Context, request: Request) -> dict[str, Any]:
    """Create or replace one item, if its condition holds."""
    _check_return_values(request)
    write, outcome, used = await _write(ctx, request, plan_put)
    answer: dict[str, Any] = {}
    if request.get("ReturnValues") == "ALL_OLD" and outcome.old is not None:
        answer["Attributes"] = show_packed(ctx, outcome.old)
    return await _finished(ctx, answer, request, write, used, request["Item"])


@operation(
    "DeleteItem",
    resource=permissions.table,
    resource_policy=permissions.policy_of_table,
    conditions=permissions.item_keys,
)
async def delete_item(ctx: Context, request: Request) -> dict[str, Any]:
    """Remove one item by its key, if its condition holds."""
    _check_return_values(request)
    write, outcome, used = await _write(ctx, request, plan_delete)
    answer: dict[str, Any] = {}
    if request.get("ReturnValues") == "ALL_OLD" and outcome.old is not None:
        answer["Attributes"] = show_packed(ctx, outcome.old)
    return await _finished(ctx, answer, request, write, used, request["Key"])


@operation(
    "UpdateItem",
    resource=permissions.table,
    resource_policy=permissions.policy_of_table,
    conditions=permissions.item_keys,
)
async def update_item(ctx: Context, request: Request) -> dict[str, Any]:
    """Change attributes of one item, if its condition holds; make it when there is none."""
    write, outcome, used = await _write(ctx, request, plan_update)
    answer: dict[str, Any] = {}
    shown = _updated(write, outcome, request.get("ReturnValues") or "NONE")
    if shown is not None:
        answer["Attributes"] = show(ctx, shown)
    return await _finished(ctx, answer, request, write, used, request["Key"])


def _check_return_values(request: Request) -> None:
    if (request.get("ReturnValues") or "NONE") not in _PUT_VALUES:
        raise ValidationException("Return values set to invalid value")


def _updated(write: Write, outcome: Outcome, wanted: str) -> Item | None:
    """The attributes that an update shows; None when it shows none."""
    if wanted == "NONE" or write.update is None:
        return None
    if wanted in ("ALL_OLD", "UPDATED_OLD"):
        source = None if outcome.old is None else unpack_item(outcome.old)
    else:
        source = outcome.new
    if source is None:
        return None
    if wanted.startswith("ALL"):
        return source
    return project(source, branches_of(write.update.paths)) or None


async def _write(ctx: Context, request: Request, plan: Plan) -> tuple[Write, Outcome, Used]:
    """Plan a write for the table as it is, and carry it out. Raises AwsError."""
    views = ctx.need(TableViews)
    place = place_of(ctx, request["TableName"])
    for _ in range(PLANS_MAX):
        now = ctx.clock.now()
        write = plan(await views.find(place), request)
        admit(ctx, write.view, is_write=True, keys=(write.named,))
        try:
            outcome = await ctx.transact(_carry_out, write, now)
        except TableChanged:
            continue
        except ConditionFailed as failed:
            used = use_write(write.view, None, failed.old)
            measure(ctx, write.view, _NAMES[plan], used, failed=True)
            count_write(ctx, write, None, used)
            shown = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
            fields = {"Item": show(ctx, failed.old)} if shown and failed.old is not None else {}
            raise ConditionalCheckFailedException(FAILED, **fields) from None
        used = use_write(write.view, outcome.replaced, None)
        measure(ctx, write.view, _NAMES[plan], used)
        if write.view.insights:
            count_write(ctx, write, outcome, used)
        return write, outcome, used
    raise keeps_changing(place[2])


async def _carry_out(tx: Transaction, scope: Scope, write: Write, now: float) -> Outcome:
    await require_same(tx, write.view)
    return await write.carry_out(tx, now)


async def _finished(
    ctx: Context, answer: dict[str, Any], request: Request, write: Write, used: Used, key: Item
) -> dict[str, Any]:
    if request.get("ReturnItemCollectionMetrics") == "SIZE":
        told = await told_collection(ctx, write.view, key)
        if told is not None:
            answer["ItemCollectionMetrics"] = told
    return _with_capacity(answer, request, used)


def _with_capacity(answer: dict[str, Any], request: Request, used: Used) -> dict[str, Any]:
    mode = request.get("ReturnConsumedCapacity")
    if mode in ("TOTAL", "INDEXES"):
        answer["ConsumedCapacity"] = used.told(mode, used.view.record.name)
    return answer
