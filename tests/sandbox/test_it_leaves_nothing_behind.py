"""When the cloud is killed outright, every function process dies with it."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

CLOUD = """
import asyncio, pathlib, sys
from cumulet.core.clock import SystemClock
from cumulet.sandbox import FunctionSpec, Invocation, Sandbox, SandboxConfig

SOURCE = '''
import os, subprocess, time
subprocess.Popen(["sh", "-c", "trap '' TERM HUP; while true; do sleep 60; done"],
                 start_new_session=True)
def handler(event, context): time.sleep(60)
'''

async def main():
    folder = pathlib.Path(sys.argv[1])
    (folder / "code").mkdir()
    (folder / "code" / "app.py").write_text(SOURCE)
    config = SandboxConfig(folder / "work", without=tuple(sys.argv[2:]))
    sandbox = Sandbox(config, SystemClock())
    await sandbox.start()
    spec = FunctionSpec("k", "python3.11", "app.handler", folder / "code", timeout_ms=90_000)
    call = asyncio.gather(sandbox.invoke(spec, Invocation("r", b"{}"), on_log=print))
    while not sandbox.busy():
        await asyncio.wait([call], timeout=0.02)
    print("busy", flush=True)
    await call

asyncio.run(main())
"""


def _below(pid):
    found = [pid]
    for known in found:
        for task in Path(f"/proc/{known}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found[1:]


@pytest.mark.parametrize("without", [(), ("processes", "filesystem")])
def test_kill_9_of_the_cloud(tmp_path, without):
    with subprocess.Popen(
        [sys.executable, "-c", CLOUD, str(tmp_path), *without], stdout=subprocess.PIPE
    ) as cloud:
        assert cloud.stdout.readline() == b"busy\n"
        processes = _below(cloud.pid)
        assert len(processes) >= 4
        ends = [os.pidfd_open(pid) for pid in processes]
        cloud.send_signal(signal.SIGKILL)
        cloud.wait()
        for end in ends:
            assert select.select([end], [], [], 10)[0], "a process of a function lives on"
            os.close(end)
