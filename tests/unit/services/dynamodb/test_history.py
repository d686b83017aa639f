"""A table at a moment is what it was then, whatever is written while it is read in parts."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from cumulet.core.identity import Scope
from cumulet.kv.memory import MemoryStore
from cumulet.services.dynamodb.store.history import (
    Source,
    history_prefix,
    moment_of,
    note_before,
    read_part,
    trim_part,
)
from cumulet.services.dynamodb.store.records import data_prefix

SCOPE = Scope("000000000000", "us-east-1")
DATA, HISTORY = b"d" * 8, b"h" * 8
BASE = data_prefix(SCOPE, DATA, 0)
PREFIX = history_prefix(SCOPE, HISTORY)

partitions = st.sampled_from([bytes([byte]) * 16 for byte in (0, 1, 255)])
sorts = st.sampled_from([b"", b"\0", b"\0\0", b"\0\x01", b"\x01", b"a", b"a\0", b"a\0b", b"\xff"])
primaries = st.tuples(partitions, sorts).map(b"".join)
changes = st.tuples(primaries, st.one_of(st.none(), st.binary(min_size=1, max_size=2)))


async def write(store, change, number):
    primary, new = change

    async def work(tx):
        old = await tx.get(BASE + primary)
        if old == new:
            return
        if new is None:
            tx.clear(BASE + primary)
        else:
            tx.set(BASE + primary, new)
        note_before(tx, PREFIX, primary, old, float(number), 0)

    await store.transact(work)


async def read(store, moment, limit, meanwhile):
    source = Source(SCOPE, DATA, HISTORY, moment)
    found, cursor = {}, b""
    while cursor is not None:

        async def part(tx, cursor=cursor):
            return await read_part(tx, source, cursor, limit)

        rows, cursor = await store.transact(part)
        assert not found.keys() & dict(rows).keys()
        found |= dict(rows)
        await meanwhile()
    return found


@settings(max_examples=60, deadline=None)
@given(
    st.lists(changes, max_size=25),
    st.lists(changes, max_size=25),
    st.integers(1, 5),
    st.data(),
)
def test_every_moment_comes_back_while_the_table_is_written(before, later, limit, data):
    at = data.draw(st.integers(0, len(before)))

    async def run():
        store = MemoryStore()
        state, wanted = {}, {}
        for number, (primary, new) in enumerate(before, 1):
            await write(store, (primary, new), number)
            state[primary] = new
            if number <= at:
                wanted = {key: one for key, one in state.items() if one is not None}
        waiting = list(enumerate(later, len(before) + 1))

        async def meanwhile():
            if waiting:
                number, change = waiting.pop(0)
                await write(store, change, number)

        assert await read(store, moment_of(at) + 1, limit, meanwhile) == wanted

    asyncio.run(run())


@settings(max_examples=30, deadline=None)
@given(st.lists(changes, min_size=1, max_size=20), st.data())
def test_what_is_older_than_the_window_may_go(history, data):
    kept_from = data.draw(st.integers(1, len(history)))

    async def run():
        store = MemoryStore()
        state, states = {}, [{}]
        for number, (primary, new) in enumerate(history, 1):
            await write(store, (primary, new), number)
            state[primary] = new
            states.append({key: one for key, one in state.items() if one is not None})
        cursor = b""
        while cursor is not None:

            async def trim(tx, cursor=cursor):
                return await trim_part(tx, SCOPE, HISTORY, cursor, float(kept_from), 3)

            cursor = await store.transact(trim)

        async def nothing():
            return None

        for at in range(kept_from, len(history) + 1):
            assert await read(store, moment_of(at) + 1, 4, nothing) == states[at]

    asyncio.run(run())
