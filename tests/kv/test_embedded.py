"""What is particular to the engine on disk: sharing of syncs, failures, its folder."""

import asyncio
import subprocess
import sys
import threading

import pytest

from cumulet.kv.contract import Unavailable
from cumulet.kv.embedded import Damaged, InUse, open_embedded

MEMORY_KB_MAX = 24_000


class Disk:
    """Stands at the steps of a store: counts syncs, holds them up, makes them fail."""

    def __init__(self):
        self.syncs = 0
        self.fails_at = ""
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.has_begun = threading.Event()

    def on_step(self, step):
        if step == "sync-begin":
            self.syncs += 1
            self.has_begun.set()
            assert self.may_go_on.wait(30)
        if step == self.fails_at:
            raise OSError(28, "No space left on device")


def with_store(tmp_path, story):
    async def whole():
        disk = Disk()
        store = open_embedded(tmp_path / "kv", on_step=disk.on_step)
        try:
            await story(store, disk)
        finally:
            disk.may_go_on.set()
            await asyncio.gather(store.close(), return_exceptions=True)

    asyncio.run(whole())


async def put(store, key, value=b"x"):
    async def work(tx):
        tx.set(key, value)

    await store.transact(work)


async def settle():
    """Let every task run until it waits."""
    for _ in range(10):
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_result, None)
        await future


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


FULL_DISK = """
import asyncio, resource, signal, sys
from pathlib import Path
from cumulet.kv.contract import Unavailable
from cumulet.kv.embedded import open_embedded

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

async def main():
    store = open_embedded(Path(sys.argv[1]))
    for number in range(1_000):
        async def work(tx):
            tx.set(b"%06d" % number, b"x" * 1_000)
        try:
            await store.transact(work)
        except Unavailable:
            print(number)
            break
    assert await store.transact(lambda tx: tx.get(b"000000")) is not None
    await store.close()

asyncio.run(main())
"""


def test_a_file_that_cannot_grow_stops_the_writing_and_loses_nothing(tmp_path):
    """The kernel's own refusal, by a limit on the size of files."""
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "kv")]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    answered = int(done.stdout)
    assert 200 < answered < 400

    async def story(store, disk):
        rows = await store.transact(lambda tx: tx.scan(b"", b"z", limit=9_999))
        assert [key for key, _ in rows][:answered] == [b"%06d" % n for n in range(answered)]

    with_store(tmp_path, story)


def test_a_folder_that_is_open_cannot_be_opened_again(tmp_path):
    code = (
        "import sys; from pathlib import Path; from cumulet.kv.embedded import *\n"
        "try: open_embedded(Path(sys.argv[1]))\n"
        "except InUse as error: print(error)"
    )

    async def story(store, disk):
        with pytest.raises(InUse, match="in use"):
            open_embedded(tmp_path / "kv")
        command = [sys.executable, "-c", code, str(tmp_path / "kv")]
        done = subprocess.run(command, capture_output=True, check=True, timeout=60)
        assert b"is in use by another process" in done.stdout
        await put(store, b"still")

    with_store(tmp_path, story)


def test_a_folder_of_a_later_release_is_refused(tmp_path):
    with_store(tmp_path, lambda store, disk: put(store, b"k"))
    marker = tmp_path / "kv" / "FORMAT"
    marker.write_text("cumulet-kv 99\n")
    with pytest.raises(Unavailable, match="later release"):
        open_embedded(tmp_path / "kv")
    marker.write_text("something else\n")
    with pytest.raises(Damaged, match="not a marker"):
        open_embedded(tmp_path / "kv")


def test_a_folder_that_cannot_be_made_is_said_so(tmp_path):
    (tmp_path / "kv").write_text("a file")
    with pytest.raises(Unavailable, match="cannot be used"):
        open_embedded(tmp_path / "kv")


def test_a_lost_table_file_is_found_when_opening(tmp_path):
    with_store(tmp_path, lambda store, disk: put(store, b"k"))
    with_store(tmp_path, lambda store, disk: put(store, b"l"))
    next((tmp_path / "kv" / "rocks").glob("*.sst")).unlink()
    with pytest.raises(Unavailable):
        open_embedded(tmp_path / "kv")


def test_damage_of_stored_tables_is_an_error_and_never_a_shorter_answer(tmp_path):
    async def fill(store, disk):
        async def work(tx):
            for number in range(3_000):
                tx.set(b"k/%06d" % number, number.to_bytes(4, "big") * 20)

        await store.transact(work)

    with_store(tmp_path, fill)
    table = max((tmp_path / "kv" / "rocks").glob("*.sst"), key=lambda path: path.stat().st_size)
    content = bytearray(table.read_bytes())
    for at in range(1_000, len(content) // 2, 500):
        content[at] ^= 0x55
    table.write_bytes(content)

    async def story(store, disk):
        for reverse in (False, True):
            with pytest.raises(Unavailable, match="cannot be read"):
                await store.transact(
                    lambda tx, reverse=reverse: tx.scan(b"k/", b"k0", limit=9_999, reverse=reverse)
                )
        with pytest.raises(Unavailable, match="cannot be read"):
            await store.transact(lambda tx: tx.get(b"k/000900"))

    with_store(tmp_path, story)


def test_a_backup_is_whole_while_writing_goes_on(tmp_path):
    async def story(store, disk):
        stop = asyncio.Event()

        async def pair(tx, number):
            tx.set(b"a/%06d" % number, b"x" * 100)
            tx.set(b"b/%06d" % number, b"x" * 100)

        async def write(first):
            number = first
            while not stop.is_set():
                await store.transact(lambda tx, number=number: pair(tx, number))
                number += 10
            return number

        await asyncio.gather(*(store.transact(lambda tx, n=n: pair(tx, n)) for n in range(1_000)))
        writing = asyncio.gather(*(write(1_000 + number) for number in range(10)))
        await store.backup(tmp_path / "saved")
        await store.backup(tmp_path / "saved-again")
        with pytest.raises(FileExistsError):
            await store.backup(tmp_path / "saved")
        stop.set()
        await writing
        await put(store, b"a/later")

    with_store(tmp_path, story)

    async def saved(store, disk):
        rows = await store.transact(lambda tx: tx.scan(b"", b"z", limit=99_999))
        keys = {key for key, _ in rows}
        assert {b"a/%06d" % number for number in range(1_000)} <= keys
        assert b"a/later" not in keys
        assert {key[2:] for key in keys if key[:2] == b"a/"} == {
            key[2:] for key in keys if key[:2] == b"b/"
        }
        await put(store, b"works")

    for name in ("saved", "saved-again"):
        (tmp_path / name).rename(tmp_path / "kv-of-backup")
        restored = tmp_path / "restored" / name
        restored.mkdir(parents=True)
        (tmp_path / "kv-of-backup").rename(restored / "kv")
        with_store(restored, saved)


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


def test_a_scan_over_many_removed_keys_is_right_and_has_them_merged_away(tmp_path):
    async def story(store, disk):
        live = [b"q/%06d" % number for number in (0, 3_000, 3_001, 9_000)]

        async def fill(tx):
            for number in range(9_001):
                tx.set(b"q/%06d" % number, b"x")

        async def wipe(tx):
            for number in range(9_001):
                if b"q/%06d" % number not in live:
                    tx.clear(b"q/%06d" % number)

        async def work(tx):
            up = [key for key, _ in await tx.scan(b"q/", b"q0", limit=9)]
            down = [key for key, _ in await tx.scan(b"q/", b"q0", limit=9, reverse=True)]
            middle = [key for key, _ in await tx.scan(b"q/001000", b"q/002000", limit=9)]
            return up, down, middle

        await store.transact(fill)
        for _ in range(3):
            await store.transact(wipe)
            assert await store.transact(work) == (live, live[::-1], [])
            await settle()

    with_store(tmp_path, story)


def test_merging_takes_the_weight_off_later_scans(tmp_path):
    async def story(store, disk):
        async def write(tx, start, change):
            for number in range(4_000):
                change(tx, start + b"%06d" % number)

        def scan(tx):
            return tx.scan(b"q/", b"q0", limit=9)

        await store.transact(lambda tx: write(tx, b"q/", lambda tx, key: tx.set(key, b"x")))
        await store.transact(lambda tx: write(tx, b"q/", lambda tx, key: tx.clear(key)))
        assert await store.transact(scan) == []
        assert store._reading.merges == 1
        store._reading.stop()
        await store.transact(lambda tx: write(tx, b"other/", lambda tx, key: tx.set(key, b"x")))
        assert await store.transact(scan) == []
        assert store._reading.merges == 1

    with_store(tmp_path, story)


SMALL = """
import asyncio, sys
from pathlib import Path
def used(name):
    for line in open("/proc/self/status"):
        if line.startswith(name):
            return int(line.split()[1])
before = used("VmRSS:")
from cumulet.kv.embedded import open_embedded
async def main():
    store = open_embedded(Path(sys.argv[1]))
    async def work(tx):
        tx.set(b"k", b"v")
    await store.transact(work)
    print(used("VmRSS:") - before, used("Threads:"))
    await store.close()
asyncio.run(main())
"""


def test_an_idle_store_is_small(tmp_path):
    command = [sys.executable, "-c", SMALL, str(tmp_path / "kv")]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    memory_kb, threads = map(int, done.stdout.split())
    assert memory_kb < MEMORY_KB_MAX
    assert threads <= 8
