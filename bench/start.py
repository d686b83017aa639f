"""From the command to the first answered request, and the memory of a cloud that waits."""

from __future__ import annotations

import statistics

from bench.clouds import PEERS, Server, ours
from bench.peers import available
from bench.report import missed, ratio, show

ROUNDS = 5
START_SECONDS_MAX = 0.8
MEMORY_MB_MAX = 70


def run() -> None:
    found: dict[str, tuple[float, float]] = {}
    for name, start in {"cumulet": ours, **available(PEERS)}.items():
        seconds, memory = [], []
        for _ in range(ROUNDS):
            with start() as server:
                seconds.append(server.start_seconds)
                memory.append(idle_memory(server))
        found[name] = (statistics.median(seconds), statistics.median(memory))
    own = found["cumulet"]
    rows = [
        (name, at, ratio(at, own[0]), memory, ratio(memory, own[1]))
        for name, (at, memory) in found.items()
    ]
    show(
        "start to first answer, and idle memory",
        ("cloud", "start s", "of ours", "idle MB", "of ours"),
        rows,
        f"aim: under {START_SECONDS_MAX} s and under {MEMORY_MB_MAX} MB (PSS, children included)",
    )
    missed("start to first answer, s", own[0], at_most=START_SECONDS_MAX)
    missed("idle memory, MB", own[1], at_most=MEMORY_MB_MAX)


def idle_memory(server: Server) -> float:
    return server.memory_mb()
