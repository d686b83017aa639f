# ruff: noqa: PTH123, PTH208
# Plain calls rather than pathlib: this runs in every fork and should touch little memory.
"""Ending every process of an environment where no process namespace does it for us.

The first process adopts orphans, so all of them are below it; they are stopped before they are
killed, so that none can fork away, and it is repeated until none is left.
"""

from __future__ import annotations

import os
import signal
from types import FrameType

from cumulet.sandbox.child import kernel

ROUNDS_MAX = 1_000


def on_termination() -> None:
    """End everything at SIGTERM, which is also what the death of the cloud sends."""

    def end(number: int, frame: FrameType | None) -> None:
        end_all()
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    kernel.die_with_parent(signal.SIGTERM)


def end_all() -> None:
    """Kill and reap every descendant."""
    for _ in range(ROUNDS_MAX):
        found = descendants(os.getpid())
        if not found:
            return
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in found:
                try:
                    os.kill(pid, number)
                except OSError:
                    continue
        _reap()


def _reap() -> None:
    while True:
        try:
            pid, _ = os.waitpid(-1, 0)
        except ChildProcessError:
            return
        if not pid:
            return


def descendants(pid: int) -> list[int]:
    """Every process below `pid`, nearest first."""
    found = [pid]
    for known in found:
        try:
            for task in os.listdir(f"/proc/{known}/task"):
                with open(f"/proc/{known}/task/{task}/children") as file:
                    found += map(int, file.read().split())
        except OSError:
            continue
    return found[1:]
