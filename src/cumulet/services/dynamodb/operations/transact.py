"""Items of several tables at once, all or none: TransactGetItems and TransactWriteItems."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

import orjson

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.dynamodb import permissions
from cumulet.services.dynamodb.errors import (
    IdempotentParameterMismatchException,
    InvalidItem,
    TransactionCanceledException,
    ValidationException,
)
from cumulet.services.dynamodb.expressions.projection import project
from cumulet.services.dynamodb.expressions.substitutions import Substitutions
from cumulet.services.dynamodb.items.packing import packed_size, unpack_item
from cumulet.services.dynamodb.items.values import Item, check_item
from cumulet.services.dynamodb.limits import TOKEN_SECONDS, TRANSACTION_BYTES_MAX
from cumulet.services.dynamodb.model import Token
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
from cumulet.services.dynamodb.store.records import TOKENS
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
FACTOR = 2.0
"""A transaction counts for twice the capacity."""

_CANCELLED = "Transaction cancelled, please refer cancellation reasons for specific reasons"


@operation(
    "TransactGetItems",
    action="GetItem",
    resource=permissions.transact_tables,
    resource_policy=permissions.policy_of_transaction,
    conditions=permissions.transact_keys,
)
async def transact_get_items(ctx: Context, request: Request) -> dict[str, Any]:
    """Read up to a hundred items as they are at one moment."""
    plans = []
    for one in request["TransactItems"]:
        part = one["Get"]
        view = await ctx.need(TableViews).find(place_of(ctx, part["TableName"]))
        substitutions = Substitutions(part, ("ProjectionExpression",))
        check_item(part["Key"])
        projection = read_projection(part, substitutions)
        substitutions.finish()
        table = required(view)
        branches = None if projection is None else projection[0]
        plans.append((table, table.check_key(part["Key"]), branches))
    keys = [one["Get"]["Key"] for one in request["TransactItems"]]
    for (view, _, _), key in zip(plans, keys, strict=True):
        admit(ctx, view, is_write=False, keys=(key,))
    found = await ctx.transact(read_together, [(view, primary) for view, primary, _ in plans])
    responses: list[dict[str, Any]] = []
    for (_, _, branches), packed in zip(plans, found, strict=True):
        if packed is None:
            responses.append({})
        elif branches is None:
            responses.append({"Item": show_packed(ctx, packed)})
        else:
            responses.append({"Item": show(ctx, project(unpack_item(packed), branches))})
    capacities: dict[str, Used] = {}
    for (view, _, _), packed, key in zip(plans, found, keys, strict=True):
        used = capacities.setdefault(view.arn, Used(view, is_write=False))
        size = 0 if packed is None else packed_size(packed)
        units = read_units(size, consistent=True, factor=FACTOR)
        used.table += units
        if view.insights:
            count_read(ctx, view, key, units)
    for used in capacities.values():
        measure(ctx, used.view, "TransactGetItems", used)
    return with_capacities({"Responses": responses}, request, capacities)


async def read_together(
    tx: Transaction, scope: Scope, wanted: list[tuple[TableView, bytes]]
) -> list[bytes | None]:
    """Items as they are at one moment."""
    return [await load_item(tx, view, primary) for view, primary in wanted]


class Part(NamedTuple):
    """One write of a transaction, or a check alone.

    `refused` is the code and message of a condition that does not hold.
    """

    write: Write
    key: Item
    is_check: bool
    shows_old: bool
    refused: tuple[str, str] = ("ConditionalCheckFailed", "The conditional request failed")


class _Cancelled(Exception):
    """Some part cannot be carried out: what is said of each, None for those that could be."""

    def __init__(self, reasons: list[ConditionFailed | ValidationException | None]) -> None:
        super().__init__()
        self.reasons = reasons


_PLANS = {
    "Put": plan_put,
    "Delete": plan_delete,
    "Update": plan_update,
    "ConditionCheck": plan_delete,
}


@operation(
    "TransactWriteItems",
    action="PutItem",
    resource=permissions.transact_tables,
    resource_policy=permissions.policy_of_transaction,
    conditions=permissions.transact_keys,
)
async def transact_write_items(ctx: Context, request: Request) -> dict[str, Any]:
    """Write up to a hundred items, all of them or none."""
    items = request["TransactItems"]
    parts, capacities = await write_together(
        ctx, lambda: _plan_all(ctx, items), request.get("ClientRequestToken"), items
    )
    for used in capacities.values():
        measure(ctx, used.view, "TransactWriteItems", used)
    answer: dict[str, Any] = {}
    if request.get("ReturnItemCollectionMetrics") == "SIZE":
        answer["ItemCollectionMetrics"] = await _collections(ctx, parts)
    return with_capacities(answer, request, capacities)


async def write_together(
    ctx: Context,
    plan: Callable[[], Awaitable[list[Part]]],
    given: str | None,
    asked: Any,
) -> tuple[list[Part], dict[str, Used]]:
    """Plan and carry out all parts or none, with what they used; `given` is the request's token.

    `asked` is what must be the same when the token comes again. Raises AwsError.
    """
    token = None
    if given is not None:
        until = ctx.clock.now() + TOKEN_SECONDS
        token = Token(given, sha256(_canonical(asked)).digest(), until)
    for _ in range(PLANS_MAX):
        now = ctx.clock.now()
        parts = await plan()
        _check_together(parts)
        for part in parts:
            admit(ctx, part.write.view, is_write=True, keys=(part.write.named,))
        try:
            outcomes = await ctx.transact(_write_all, parts, token, now)
        except TableChanged:
            continue
        except _Cancelled as stopped:
            raise _told(ctx, parts, stopped.reasons) from None
        break
    else:
        raise keeps_changing("of a transaction")
    capacities: dict[str, Used] = {}
    for place, part in enumerate(parts):
        view = part.write.view
        used = capacities.setdefault(view.arn, Used(view, is_write=outcomes is not None))
        if outcomes is None:
            # Told again for a token that was used: AWS counts it as reads.
            used.table += read_units(0, consistent=True, factor=FACTOR)
            continue
        outcome = outcomes[place]
        more = use_write(view, None if outcome is None else outcome.replaced, None, factor=FACTOR)
        used.table += more.table
        for name, units in (*more.local.items(), *more.global_.items()):
            used.add_index(name, units)
        if view.insights:
            count_write(ctx, part.write, outcome, more)
    return parts, capacities


def _canonical(items: Any) -> bytes:
    return orjson.dumps(items, option=orjson.OPT_SORT_KEYS, default=lambda one: one.hex())


async def _plan_all(ctx: Context, items: list[Mapping[str, Any]]) -> list[Part]:
    """Plan all parts. The first whose key or item does not fit its table cancels them all."""
    parts = []
    for place, one in enumerate(items):
        try:
            parts.append(await _plan(ctx, one))
        except InvalidItem as error:
            told: list[dict[str, Any]] = [{"Code": "None"} for _ in items]
            told[place] = {"Code": "ValidationError", "Message": error.message}
            raise cancelled(told) from None
    return parts


async def _plan(ctx: Context, one: Mapping[str, Any]) -> Part:
    kinds = [name for name, content in one.items() if content is not None]
    if len(kinds) != 1:
        raise ValidationException(
            "TransactItems can only contain one of Check, Put, Update or Delete"
        )
    kind, part = kinds[0], one[kinds[0]]
    view = await ctx.need(TableViews).find(place_of(ctx, part["TableName"]))
    write = _PLANS[kind](view, part)
    shows_old = part.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    key = part["Item"] if kind == "Put" else part["Key"]
    return Part(write, key, kind == "ConditionCheck", shows_old)


def _check_together(parts: list[Part]) -> None:
    places = {(part.write.view.base, part.write.primary) for part in parts}
    if len(places) != len(parts):
        raise ValidationException(
            "Transaction request cannot include multiple operations on one item"
        )
    size = sum(len(part.write.packed or b"") for part in parts)
    if size > TRANSACTION_BYTES_MAX:
        raise ValidationException("Transaction request size cannot exceed 4 MB")


async def _write_all(
    tx: Transaction, scope: Scope, parts: list[Part], token: Token | None, now: float
) -> list[Outcome | None] | None:
    """Carry out all parts; None when the token says that it was done before."""
    for view in {id(part.write.view): part.write.view for part in parts}.values():
        await require_same(tx, view)
    if token is not None:
        earlier = await TOKENS.load(tx, scope, token.token)
        if earlier is not None and earlier.expires > now:
            if earlier.digest != token.digest:
                raise IdempotentParameterMismatchException(
                    "Request token was used earlier with different parameters"
                )
            return None
    reasons: list[ConditionFailed | ValidationException | None] = []
    found: list[tuple[bytes | None, Item | None]] = []
    for part in parts:
        try:
            old, item = await part.write.check(tx)
            if part.write.update is not None:
                part.write.made_of(old, item)
        except (ConditionFailed, ValidationException) as failed:
            reasons.append(failed)
            found.append((None, None))
        else:
            reasons.append(None)
            found.append((old, item))
    if any(reason is not None for reason in reasons):
        raise _Cancelled(reasons)
    outcomes: list[Outcome | None] = []
    for order, (part, (old, item)) in enumerate(zip(parts, found, strict=True)):
        done = None if part.is_check else await part.write.apply(tx, old, item, now, order)
        outcomes.append(done)
    if token is not None:
        await TOKENS.save(tx, scope, token)
    return outcomes


def _told(
    ctx: Context,
    parts: list[Part],
    reasons: list[ConditionFailed | ValidationException | None],
) -> TransactionCanceledException:
    told: list[dict[str, Any]] = []
    for part, reason in zip(parts, reasons, strict=True):
        if reason is None:
            told.append({"Code": "None"})
        elif isinstance(reason, ConditionFailed):
            code, said = part.refused
            one: dict[str, Any] = {"Code": code, "Message": said}
            if part.shows_old and reason.old is not None:
                one["Item"] = show(ctx, reason.old)
            told.append(one)
        else:
            told.append({"Code": "ValidationError", "Message": reason.message})
    return cancelled(told)


def cancelled(told: list[dict[str, Any]]) -> TransactionCanceledException:
    """The error of a transaction that was not carried out, with a reason for each part."""
    codes = ", ".join(one["Code"] for one in told)
    return TransactionCanceledException(f"{_CANCELLED} [{codes}]", CancellationReasons=told)


async def _collections(ctx: Context, parts: list[Part]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in parts:
        told = await told_collection(ctx, part.write.view, part.key)
        if told is not None:
            found.setdefault(part.write.view.record.name, []).append(told)
    return found


def with_capacities(
    answer: dict[str, Any], request: Request, capacities: Mapping[str, Used]
) -> dict[str, Any]:
    """The answer with what was used of each table, when the request asks for it."""
    mode = request.get("ReturnConsumedCapacity")
    if mode in ("TOTAL", "INDEXES"):
        answer["ConsumedCapacity"] = [
            used.told(mode, used.view.record.name, both_kinds=True) for used in capacities.values()
        ]
    return answer
