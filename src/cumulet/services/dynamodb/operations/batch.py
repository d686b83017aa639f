"""Items of several tables at once, each on its own: BatchGetItem and BatchWriteItem."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.dynamodb import permissions
from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.expressions.projection import project
from cumulet.services.dynamodb.expressions.substitutions import Substitutions, refuse_mixture
from cumulet.services.dynamodb.items.packing import pack_item, packed_size, unpack_item
from cumulet.services.dynamodb.items.values import Item, check_item
from cumulet.services.dynamodb.limits import (
    BATCH_GET_BYTES_MAX,
    BATCH_GET_MAX,
    BATCH_WRITE_MAX,
)
from cumulet.services.dynamodb.plans.answers import show, show_list
from cumulet.services.dynamodb.plans.capacity import Used, read_units
from cumulet.services.dynamodb.plans.collections import told_collection
from cumulet.services.dynamodb.plans.search import read_projection
from cumulet.services.dynamodb.plans.usage import use_write
from cumulet.services.dynamodb.plans.writes import (
    Outcome,
    Write,
    plan_delete_of,
    plan_put_of,
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
GROUP_BYTES_MAX = 16 << 20


class _Wanted(NamedTuple):
    """What a batch asks of one table."""

    given: str
    view: TableView
    keys: list[tuple[bytes, Item]]
    branches: Any
    consistent: bool


@operation(
    "BatchGetItem",
    resource=permissions.batch_tables,
    resource_policy=permissions.policy_of_batch,
    conditions=permissions.batch_keys,
)
async def batch_get_item(ctx: Context, request: Request) -> dict[str, Any]:
    """Read up to a hundred items by their keys; what is beyond 16 MB is left to be asked again."""
    total = sum(len(one["Keys"]) for one in request["RequestItems"].values())
    if total > BATCH_GET_MAX:
        raise ValidationException("Too many items requested for the BatchGetItem call")
    wanted = [await _wanted(ctx, name, one) for name, one in request["RequestItems"].items()]
    answer: dict[str, Any] = {"Responses": {}, "UnprocessedKeys": {}}
    capacities = []
    for one in wanted:
        admit(ctx, one.view, is_write=False, keys=[key for _, key in one.keys])
    room = BATCH_GET_BYTES_MAX
    for one in wanted:
        found = await ctx.transact(_read, one, room)
        room -= sum(packed_size(packed) for packed in found if packed is not None)
        answer["Responses"][one.given] = _shown(ctx, one, found)
        if len(found) < len(one.keys):
            left = dict(request["RequestItems"][one.given])
            left["Keys"] = [show(ctx, key) for _, key in one.keys[len(found) :]]
            answer["UnprocessedKeys"][one.given] = left
        used = Used(one.view, is_write=False)
        sizes = [0 if packed is None else packed_size(packed) for packed in found]
        used.table = sum(read_units(size, consistent=one.consistent) for size in sizes)
        measure(ctx, one.view, "BatchGetItem", used, returned=len(found))
        if one.view.insights:
            for (_, key), size in zip(one.keys, sizes, strict=False):
                count_read(ctx, one.view, key, read_units(size, consistent=one.consistent))
        capacities.append(used)
    return _with_capacities(answer, request, capacities)


async def _wanted(ctx: Context, name: str, given: Mapping[str, Any]) -> _Wanted:
    view = await ctx.need(TableViews).find(place_of(ctx, name))
    refuse_mixture(given)
    substitutions = Substitutions(given, ("ProjectionExpression",))
    for key in given["Keys"]:
        check_item(key)
    projection = read_projection(given, substitutions)
    substitutions.finish()
    table = required(view)
    keys = [(table.check_key(key), key) for key in given["Keys"]]
    if len({primary for primary, _ in keys}) != len(keys):
        raise ValidationException("Provided list of item keys contains duplicates")
    branches = None if projection is None else projection[0]
    return _Wanted(name, table, keys, branches, bool(given.get("ConsistentRead")))


async def _read(tx: Transaction, scope: Scope, wanted: _Wanted, room: int) -> list[bytes | None]:
    """The items in order, as many as there is room for."""
    found: list[bytes | None] = []
    for primary, _ in wanted.keys:
        if room <= 0:
            break
        packed = await load_item(tx, wanted.view, primary)
        room -= 0 if packed is None else packed_size(packed)
        found.append(packed)
    return found


def _shown(ctx: Context, wanted: _Wanted, found: list[bytes | None]) -> Any:
    present = [packed for packed in found if packed is not None]
    if wanted.branches is not None:
        present = [pack_item(project(unpack_item(one), wanted.branches), 0) for one in present]
    return show_list(ctx, present)


@operation(
    "BatchWriteItem",
    resource=permissions.batch_tables,
    resource_policy=permissions.policy_of_batch,
    conditions=permissions.batch_keys,
)
async def batch_write_item(ctx: Context, request: Request) -> dict[str, Any]:
    """Put or delete up to twenty-five items, without conditions."""
    total = sum(len(one) for one in request["RequestItems"].values())
    if total > BATCH_WRITE_MAX:
        raise ValidationException("Too many items requested for the BatchWriteItem call")
    views = ctx.need(TableViews)
    for _ in range(PLANS_MAX):
        now = ctx.clock.now()
        plans: list[tuple[str, list[Write]]] = []
        for name, parts in request["RequestItems"].items():
            view = await views.find(place_of(ctx, name))
            plans.append((name, _plan(view, parts)))
        for _, writes in plans:
            named = [write.named for write in writes]
            admit(ctx, writes[0].view, is_write=True, keys=named)
        outcomes: list[Outcome] = []
        try:
            for group in _groups([write for _, writes in plans for write in writes]):
                outcomes += await ctx.transact(_write_all, group, now)
        except TableChanged:
            continue
        break
    else:
        raise keeps_changing(", ".join(request["RequestItems"]))
    answer: dict[str, Any] = {"UnprocessedItems": {}}
    capacities = []
    at = iter(outcomes)
    for _, writes in plans:
        used = Used(writes[0].view, is_write=True)
        for write in writes:
            outcome = next(at)
            own = use_write(write.view, outcome.replaced, None)
            _add(used, own)
            if write.view.insights:
                count_write(ctx, write, outcome, own)
        measure(ctx, used.view, "BatchWriteItem", used)
        capacities.append(used)
    if request.get("ReturnItemCollectionMetrics") == "SIZE":
        answer["ItemCollectionMetrics"] = await _collections(ctx, plans, request)
    return _with_capacities(answer, request, capacities)


def _groups(writes: list[Write]) -> Iterator[list[Write]]:
    """Writes that go into one transaction each; a batch need not be written all at once."""
    group: list[Write] = []
    size = 0
    for write in writes:
        more = len(write.packed or b"") * (1 + len(write.view.maintained))
        if group and size + more > GROUP_BYTES_MAX:
            yield group
            group, size = [], 0
        group.append(write)
        size += more
    yield group


def _plan(view: TableView | None, parts: list[Mapping[str, Any]]) -> list[Write]:
    if not parts:
        raise ValidationException(
            "The batch write request list for a table cannot be null or empty"
        )
    writes: list[Write] = []
    for part in parts:
        given = {name: content for name, content in part.items() if content is not None}
        if len(given) != 1:
            raise ValidationException(
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one "
                "of the supported datatypes"
                if given
                else "The WriteRequest must have a PutRequest or a DeleteRequest"
            )
        inner = "Item" if "PutRequest" in given else "Key"
        if next(iter(given.values())).get(inner) is None:
            kind = "putRequest.item" if inner == "Item" else "deleteRequest.key"
            raise ValidationException(
                f"1 validation error detected: Value null at 'requestItems.member.{kind}' failed "
                "to satisfy constraint: Member must not be null"
            )
        if "PutRequest" in given:
            writes.append(plan_put_of(required(view), given["PutRequest"]["Item"]))
        else:
            writes.append(plan_delete_of(required(view), given["DeleteRequest"]["Key"]))
    if len({write.primary for write in writes}) != len(writes):
        raise ValidationException("Provided list of item keys contains duplicates")
    return writes


async def _write_all(
    tx: Transaction, scope: Scope, writes: list[Write], now: float
) -> list[Outcome]:
    for view in {id(write.view): write.view for write in writes}.values():
        await require_same(tx, view)
    return [await write.carry_out(tx, now, order) for order, write in enumerate(writes)]


def _add(used: Used, more: Used) -> None:
    used.table += more.table
    for name, units in (*more.local.items(), *more.global_.items()):
        used.add_index(name, units)


async def _collections(
    ctx: Context, plans: list[tuple[str, list[Write]]], request: Request
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, writes in plans:
        for part in request["RequestItems"][name]:
            (content,) = (one for one in part.values() if one is not None)
            key = content.get("Item") or content.get("Key")
            told = await told_collection(ctx, writes[0].view, key)
            if told is not None:
                found.setdefault(name, []).append(told)
    return found


def _with_capacities(
    answer: dict[str, Any], request: Request, capacities: list[Used]
) -> dict[str, Any]:
    mode = request.get("ReturnConsumedCapacity")
    if mode in ("TOTAL", "INDEXES"):
        answer["ConsumedCapacity"] = [used.told(mode, used.view.record.name) for used in capacities]
    return answer
