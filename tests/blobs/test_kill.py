"""A process killed while it puts: what it answered is whole, and nothing half-written is a blob."""

import asyncio
import signal
import subprocess
import sys

import pytest

from cumulet.blobs.files import UNFINISHED, FileBlobs
from cumulet.core.clock import SystemClock

WRITER = """
import asyncio, os, sys
from pathlib import Path
from cumulet.blobs.files import FileBlobs
from cumulet.core.clock import SystemClock

async def body(size):
    for _ in range(size):
        yield b"%016d" % size * 4096

async def main():
    blobs = FileBlobs(Path(sys.argv[1]), SystemClock())
    async def task(first):
        for size in range(first, 10_000):
            blob = await blobs.put(body(size % 24), digests=("md5",))
            os.write(1, f"{blob.id} {blob.size_bytes}\\n".encode())
    await asyncio.gather(*(task(first) for first in range(4)))

asyncio.run(main())
"""


@pytest.mark.parametrize("kill_after", [1, 8, 40])
def test_killed_while_putting(tmp_path, kill_after):
    answered = {}
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        for line in process.stdout:
            id, size = line.split()
            answered[id.decode()] = int(size)
            if len(answered) == kill_after:
                process.kill()
    assert process.returncode == -signal.SIGKILL

    async def story():
        blobs = FileBlobs(tmp_path, SystemClock())
        for id, size in answered.items():
            assert blobs.path(id).stat().st_size == size

        async def is_referenced(id):
            return id in answered

        await blobs.sweep(is_referenced, -60)
        await blobs.close()

    whole = {path for path in tmp_path.rglob("*") if path.is_file() and len(path.name) == 32}
    in_place = {path for path in whole if path.parent.name != UNFINISHED}
    for path in in_place:
        data = path.read_bytes()
        assert len(data) == int(data[:16] or b"0") << 16
    asyncio.run(story())
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == set(answered)
