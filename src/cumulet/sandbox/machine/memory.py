"""Watching memory where the kernel does not bound it for us: read, compare, end."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from cumulet.core.clock import Clock
from cumulet.sandbox.environment import Environment
from cumulet.sandbox.links.peers import processes_below
from cumulet.sandbox.states import State

PAUSE_SECONDS = 0.05
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


async def watch(live: Iterable[Environment], clock: Clock) -> None:
    """Look at every environment at work, for ever; `live` is the pool's own set."""
    while True:
        await clock.sleep(PAUSE_SECONDS)
        for environment in list(live):
            if environment.state in (State.INIT, State.RUNNING, State.RETIRED):
                _look(environment)


def _look(environment: Environment) -> None:
    try:
        processes = processes_below(environment.pid())[1:]
    except OSError:
        return
    limit_bytes = environment.memory_mb << 20
    used_bytes = sum(map(_resident_bytes, processes))
    if used_bytes > limit_bytes:
        used_bytes = sum(map(_own_bytes, processes))
        environment.peak_mb = max(environment.peak_mb, used_bytes >> 20)
    if used_bytes > limit_bytes:
        environment.kill_for_memory()


def _resident_bytes(pid: int) -> int:
    """Cheap, but counts pages shared with the zygote in full."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    return 0


def _own_bytes(pid: int) -> int:
    """Pages that this process alone has."""
    total = 0
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Private_"):
                total += int(line.split()[1]) << 10
    return total
