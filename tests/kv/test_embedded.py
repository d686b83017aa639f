"""What is particular to the engine on disk: sharing of syncs, and failures of the disk."""

import asyncio

import pytest
from tests.kv.disk import Disk, put, settle, with_store

from cumulet.kv.contract import Unavailable
from cumulet.kv.embedded import open_embedded


def test_transactions_at_once_share_syncs(tmp_path):
    async def story(store, disk):
        await asyncio.gather(*(put(store, b"%d" % number) for number in range(500)))
        assert disk.syncs <= 2

    with_store(tmp_path, story)


def test_an_answer_waits_for_its_sync_and_reading_elsewhere_does_not(tmp_path):
    async def story(store, disk):
        await put(store, b"old")
        disk.may_go_on.clear()
        writing = asyncio.gather(put(store, b"new"))
        await settle()
        assert not writing.done()
        assert await store.transact(lambda tx: tx.get(b"old")) == b"x"
        assert await store.transact(lambda tx: tx.scan(b"o", b"p", limit=9)) == [(b"old", b"x")]
        disk.may_go_on.set()
        await writing

    with_store(tmp_path, story)


@pytest.mark.parametrize(
    "read",
    [
        lambda tx: tx.get(b"new"),
        lambda tx: tx.scan(b"a", b"z", limit=9),
        lambda tx: tx.scan(b"new", b"z", limit=1, reverse=True),
        lambda tx: tx.get(b"gone"),
        lambda tx: tx.get(b"range/gone"),
        lambda tx: tx.scan(b"range/", b"range0", limit=9),
    ],
)
def test_what_is_not_on_disk_is_not_shown(tmp_path, read):
    async def story(store, disk):
        await put(store, b"gone")
        await put(store, b"range/gone")
        disk.may_go_on.clear()

        async def change(tx):
            tx.set(b"new", b"x")
            tx.clear(b"gone")
            tx.clear(b"range/", b"range0")

        writing = asyncio.gather(store.transact(change))
        await settle()
        reading = asyncio.gather(store.transact(read))
        await settle()
        assert not reading.done()
        assert not writing.done()
        disk.may_go_on.set()
        await asyncio.gather(reading, writing)

    with_store(tmp_path, story)


def test_a_refusal_that_tells_of_unsynced_writes_waits_too(tmp_path):
    async def story(store, disk):
        async def refuse(tx):
            raise LookupError(await tx.get(b"new"))

        disk.may_go_on.clear()
        writing = asyncio.gather(put(store, b"new"))
        await settle()
        refusing = asyncio.gather(store.transact(refuse), return_exceptions=True)
        await settle()
        assert not refusing.done()
        disk.may_go_on.set()
        (error,) = await refusing
        assert isinstance(error, LookupError)
        await writing

    with_store(tmp_path, story)


def test_a_second_group_gathers_while_the_first_is_synced(tmp_path):
    async def story(store, disk):
        disk.may_go_on.clear()
        first = asyncio.gather(put(store, b"first"))
        await asyncio.to_thread(disk.has_begun.wait, 30)
        second = asyncio.gather(*(put(store, b"second/%d" % number) for number in range(50)))
        await settle()
        assert disk.syncs == 1
        reading = asyncio.gather(store.transact(lambda tx: tx.get(b"second/3")))
        await settle()
        assert not reading.done()
        disk.may_go_on.set()
        await asyncio.gather(first, second, reading)
        assert disk.syncs == 2

    with_store(tmp_path, story)


@pytest.mark.parametrize("step", ["sync-begin", "sync-end", "applied"])
def test_after_a_failure_of_the_disk_nothing_more_is_claimed(tmp_path, step):
    async def story(store, disk):
        await put(store, b"old")
        assert store.failure is None
        disk.fails_at = step
        answers = await asyncio.gather(
            *(put(store, b"new/%d" % number) for number in range(5)), return_exceptions=True
        )
        assert all(isinstance(answer, Unavailable) for answer in answers)
        assert "No space left" in str(answers[0])
        disk.fails_at = ""
        for work in (
            lambda: put(store, b"more"),
            lambda: store.transact(lambda tx: tx.get(b"new/0")),
            lambda: store.transact(lambda tx: tx.scan(b"", b"z", limit=9)),
        ):
            with pytest.raises(Unavailable, match="cannot write"):
                await work()
        assert await store.transact(lambda tx: tx.get(b"old")) == b"x"
        assert "No space left" in store.failure

    with_store(tmp_path, story)
    # Opened anew, the disk being well again, it works.
    with_store(tmp_path, lambda store, disk: put(store, b"more"))


def test_those_who_gathered_behind_a_failing_sync_fail_with_it(tmp_path):
    async def story(store, disk):
        disk.may_go_on.clear()
        disk.fails_at = "sync-end"
        first = asyncio.gather(put(store, b"first"), return_exceptions=True)
        await asyncio.to_thread(disk.has_begun.wait, 30)
        second = asyncio.gather(put(store, b"second"), return_exceptions=True)
        await settle()
        disk.may_go_on.set()
        for answers in (await first, await second):
            assert isinstance(answers[0], Unavailable)

    with_store(tmp_path, story)


def test_closing_waits_for_what_was_applied(tmp_path):
    async def whole():
        store = open_embedded(tmp_path / "kv")
        writing = asyncio.gather(*(put(store, b"%d" % number) for number in range(20)))
        await settle()
        await store.close()
        await writing

    asyncio.run(whole())

    async def story(store, disk):
        assert len(await store.transact(lambda tx: tx.scan(b"", b"z", limit=99))) == 20

    with_store(tmp_path, story)


def test_a_store_whose_loop_ended_early_is_closed_in_another(tmp_path):
    store = open_embedded(tmp_path / "kv")
    loop = asyncio.new_event_loop()
    writing = loop.create_task(put(store, b"k"))
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert not writing.done()
    writing.cancel()
    loop.run_until_complete(asyncio.wait([writing]))
    loop.close()
    asyncio.run(store.close())

    async def story(store, disk):
        assert await store.transact(lambda tx: tx.get(b"k")) == b"x"

    with_store(tmp_path, story)


def test_a_sync_that_fails_while_closing_is_not_made_up_for_by_another(tmp_path):
    async def whole():
        disk = Disk()
        store = open_embedded(tmp_path / "kv", on_step=disk.on_step)
        disk.fails_at = "sync-begin"
        disk.may_go_on.clear()
        writing = asyncio.gather(put(store, b"k"), return_exceptions=True)
        await asyncio.to_thread(disk.has_begun.wait, 30)
        closing = asyncio.gather(store.close(), return_exceptions=True)
        await settle()
        disk.may_go_on.set()
        (answer,) = await writing
        assert isinstance(answer, Unavailable)
        await closing
        assert disk.syncs == 1
        assert "No space left" in store.failure

    asyncio.run(whole())


def test_a_transaction_beyond_its_bound_is_refused_whole(tmp_path):
    async def story(store, disk):
        async def work(tx):
            for number in range(70):
                tx.set(b"%d" % number, b"x" * (1 << 20))

        with pytest.raises(ValueError, match="more than"):
            await store.transact(work)
        assert await store.transact(lambda tx: tx.scan(b"", b"z", limit=9)) == []
        await put(store, b"k")

    with_store(tmp_path, story)
