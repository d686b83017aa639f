"""What every engine must do, one transaction at a time."""

import pytest

from cumulet.kv.contract import KEY_BYTES_MAX, VALUE_BYTES_MAX, Unavailable, read_count
from cumulet.kv.transact import ForeignAwait, transact


async def put(store, **pairs):
    async def work(tx):
        for key, value in pairs.items():
            tx.set(key.encode(), value.encode())

    await store.transact(work)


async def everything(store):
    return dict(await store.transact(lambda tx: tx.scan(b"", b"\xff" * 9, limit=10_000)))


def test_a_written_key_is_read_back_and_a_missing_one_is_none(engine):
    async def story(store):
        await put(store, a="1")
        assert await store.transact(lambda tx: tx.get(b"a")) == b"1"
        assert await store.transact(lambda tx: tx.get(b"b")) is None

    engine.run(story)


def test_the_result_of_the_work_is_returned(engine):
    async def story(store):
        async def work(tx, word):
            tx.set(b"k", word)
            return (word, await tx.get(b"k"))

        assert await transact(store, work, b"w") == (b"w", b"w")

    engine.run(story)


def test_an_empty_value_is_not_a_missing_one(engine):
    async def story(store):
        await put(store, a="")
        assert await store.transact(lambda tx: tx.get(b"a")) == b""

    engine.run(story)


def test_nothing_is_written_when_the_work_raises(engine):
    async def story(store):
        await put(store, a="1")

        async def work(tx):
            tx.set(b"a", b"2")
            tx.set(b"b", b"2")
            tx.count(b"n", 1)
            tx.stamp(b"s", b"", b"")
            tx.clear(b"", b"\xff")
            raise LookupError("said by the work")

        with pytest.raises(LookupError, match="said by the work"):
            await store.transact(work)
        assert await everything(store) == {b"a": b"1"}

    engine.run(story)


def test_scans_are_ordered_bounded_and_half_open(engine):
    async def story(store):
        await put(store, a="1", b="2", c="3", d="4")

        def scan(begin, end, **how):
            async def work(tx):
                return [key for key, _ in await tx.scan(begin, end, **how)]

            return store.transact(work)

        assert await scan(b"a", b"d", limit=9) == [b"a", b"b", b"c"]
        assert await scan(b"a", b"d", limit=2) == [b"a", b"b"]
        assert await scan(b"a", b"d", limit=2, reverse=True) == [b"c", b"b"]
        assert await scan(b"b", b"e", limit=9, reverse=True) == [b"d", b"c", b"b"]
        assert await scan(b"b\0", b"zz", limit=1) == [b"c"]
        assert await scan(b"a", b"a", limit=9) == []
        assert await scan(b"d", b"a", limit=9) == []
        assert await scan(b"a", b"d", limit=0) == []
        assert await scan(b"x", b"z", limit=9, reverse=True) == []

    engine.run(story)


def test_reads_see_the_transactions_own_writes(engine):
    async def story(store):
        await put(store, a="1", b="2", c="3", e="5")

        async def work(tx):
            tx.set(b"b", b"own")
            tx.clear(b"c")
            tx.set(b"d", b"own")
            seen = [await tx.get(key) for key in (b"a", b"b", b"c", b"d")]
            up = await tx.scan(b"a", b"z", limit=3)
            down = await tx.scan(b"a", b"z", limit=3, reverse=True)
            return seen, up, down

        assert await store.transact(work) == (
            [b"1", b"own", None, b"own"],
            [(b"a", b"1"), (b"b", b"own"), (b"d", b"own")],
            [(b"e", b"5"), (b"d", b"own"), (b"b", b"own")],
        )

    engine.run(story)


def test_a_range_is_cleared_and_can_be_written_again(engine):
    async def story(store):
        await put(store, a="1", b="2", c="3", d="4")

        async def work(tx):
            tx.set(b"bb", b"lost")
            tx.clear(b"b", b"d")
            tx.set(b"c", b"new")
            return await tx.scan(b"a", b"z", limit=9), await tx.get(b"b"), await tx.get(b"bb")

        assert await store.transact(work) == (
            [(b"a", b"1"), (b"c", b"new"), (b"d", b"4")],
            None,
            None,
        )
        assert await everything(store) == {b"a": b"1", b"c": b"new", b"d": b"4"}

    engine.run(story)


def test_an_empty_or_inverted_range_clears_nothing(engine):
    async def story(store):
        await put(store, a="1", b="2")

        async def work(tx):
            tx.clear(b"a", b"a")
            tx.clear(b"b", b"a")

        await store.transact(work)
        assert await everything(store) == {b"a": b"1", b"b": b"2"}

    engine.run(story)


def test_a_large_range_is_cleared_whole(engine):
    async def story(store):
        async def fill(tx):
            for number in range(2_500):
                tx.set(b"r%06d" % number, b"x")
            tx.set(b"q", b"kept")
            tx.set(b"s", b"kept")

        await store.transact(fill)

        async def wipe(tx):
            tx.clear(b"r", b"s")
            tx.set(b"r000007", b"again")

        await store.transact(wipe)
        assert await everything(store) == {b"q": b"kept", b"r000007": b"again", b"s": b"kept"}

    engine.run(story)


def test_counters_add_up_from_nothing_and_below_zero(engine):
    async def story(store):
        async def work(tx):
            tx.count(b"n", 5)
            tx.count(b"n", -7)
            return read_count(await tx.get(b"n"))

        assert await store.transact(work) == -2
        assert await store.transact(work) == -4
        assert read_count(await store.transact(lambda tx: tx.get(b"n"))) == -4
        assert read_count(None) == 0

    engine.run(story)


def test_a_counter_starts_again_where_it_was_cleared_or_set(engine):
    async def story(store):
        async def work(tx):
            tx.count(b"n", 5)
            tx.clear(b"n")
            tx.count(b"n", 2)

        await store.transact(work)
        await store.transact(work)
        assert read_count(await store.transact(lambda tx: tx.get(b"n"))) == 2

    engine.run(story)


def test_stamps_grow_with_commits_and_are_shared_within_one(engine):
    async def story(store):
        for number in range(20):

            async def work(tx, number=number):
                tx.stamp(b"s/", b"/1", b"%d a" % number)
                tx.stamp(b"s/", b"/2", b"%d b" % number)
                return await tx.scan(b"s/", b"s0", limit=100)

            before = await store.transact(work)
            assert len(before) == 2 * number
        rows = list((await everything(store)).items())
        assert [value for _, value in rows] == [
            b"%d %s" % (number, letter) for number in range(20) for letter in (b"a", b"b")
        ]
        versions = [key[2:12] for key, _ in rows]
        assert [key[:2] + key[12:] for key, _ in rows] == [b"s//1", b"s//2"] * 20
        assert versions[::2] == versions[1::2]
        assert len(set(versions)) == 20

    engine.run(story)


def test_stamps_outlive_a_range_that_the_same_transaction_clears(engine):
    async def story(store):
        await put(store, sx="old")

        async def work(tx):
            tx.stamp(b"s", b"", b"new")
            tx.clear(b"s", b"t")

        await store.transact(work)
        assert list((await everything(store)).values()) == [b"new"]

    engine.run(story)


def test_keys_and_values_have_their_bounds(engine):
    async def story(store):
        async def most(tx):
            tx.set(b"k" * KEY_BYTES_MAX, b"v" * VALUE_BYTES_MAX)

        await store.transact(most)
        long = b"k" * (KEY_BYTES_MAX + 1)
        large = b"v" * (VALUE_BYTES_MAX + 1)
        for call in (
            lambda tx: tx.set(long, b""),
            lambda tx: tx.set(b"k", large),
            lambda tx: tx.clear(long),
            lambda tx: tx.count(long, 1),
            lambda tx: tx.stamp(b"k", b"k" * (KEY_BYTES_MAX - 10), b""),
            lambda tx: tx.stamp(b"k", b"", large),
        ):

            async def work(tx, call=call):
                call(tx)

            with pytest.raises(ValueError, match="longer than"):
                await store.transact(work)
        assert await store.transact(lambda tx: tx.get(long)) is None
        assert len(await everything(store)) == 1

    engine.run(story)


def test_any_bytes_make_a_key(engine):
    async def story(store):
        keys = [b"", b"\0", b"\0\0", b"a\0", b"\x7f", b"\xfe\xff", b"\xff", b"\xff\xff\0"]

        async def work(tx):
            for key in keys:
                tx.set(key, b"v" + key)

        await store.transact(work)
        assert list(await everything(store)) == sorted(keys)
        for key in keys:
            assert await store.transact(lambda tx, key=key: tx.get(key)) == b"v" + key

    engine.run(story)


def test_waiting_for_anything_else_inside_a_transaction_is_an_error(engine):
    import asyncio

    async def story(store):
        waited = asyncio.get_running_loop().create_future()

        async def work(tx):
            tx.set(b"a", b"1")
            await waited

        with pytest.raises(ForeignAwait, match="work waits"):
            await store.transact(work)
        assert await everything(store) == {}

    engine.run(story)


def test_a_closed_store_is_unavailable_and_may_be_closed_again(engine):
    async def story(store):
        await store.close()
        with pytest.raises(Unavailable, match="closed"):
            await put(store, a="1")
        await store.close()

    engine.run(story)
