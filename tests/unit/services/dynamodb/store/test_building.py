"""Indexes that are filled while their table is written, in the engine that is the specification:
whatever comes first, the entries and their count are those of the items at the end.
"""

import asyncio

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.kv.memory import MemoryStore
from cumulet.services.dynamodb.items.packing import unpack_item
from cumulet.services.dynamodb.model import Index, Table
from cumulet.services.dynamodb.plans.writes import plan_delete_of, plan_put_of
from cumulet.services.dynamodb.store.items import load_item
from cumulet.services.dynamodb.store.records import TABLES, read_counts, table_key
from cumulet.services.dynamodb.store.tables import create, replace
from cumulet.services.dynamodb.tables.view import TableView
from cumulet.services.dynamodb.workers import fill_some

PLAIN = Table(
    account="1" * 12,
    region="us-east-1",
    name="table",
    id="id",
    data=b"12345678",
    created=1.0,
    kinds={"p": "S"},
    hash="p",
)
INDEX = Index("by-g", 1, True, ("g",), (), "ALL", is_building=True)
INDEXED = msgspec.structs.replace(
    PLAIN, kinds={"p": "S", "g": "S"}, indexes=(INDEX,), next_number=2
)
KEYS = st.sampled_from([str(number) for number in range(4)])
WRITES = st.lists(
    st.one_of(
        st.tuples(st.just("put"), KEYS, st.sampled_from(["x", "y", None])),
        st.tuples(st.just("delete"), KEYS, st.none()),
        st.tuples(st.just("fill"), st.none(), st.none()),
    ),
    max_size=12,
)


async def view_of(store):
    raw = await store.transact(lambda tx: tx.get(table_key(PLAIN.scope, PLAIN.name)))
    return TableView(TABLES.read(raw), raw)


async def write(store, kind, key, group):
    view = await view_of(store)
    item = {"p": {"S": key}}
    if kind == "put":
        plan = plan_put_of(view, item if group is None else {**item, "g": {"S": group}})
    else:
        plan = plan_delete_of(view, item)
    await store.transact(lambda tx: plan.carry_out(tx, 1.0))


async def check_history(before, after):
    store = MemoryStore()
    await store.transact(lambda tx: create(tx, PLAIN.scope, PLAIN, None))
    for kind, key, group in before:
        if kind != "fill":
            await write(store, kind, key, group)
    await store.transact(lambda tx: replace(tx, PLAIN, INDEXED, created=INDEX))
    for kind, key, group in after:
        if kind == "fill":
            await fill_some(store, items_max=1)
        else:
            await write(store, kind, key, group)
    while await fill_some(store, items_max=1):
        pass
    view = await view_of(store)
    assert not view.maintained[0].record.is_building
    items = []
    for key in map(str, range(4)):
        primary = view.primary_of({"p": {"S": key}})
        packed = await store.transact(lambda tx, at=primary: load_item(tx, view, at))
        items += [] if packed is None else [unpack_item(packed)]
    base = view.maintained[0].base
    pairs = await store.transact(lambda tx: tx.scan(base, base + b"\xff" * 64, limit=100))
    entries = sorted(str(unpack_item(value)) for _, value in pairs)
    expected = sorted(str(item) for item in items if "g" in item)
    assert entries == expected
    counts = await store.transact(lambda tx: read_counts(tx, INDEXED, 1))
    assert counts[0] == len(expected)


@settings(max_examples=150, deadline=None)
@given(WRITES, WRITES)
def test_an_index_is_complete_and_counted_however_it_was_filled(before, after):
    asyncio.run(check_history(before, after))
