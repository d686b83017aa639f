"""Several PartiQL statements: BatchExecuteStatement, each on its own, and ExecuteTransaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.service import operation
from cumulet.services.dynamodb.errors import InvalidItem, ValidationException
from cumulet.services.dynamodb.items.packing import packed_size
from cumulet.services.dynamodb.operations.partiql.statement import (
    DUPLICATE,
    FAILED,
    Answer,
    read_one,
    show_single,
    view_of,
    write_one,
)
from cumulet.services.dynamodb.operations.transact import (
    FACTOR,
    Part,
    cancelled,
    read_together,
    with_capacities,
    write_together,
)
from cumulet.services.dynamodb.plans.answers import show_packed
from cumulet.services.dynamodb.plans.capacity import Used, read_units
from cumulet.services.dynamodb.plans.partiql import permitting
from cumulet.services.dynamodb.plans.partiql.binding import Bound, bind
from cumulet.services.dynamodb.plans.partiql.reads import plan_single
from cumulet.services.dynamodb.plans.partiql.tree import Insert, Select
from cumulet.services.dynamodb.plans.partiql.writes import plan_write
from cumulet.services.dynamodb.tables.metering import measure
from cumulet.services.dynamodb.tables.throttling import admit

Request = Mapping[str, Any]
_CODES = {
    "ConditionalCheckFailedException": "ConditionalCheckFailed",
    "DuplicateItemException": "DuplicateItem",
    "ItemCollectionSizeLimitExceededException": "ItemCollectionSizeLimitExceeded",
    "ProvisionedThroughputExceededException": "ProvisionedThroughputExceeded",
    "ResourceNotFoundException": "ResourceNotFound",
    "AccessDeniedException": "AccessDenied",
}
_RETURNS = "RETURNING is not supported within ExecuteTransaction"


def _needs_key(operation_name: str) -> str:
    return (
        f"Select statements within {operation_name} must specify the primary key in the where "
        "clause."
    )


@operation(
    "BatchExecuteStatement",
    action=permitting.actions,
    resource=permitting.resources,
    resource_policy=permitting.policies,
    conditions=permitting.keys,
)
async def batch_execute_statement(ctx: Context, request: Request) -> dict[str, Any]:
    """Carry out up to 25 statements, all reads or all writes, each on its own."""
    given: Sequence[Mapping[str, Any]] = request["Statements"]
    bounds: list[Bound | AwsError] = []
    for one in given:
        try:
            bounds.append(bind(one["Statement"], one.get("Parameters")))
        except AwsError as error:
            bounds.append(error)
    kinds = {one.statement.is_read for one in bounds if isinstance(one, Bound)}
    if len(kinds) > 1:
        raise ValidationException(
            "Statements within BatchExecuteStatement must be all reads or all writes"
        )
    responses: list[dict[str, Any]] = []
    capacities: dict[str, Used] = {}
    for one, bound in zip(given, bounds, strict=True):
        response, used = await _respond(ctx, one, bound)
        responses.append(response)
        if used is not None:
            total = capacities.setdefault(used.view.arn, Used(used.view, is_write=used.is_write))
            _add(total, used)
    answer: dict[str, Any] = {"Responses": responses}
    mode = request.get("ReturnConsumedCapacity")
    if mode in ("TOTAL", "INDEXES"):
        answer["ConsumedCapacity"] = [
            used.told(mode, used.view.record.name) for used in capacities.values()
        ]
    return answer


async def _respond(
    ctx: Context, one: Mapping[str, Any], bound: Bound | AwsError
) -> tuple[dict[str, Any], Used | None]:
    """What is answered for one statement of a batch."""
    response: dict[str, Any] = {}
    try:
        if isinstance(bound, AwsError):
            raise bound
        found = await _carry_out(ctx, one, bound)
    except AwsError as error:
        told = {"Code": _CODES.get(error.code, "ValidationError"), "Message": error.message}
        if "Item" in error.fields:
            told["Item"] = error.fields["Item"]
        return {"Error": told}, None
    view = found.used.view
    response["TableName"] = view.record.name
    if found.items:
        response["Item"] = show_packed(ctx, found.items[0])
    if isinstance(bound.body, Select):
        measure(ctx, view, "BatchExecuteStatement", found.used, returned=len(found.items))
    return response, found.used


async def _carry_out(ctx: Context, one: Mapping[str, Any], bound: Bound) -> Answer:
    if not isinstance(bound.body, Select):
        return await write_one(ctx, bound, one)
    if bound.body.is_check:
        raise ValidationException("EXISTS is only supported within ExecuteTransaction")
    consistent = bool(one.get("ConsistentRead"))
    told = _needs_key("BatchExecuteStatement")
    return await read_one(ctx, bound, consistent=consistent, told=told)


def _add(used: Used, more: Used) -> None:
    used.table += more.table
    for name, units in (*more.local.items(), *more.global_.items()):
        used.add_index(name, units)


@operation(
    "ExecuteTransaction",
    action=permitting.actions,
    resource=permitting.resources,
    resource_policy=permitting.policies,
    conditions=permitting.keys,
)
async def execute_transaction(ctx: Context, request: Request) -> dict[str, Any]:
    """Carry out up to a hundred statements, all of them or none: reads, or writes and checks."""
    given: Sequence[Mapping[str, Any]] = request["TransactStatements"]
    bounds = []
    for place, one in enumerate(given):
        try:
            bounds.append(bind(one["Statement"], one.get("Parameters")))
            if getattr(bounds[-1].body, "returning", ""):
                raise ValidationException(_RETURNS)
        except ValidationException as error:
            raise permitting.failed_part(place, error) from None
    if len({bound.statement.is_read for bound in bounds}) > 1:
        raise ValidationException(
            "Statements within ExecuteTransaction must be all reads or all writes"
        )
    if bounds[0].statement.is_read:
        return await _read_all(ctx, request, bounds)
    _, capacities = await write_together(
        ctx,
        lambda: _parts(ctx, given, bounds),
        request.get("ClientRequestToken"),
        [[one["Statement"], one.get("Parameters")] for one in given],
    )
    for used in capacities.values():
        measure(ctx, used.view, "ExecuteTransaction", used)
    return with_capacities({"Responses": []}, request, capacities)


async def _read_all(ctx: Context, request: Request, bounds: list[Bound]) -> dict[str, Any]:
    plans = []
    for place, bound in enumerate(bounds):
        try:
            single = plan_single(await view_of(ctx, bound), bound)
            if single is None:
                raise ValidationException(_needs_key("ExecuteTransaction"))
        except ValidationException as error:
            raise permitting.failed_part(place, error) from None
        plans.append(single)
    for view, _ in plans:
        admit(ctx, view, is_write=False)
    found = await ctx.transact(read_together, plans)
    responses: list[dict[str, Any]] = []
    capacities: dict[str, Used] = {}
    for (view, _), bound, packed in zip(plans, bounds, found, strict=True):
        shown = None if packed is None else show_single(bound, packed)
        responses.append({} if shown is None else {"Item": show_packed(ctx, shown)})
        used = capacities.setdefault(view.arn, Used(view, is_write=False))
        size = 0 if packed is None else packed_size(packed)
        used.table += read_units(size, consistent=True, factor=FACTOR)
    for used in capacities.values():
        measure(ctx, used.view, "ExecuteTransaction", used)
    return with_capacities({"Responses": responses}, request, capacities)


async def _parts(
    ctx: Context, given: Sequence[Mapping[str, Any]], bounds: list[Bound]
) -> list[Part]:
    """Plan all statements. The first whose item does not fit its table cancels them all."""
    parts: list[Part] = []
    for place, (one, bound) in enumerate(zip(given, bounds, strict=True)):
        try:
            write, key = plan_write(await view_of(ctx, bound), bound)
        except InvalidItem as error:
            told: list[dict[str, Any]] = [{"Code": "None"} for _ in bounds]
            told[place] = {"Code": "ValidationError", "Message": error.message}
            raise cancelled(told) from None
        except ValidationException as error:
            raise permitting.failed_part(place, error) from None
        shows_old = one.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        is_insert = isinstance(bound.body, Insert)
        refused = ("DuplicateItem", DUPLICATE) if is_insert else ("ConditionalCheckFailed", FAILED)
        is_check = isinstance(bound.body, Select)
        parts.append(Part(write, key, is_check, shows_old and not is_insert, refused))
    return parts
