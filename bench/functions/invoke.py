"""A signed Invoke of a warm function: latency of one caller, and the rate of sixteen."""

from __future__ import annotations

from bench.clouds import PEERS, Server, bare, ours
from bench.functions import make_function
from bench.load import Rate
from bench.peers import available
from bench.report import missed, ratio, show
from bench.requests import plain, signed

PER_SECOND_MIN = 5_000
P50_MS_MAX = 0.6
CONNECTIONS = 16
PATH = "/2015-03-31/functions/bench/invocations"


def both(server: Server, request: bytes) -> tuple[Rate, Rate]:
    return server.measure(request, 1), server.measure(request, CONNECTIONS)


def invoked(server: Server, *, logs: bool = False) -> tuple[Rate, Rate]:
    make_function(server, logs=logs)
    return both(server, signed(server.endpoint, server.key, "lambda", "POST", PATH, b'{"a": 1}'))


def run() -> None:
    with bare() as server:
        found = {"bare server": both(server, plain(server.endpoint, "GET", "/"))}
    with ours() as server:
        own = found["cumulet"] = invoked(server)
    with ours() as server:
        found["cumulet, logs kept"] = invoked(server, logs=True)
    for name, start in available({"ministack": PEERS["ministack"]}).items():
        try:
            with start() as server:
                found[name] = invoked(server)
        except Exception as problem:
            print(f"  {name} could not do this work: {problem}")
    rows = [
        (name, one.p50_ms, ratio(one.p50_ms, own[0].p50_ms), many.per_cpu_second,
         ratio(many.per_cpu_second, own[1].per_cpu_second), many.per_second,
         one.failed + many.failed)
        for name, (one, many) in found.items()
    ]  # fmt: skip
    show(
        "warm Invoke through the wire: p50 of 1 connection, rates of 16 (moto needs Docker for it)",
        ("cloud", "p50 ms", "of ours", "per CPU s", "of ours", "per s", "failed"),
        rows,
        f"aim: p50 under {P50_MS_MAX} ms, above {PER_SECOND_MIN:,} for each second of the main "
        "process's processor. Logs are kept when the function's role may write them.",
    )
    missed("warm Invoke, p50 ms", own[0].p50_ms, at_most=P50_MS_MAX)
    missed("warm Invoke per CPU second", own[1].per_cpu_second, at_least=PER_SECOND_MIN)
