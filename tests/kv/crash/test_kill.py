"""A process killed at any point loses nothing that it answered, and leaves no half of a batch."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.kv.crash.batches import check_batches, check_new_stamp

from cumulet.kv.embedded import open_embedded

PROJECT = Path(__file__).parents[3]


def write_until_killed(folder, point="never", nth=0, first=0, kill_after=None):
    """The numbers that the writer answered before it died."""
    command = [
        sys.executable,
        "-m",
        "tests.kv.crash.writer",
        str(folder),
        point,
        str(nth),
        str(first),
    ]
    answered = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=PROJECT) as process:
        for line in process.stdout:
            if line.endswith(b"\n"):
                answered.append(int(line))
            if kill_after is not None and len(answered) == kill_after:
                process.kill()
    assert process.returncode == -signal.SIGKILL
    return answered


def check(folder, answered):
    async def story():
        store = open_embedded(folder)
        there = await check_batches(store)
        assert set(answered) <= set(there)
        await check_new_stamp(store)
        await store.close()
        return there

    return asyncio.run(story())


@pytest.mark.parametrize("nth", [1, 2, 9, 60])
@pytest.mark.parametrize("point", ["applied", "sync-begin", "sync-end"])
def test_killed_at_a_write_point(tmp_path, point, nth):
    answered = write_until_killed(tmp_path / "kv", point, nth)
    check(tmp_path / "kv", answered)
    if nth == 60:
        assert answered


def test_killed_again_and_again_at_any_moment(tmp_path):
    there, answered = [], []
    for kill_after in (1, 17, 130, 700, 60):
        first = there[-1] + 1 if there else 0
        answered += write_until_killed(tmp_path / "kv", first=first, kill_after=kill_after)
        there = check(tmp_path / "kv", answered)
    assert len(there) >= 900
