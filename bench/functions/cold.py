"""The cold start of a Python function that makes a boto3 client, beside a bare fork."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

from bench.clouds import children, family, ours
from bench.functions import WITH_CLIENT, client, make_function
from bench.report import missed, ratio, show

ROUNDS = 40
SETTLE_SECONDS_MAX = 1.0
P50_MS_MAX = 12
MEMORY_MB_MAX = 5


def run() -> None:
    with ours() as server:
        make_function(server, "cold", WITH_CLIENT)
        lambda_ = client(server, "lambda")
        lambda_.invoke(FunctionName="cold")
        whole, warm = [], []
        for round_ in range(ROUNDS):
            # A new configuration is a new version of the environment: the next call is cold.
            before = set(environments(server.process.pid))
            lambda_.update_function_configuration(FunctionName="cold", Description=str(round_))
            wait_for_an_end(server.process.pid, before)
            begin = time.perf_counter()
            lambda_.invoke(FunctionName="cold", Payload=b"{}")
            whole.append((time.perf_counter() - begin) * 1000)
            begin = time.perf_counter()
            lambda_.invoke(FunctionName="cold", Payload=b"{}")
            warm.append((time.perf_counter() - begin) * 1000)
        private = environment_mb(server.process.pid)
    fork = statistics.median(bare_fork_ms() for _ in range(ROUNDS))
    cold_ms = statistics.median(whole) - statistics.median(warm)
    show(
        "cold start of a Python function with a boto3 client, isolation on",
        ("what", "p50 ms", "of a fork", "own MB"),
        [
            ("bare fork and exit", fork, "1.00×", "–"),
            ("cumulet, above a warm call", cold_ms, ratio(cold_ms, fork), private),
        ],
        f"aim: p50 under {P50_MS_MAX} ms and under {MEMORY_MB_MAX} MB of its own",
    )
    missed("cold start, p50 ms", cold_ms, at_most=P50_MS_MAX)
    missed("memory of an idle environment, MB", private, at_most=MEMORY_MB_MAX)


def environments(pid: int) -> list[int]:
    """The first process of each environment, blank ones included."""
    return [one for zygote in children(pid) for one in children(zygote)]


def wait_for_an_end(pid: int, before: set[int]) -> None:
    """Until one of these environments is gone: the end of a predecessor is no part of a start."""
    deadline = time.monotonic() + SETTLE_SECONDS_MAX
    while before.issubset(environments(pid)) and time.monotonic() < deadline:
        pass


def environment_mb(pid: int) -> float:
    """Private memory of the function's environment: of all its processes, but of no zygote.

    Beside it there are only blank ones, whose processes are in no function's folder yet.
    """
    sums = (
        sum(private_mb(each) for each in family(one))
        for one in environments(pid)
        if any(is_at_work(each) for each in family(one))
    )
    return max(sums, default=0.0)


def is_at_work(pid: int) -> bool:
    """Whether a process has become a function."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == Path("/var/task")
    except OSError:
        return False


def private_mb(pid: int) -> float:
    """Private memory of a process in MB."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private")) / 1024


def bare_fork_ms() -> float:
    begin = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return (time.perf_counter() - begin) * 1000
