"""What is particular to the engine on disk: its folder, backups, size and tidying."""

import asyncio
import subprocess
import sys
from hashlib import sha256

import pytest
from tests.kv.disk import put, settle, with_store

from cumulet.kv.contract import Unavailable
from cumulet.kv.embedded import Damaged, InUse, open_embedded

MEMORY_KB_MAX = 24_000
READ_BYTES_MAX = 25_000


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


def test_a_read_brings_in_little_however_many_keys_there_are(tmp_path):
    keys = [sha256(b"%d" % number).hexdigest().encode() * 2 for number in range(30_000)]

    async def fill(store, disk):
        for start in range(0, len(keys), 5_000):

            async def work(tx, start=start):
                for key in keys[start : start + 5_000]:
                    tx.set(key, key + key)

            await store.transact(work)
        store._db.flush()
        store._db.compact_range(None, None)

    async def read(store, disk):
        assert await store.transact(lambda tx: tx.get(keys[9])) == keys[9] + keys[9]
        read_bytes = store._db.property_int_value("rocksdb.block-cache-usage")
        assert read_bytes < READ_BYTES_MAX, "in one piece the index alone has 50,000 bytes"

    with_store(tmp_path, fill)
    with_store(tmp_path, read)


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
