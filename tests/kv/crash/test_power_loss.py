"""When the machine stops, what was not synced may be gone or torn; what was answered must be there.

Here the log is cut, as if only a part of its end had reached the disk.
"""

import asyncio
import random
import shutil

import pytest
from tests.kv.crash.batches import check_batches, check_new_stamp, save_batch

from cumulet.kv.embedded import Damaged, open_embedded


def newest_log(folder):
    return max((folder / "rocks").glob("*.log"))


class Recorded:
    """A store's folder copied while open, and how much of its log each answer had synced."""

    def __init__(self, folder, batches):
        self.folder = folder / "copy"
        self.answered_at: list[tuple[int, int]] = []
        asyncio.run(self._record(folder / "kv", batches))
        self.log = newest_log(self.folder)
        self.content = self.log.read_bytes()

    async def _record(self, folder, batches):
        synced = []

        def on_step(step):
            if step == "sync-begin":
                synced.append(newest_log(folder).stat().st_size)

        store = open_embedded(folder, on_step=on_step)

        async def task(number):
            await store.transact(lambda tx: save_batch(tx, number))
            self.answered_at.append((number, synced[-1]))

        for first in range(0, batches, 4):
            await asyncio.gather(*(task(first + more) for more in range(4)))
        shutil.copytree(folder, self.folder)
        await store.close()

    def open_with_log(self, content, folder):
        shutil.copytree(self.folder, folder)
        (folder / "rocks" / self.log.name).write_bytes(content)

        async def story():
            store = open_embedded(folder)
            there = await check_batches(store)
            await check_new_stamp(store)
            await store.close()
            return there

        return asyncio.run(story())

    def answered_by(self, size):
        return {number for number, synced in self.answered_at if synced <= size}


def test_a_log_cut_anywhere_keeps_what_was_answered_up_to_there(tmp_path):
    recorded = Recorded(tmp_path, 40)
    chooser = random.Random(3)
    sizes = {len(recorded.content), 0} | {
        chooser.randrange(len(recorded.content)) for _ in range(25)
    }
    for size in sorted(sizes):
        there = recorded.open_with_log(recorded.content[:size], tmp_path / f"cut-{size}")
        assert recorded.answered_by(size) <= set(there)
    assert len(recorded.answered_by(len(recorded.content))) == 40


def test_a_log_longer_than_what_was_written_is_read_whole(tmp_path):
    recorded = Recorded(tmp_path, 8)
    there = recorded.open_with_log(recorded.content + bytes(5_000), tmp_path / "longer")
    assert there == list(range(8))


@pytest.mark.parametrize("left", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("filling", [b"\0", b"\x01", b"\xa5\x01\x00"])
def test_a_last_write_that_came_out_wrong_is_dropped(tmp_path, left, filling):
    """Its length reached the disk before its bytes did."""
    recorded = Recorded(tmp_path, 40)
    before_last = recorded.answered_at[-5][1]
    size = len(recorded.content)
    torn = before_last + int((size - before_last) * left)
    content = (recorded.content[:torn] + filling * size)[:size]
    there = recorded.open_with_log(content, tmp_path / "torn")
    assert recorded.answered_by(before_last) <= set(there)
    assert len(there) < 40
    assert recorded.open_with_log(recorded.content, tmp_path / "whole") == list(range(40))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6])
def test_damage_before_answered_writes_is_refused_and_never_passed_over(tmp_path, share):
    recorded = Recorded(tmp_path, 40)
    at = int(len(recorded.content) * share) + 20
    flipped = bytes([recorded.content[at] ^ 0x40])
    content = recorded.content[:at] + flipped + recorded.content[at + 1 :]
    with pytest.raises(Damaged, match="damaged"):
        recorded.open_with_log(content, tmp_path / "flipped")
