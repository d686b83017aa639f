"""The read cache, on every engine."""

import asyncio

from cumulet.kv.cache import CachedView


async def write(store, key, value):
    async def work(tx):
        tx.set(key, value)

    await store.transact(work)


def test_a_value_is_loaded_once_until_something_changes(engine):
    async def story(store):
        loads = []

        async def load(name):
            loads.append(name)
            return await store.transact(lambda tx: tx.get(b"k/" + name))

        view = CachedView(store, b"k/", load)
        assert [await view.get(b"a"), await view.get(b"a"), await view.get(b"b")] == [None] * 3
        assert loads == [b"a", b"b"]
        await write(store, b"k/a", b"1")
        assert await view.get(b"a") == b"1"
        assert await view.get(b"b") is None
        assert loads == [b"a", b"b", b"a", b"b"]
        await write(store, b"other", b"1")
        await view.get(b"a")
        assert len(loads) == 4
        view.close()

    engine.run(story)


def test_only_what_is_affected_is_forgotten(engine):
    async def story(store):
        loads = []

        async def load(name):
            loads.append(name)
            return await store.transact(lambda tx: tx.get(b"k/" + name))

        view = CachedView(store, b"k/", load, affects=lambda key: [key[2:]])
        await view.get(b"a")
        await view.get(b"b")
        await write(store, b"k/a", b"1")
        assert await view.get(b"b") is None
        assert await view.get(b"a") == b"1"
        assert loads == [b"a", b"b", b"a"]
        view.close()

    engine.run(story)


def test_a_value_that_changed_while_it_was_loaded_is_not_kept(engine):
    async def story(store):
        await write(store, b"k/a", b"old")
        is_read, may_go_on = asyncio.Event(), asyncio.Event()

        async def load(name):
            value = await store.transact(lambda tx: tx.get(b"k/" + name))
            is_read.set()
            await may_go_on.wait()
            return value

        view = CachedView(store, b"k/", load)
        loading = asyncio.gather(view.get(b"a"))
        await is_read.wait()
        await write(store, b"k/a", b"new")
        may_go_on.set()
        assert await loading == [b"old"]
        assert len(view) == 0
        assert await view.get(b"a") == b"new"
        view.close()

    engine.run(story)


def test_the_entry_used_longest_ago_goes_first(engine):
    async def story(store):
        loads = []

        async def load(name):
            loads.append(name)
            return name

        view = CachedView(store, b"k/", load, entries_max=2)
        for name in ("a", "b", "a", "c", "a", "b"):
            assert await view.get(name) == name
        assert loads == ["a", "b", "c", "b"]
        assert len(view) == 2
        view.close()

    engine.run(story)


def test_a_failed_load_is_not_remembered(engine):
    async def story(store):
        async def load(name):
            raise LookupError(name)

        view = CachedView(store, b"k/", load)
        for _ in range(2):
            answers = await asyncio.gather(view.get("a"), return_exceptions=True)
            assert isinstance(answers[0], LookupError)
        assert len(view) == 0
        view.close()

    engine.run(story)
