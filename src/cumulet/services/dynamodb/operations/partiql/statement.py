"""PartiQL: ExecuteStatement, BatchExecuteStatement and ExecuteTransaction."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token, read_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.dynamodb.errors import (
    ConditionalCheckFailedException,
    DuplicateItemException,
    ValidationException,
)
from cumulet.services.dynamodb.expressions.projection import branches_of, project
from cumulet.services.dynamodb.items.packing import pack_item, packed_size, unpack_item
from cumulet.services.dynamodb.items.values import Item
from cumulet.services.dynamodb.limits import PAGE_BYTES_MAX
from cumulet.services.dynamodb.plans.answers import show, show_list
from cumulet.services.dynamodb.plans.capacity import Used, read_units
from cumulet.services.dynamodb.plans.partiql import permitting
from cumulet.services.dynamodb.plans.partiql.binding import Bound, bind
from cumulet.services.dynamodb.plans.partiql.reads import Reading, plan_select, plan_single
from cumulet.services.dynamodb.plans.partiql.tree import Change, Delete, Insert, Select
from cumulet.services.dynamodb.plans.partiql.writes import plan_write
from cumulet.services.dynamodb.plans.ranges import last_key, start_key
from cumulet.services.dynamodb.plans.search import Search, go_on
from cumulet.services.dynamodb.plans.usage import use_write
from cumulet.services.dynamodb.plans.writes import ConditionFailed, Outcome, Write
from cumulet.services.dynamodb.store.items import load_item, require_same
from cumulet.services.dynamodb.store.pages import Page, read_page
from cumulet.services.dynamodb.tables.insights.contributing import count_write
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
DUPLICATE = "Duplicate primary key exists in table"
FAILED = "The conditional request failed"
_BAD_TOKEN = "Invalid NextToken: it does not belong to this statement"


class Answer(NamedTuple):
    """What a statement answers: items packed, where it goes on, and what it used."""

    items: list[bytes]
    used: Used
    token: str = ""
    last: Item | None = None


async def view_of(ctx: Context, bound: Bound) -> TableView | None:
    """The table of a statement, if it is there. Raises ValidationException."""
    return await ctx.need(TableViews).find(place_of(ctx, bound.body.source.table))


@operation(
    "ExecuteStatement",
    action=permitting.actions,
    resource=permitting.resources,
    resource_policy=permitting.policies,
    conditions=permitting.keys,
)
async def execute_statement(ctx: Context, request: Request) -> dict[str, Any]:
    """Carry out one PartiQL statement."""
    bound = bind(request["Statement"], request.get("Parameters"))
    if isinstance(bound.body, Select):
        if bound.body.is_check:
            raise ValidationException("EXISTS is only supported within ExecuteTransaction")
        found = await _select(ctx, bound, request)
    else:
        if request.get("NextToken") is not None:
            raise ValidationException(_BAD_TOKEN)
        found = await write_one(ctx, bound, request)
    answer: dict[str, Any] = {"Items": show_list(ctx, found.items)}
    if found.token:
        answer["NextToken"] = found.token
    if found.last is not None:
        answer["LastEvaluatedKey"] = show(ctx, found.last)
    mode = request.get("ReturnConsumedCapacity")
    if mode in ("TOTAL", "INDEXES"):
        answer["ConsumedCapacity"] = found.used.told(mode, found.used.view.record.name)
    return answer


async def _select(ctx: Context, bound: Bound, request: Request) -> Answer:
    view = await view_of(ctx, bound)
    consistent = bool(request.get("ConsistentRead"))
    limit = request.get("Limit") or 0
    reading = plan_select(view, bound, consistent=consistent, limit=limit)
    digest = blake2b(repr((request["Statement"], bound.values)).encode(), digest_size=8).hexdigest()
    at = _go_on(reading, digest, request.get("NextToken"))
    first = reading.searches[0]
    index = "" if first.index is None else first.index.record.name
    admit(ctx, first.view, is_write=False, index=index)
    used = Used(first.view, is_write=False)
    items: list[bytes] = []
    room, looked = PAGE_BYTES_MAX, 0
    for place, search in enumerate(reading.searches[at:], at):
        search.limit = limit - looked if limit else 0
        page = await ctx.transact(_read, search)
        items += page.items
        looked += page.scanned
        room -= page.size_bytes
        _add_reads(used, search, page)
        last = page.last
        more = place + 1 < len(reading.searches)
        if last is not None or (more and (room <= 0 or (limit and looked >= limit))):
            key = None if last is None else last_key(search.view, search.index, last)
            token = make_token([digest, place if key else place + 1, key])
            items = _shown(reading, items)
            _measure(ctx, used, len(items))
            return Answer(items, used, token, key)
    items = _shown(reading, items)
    _measure(ctx, used, len(items))
    return Answer(items, used)


def _measure(ctx: Context, used: Used, count: int) -> None:
    measure(ctx, used.view, "ExecuteStatement", used, returned=count)


def _go_on(reading: Reading, digest: str, token: str | None) -> int:
    """The search with which a page begins, set to where the last one ended."""
    if token is None:
        return 0
    try:
        made_for, place, key = read_token(token)
        if made_for != digest or not 0 <= place < len(reading.searches):
            raise ValueError("a token of another statement")
    except (ValueError, TypeError):
        raise ValidationException(_BAD_TOKEN) from None
    if key is not None:
        search = reading.searches[place]
        at = start_key(search.view, search.index, key)
        if not search.begin <= at < search.end:
            raise ValidationException(_BAD_TOKEN)
        go_on(search, at)
    return int(place)


async def _read(tx: Transaction, scope: Scope, search: Search) -> Page:
    return await read_page(tx, search)


def _shown(reading: Reading, items: list[bytes]) -> list[bytes]:
    if reading.paths is None:
        return items
    return [pack_item(reading.show(unpack_item(one)), 0) for one in items]


def _add_reads(used: Used, search: Search, page: Page) -> None:
    units = read_units(page.size_bytes, consistent=search.consistent)
    if search.index is None:
        used.table += units
        return
    used.add_index(search.index.record.name, units)
    used.table += sum(
        read_units(size, consistent=search.consistent) for size in page.followed_bytes
    )


async def read_one(ctx: Context, bound: Bound, *, consistent: bool, told: str) -> Answer:
    """The item that a SELECT names by its whole key. Raises ValidationException with `told`."""
    single = plan_single(await view_of(ctx, bound), bound)
    if single is None:
        raise ValidationException(told)
    view, primary = single
    admit(ctx, view, is_write=False)
    packed = await ctx.transact(_load, view, primary)
    used = Used(view, is_write=False)
    used.table = read_units(0 if packed is None else packed_size(packed), consistent=consistent)
    return Answer([] if packed is None else [show_single(bound, packed)], used)


def show_single(bound: Bound, packed: bytes) -> bytes:
    """What a SELECT shows of an item."""
    assert isinstance(bound.body, Select)
    paths = bound.body.paths
    return packed if paths is None else _shown(Reading([], paths), [packed])[0]


async def _load(tx: Transaction, scope: Scope, view: TableView, primary: bytes) -> bytes | None:
    return await load_item(tx, view, primary)


async def write_one(ctx: Context, bound: Bound, request: Request) -> Answer:
    """Carry out an INSERT, UPDATE or DELETE. Raises AwsError."""
    for _ in range(PLANS_MAX):
        now = ctx.clock.now()
        write, _ = plan_write(await view_of(ctx, bound), bound)
        admit(ctx, write.view, is_write=True, keys=(write.named,))
        try:
            outcome = await ctx.transact(_carry_out, write, now)
        except TableChanged:
            continue
        except ConditionFailed as failed:
            used = use_write(write.view, None, failed.old)
            measure(ctx, write.view, "ExecuteStatement", used, failed=True)
            raise _refusal(ctx, bound, request, failed) from None
        used = use_write(write.view, outcome.replaced, None)
        measure(ctx, write.view, "ExecuteStatement", used)
        if write.view.insights:
            count_write(ctx, write, outcome, used)
        return Answer(_returned(bound, write, outcome), used)
    raise keeps_changing(bound.body.source.table)


def _refusal(ctx: Context, bound: Bound, request: Request, failed: ConditionFailed) -> AwsError:
    shows = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    fields = {"Item": show(ctx, failed.old)} if shows and failed.old is not None else {}
    if isinstance(bound.body, Insert):
        return DuplicateItemException(DUPLICATE)
    return ConditionalCheckFailedException(FAILED, **fields)


async def _carry_out(tx: Transaction, scope: Scope, write: Write, now: float) -> Outcome:
    await require_same(tx, write.view)
    return await write.carry_out(tx, now)


def _returned(bound: Bound, write: Write, outcome: Outcome) -> list[bytes]:
    """What RETURNING asks for."""
    body = bound.body
    if not isinstance(body, Change | Delete) or not body.returning or outcome.old is None:
        return []
    which, _, when = body.returning.partition("_")
    if when == "OLD" and which == "ALL":
        return [outcome.old]
    item = unpack_item(outcome.old) if when == "OLD" else outcome.new
    assert item is not None
    if which == "MODIFIED":
        assert write.update is not None
        item = project(item, branches_of(write.update.paths))
    return [pack_item(item, 0)] if item else []
