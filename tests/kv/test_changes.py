"""Watches and listeners, on every engine."""

import asyncio

from cumulet.kv.contract import Store

SOON = 0.001
"""Seconds after which a watch that nobody wakes gives up."""

LATE = 30


async def write(store: Store, *keys: bytes) -> None:
    async def work(tx):
        for key in keys:
            tx.set(key, b"x")

    await store.transact(work)


def test_a_watch_sees_its_key_and_all_that_begin_with_it(engine):
    async def story(store):
        watch = store.watch(b"queue/1")
        for key in (b"queue/1", b"queue/1/message", b"queue/12"):
            await write(store, key)
            assert await watch.wait(LATE)
        for key in (b"queue/", b"queue/2", b"a"):
            await write(store, key)
            assert not await watch.wait(SOON)
        watch.cancel()

    engine.run(story)


def test_a_change_before_the_wait_is_not_missed_and_told_once(engine):
    async def story(store):
        watch = store.watch(b"k")
        await write(store, b"k")
        await write(store, b"k")
        assert await watch.wait(0)
        assert not await watch.wait(0)
        watch.cancel()

    engine.run(story)


def test_a_waiting_task_is_woken_by_the_commit(engine):
    async def story(store):
        watch = store.watch(b"k")
        waiting = asyncio.gather(watch.wait(LATE))
        await write(store, b"k")
        assert await waiting == [True]
        watch.cancel()

    engine.run(story)


def test_every_kind_of_write_wakes(engine):
    async def story(store):
        await write(store, b"k/1", b"k/2")
        watch = store.watch(b"k/")
        for change in (
            lambda tx: tx.set(b"k/1", b""),
            lambda tx: tx.clear(b"k/1"),
            lambda tx: tx.clear(b"k/0", b"k/9"),
            lambda tx: tx.clear(b"", b"z"),
            lambda tx: tx.clear(b"k/5", b"z"),
            lambda tx: tx.count(b"k/n", 1),
            lambda tx: tx.stamp(b"k/", b"", b""),
        ):

            async def work(tx, change=change):
                change(tx)

            await store.transact(work)
            assert await watch.wait(LATE)

        async def elsewhere(tx):
            tx.clear(b"a", b"k/")
            tx.clear(b"k0", b"z")

        await store.transact(elsewhere)
        assert not await watch.wait(SOON)
        watch.cancel()

    engine.run(story)


def test_a_watch_sleeps_when_the_transaction_fails_or_only_reads(engine):
    async def story(store):
        watch = store.watch(b"k")

        async def fails(tx):
            tx.set(b"k", b"")
            raise LookupError

        await asyncio.gather(store.transact(fails), return_exceptions=True)
        await store.transact(lambda tx: tx.get(b"k"))
        assert not await watch.wait(SOON)
        watch.cancel()

    engine.run(story)


def test_a_cancelled_watch_lets_its_waiter_go(engine):
    async def story(store):
        watch = store.watch(b"k")
        waiting = asyncio.gather(watch.wait(LATE))
        await asyncio.gather(store.transact(lambda tx: tx.get(b"k")))
        watch.cancel()
        assert await waiting == [False]
        watch.cancel()

    engine.run(story)


def test_many_watches_of_one_key_all_wake_and_none_stays_behind(engine):
    async def story(store):
        watches = [store.watch(b"k") for _ in range(100)] + [store.watch(b"") for _ in range(3)]
        waiting = asyncio.gather(*(watch.wait(LATE) for watch in watches))
        await write(store, b"k")
        assert all(await waiting)
        for watch in watches:
            watch.cancel()

    engine.run(story)


def test_a_listener_is_told_the_keys_that_changed_under_its_prefix(engine):
    async def story(store):
        told: list[bytes] = []
        end = store.on_change(b"k/", told.append)
        await write(store, b"k/1", b"k/2", b"k", b"z")
        assert sorted(told) == [b"k/1", b"k/2"]
        told.clear()

        async def work(tx):
            tx.clear(b"k/1")
            tx.count(b"k/n", 1)
            tx.stamp(b"k/s", b"!", b"")

        await store.transact(work)
        assert sorted(key[:3] for key in told) == [b"k/1", b"k/n", b"k/s"]
        assert len([key for key in told if len(key) == 14 and key.endswith(b"!")]) == 1
        told.clear()
        end()
        await write(store, b"k/1")
        assert told == []
        end()

    engine.run(story)


def test_a_listener_is_told_each_key_of_a_cleared_range(engine):
    async def story(store):
        await write(store, b"j", b"k/1", b"k/2", b"k/3", b"l")
        told: list[bytes] = []
        end = store.on_change(b"k/", told.append)

        async def part(tx):
            tx.clear(b"k/2", b"z")

        async def whole(tx):
            tx.clear(b"", b"\xff")

        await store.transact(part)
        assert sorted(told) == [b"k/2", b"k/3"]
        told.clear()
        await store.transact(whole)
        assert told == [b"k/1"]
        end()

    engine.run(story)


def test_a_listener_is_told_once_of_a_key_that_is_shorter_than_other_prefixes(engine):
    async def story(store):
        told: list[bytes] = []
        longer: list[bytes] = []
        ends = [store.on_change(b"k", told.append), store.on_change(b"k/longer", longer.append)]
        await write(store, b"k")
        assert (told, longer) == ([b"k"], [])
        for end in ends:
            end()

    engine.run(story)
