"""A signed Invoke of a warm function: latency of one caller, and the rate of sixteen."""

from __future__ import annotations

from bench.clouds import PEERS, Server, bare, ours
from bench.functions import make_function
from bench.load import Rate, measure
from bench.peers import available
from bench.report import ratio, show
from bench.requests import plain, signed

PER_SECOND_MIN = 5_000
P50_MS_MAX = 0.6
PATH = "/2015-03-31/functions/bench/invocations"


def both(server: Server) -> tuple[Rate, Rate]:
    make_function(server)
    request = signed(server.endpoint, server.key, "lambda", "POST", PATH, b'{"a": 1}')
    return (
        measure(server.endpoint, request, connections=1),
        measure(server.endpoint, request, connections=16),
    )


def run() -> None:
    with bare() as server:
        request = plain(server.endpoint, "GET", "/")
        floor = (
            measure(server.endpoint, request, connections=1),
            measure(server.endpoint, request, connections=16),
        )
    with ours() as server:
        own = both(server)
    found = {"bare server": floor, "cumulet": own}
    for name, start in available({"ministack": PEERS["ministack"]}).items():
        try:
            with start() as server:
                found[name] = both(server)
        except Exception as problem:
            print(f"  {name} could not do this work: {problem}")
    rows = [
        (name, one.p50_ms, ratio(one.p50_ms, own[0].p50_ms), many.per_second,
         ratio(many.per_second, own[1].per_second), one.failed + many.failed)
        for name, (one, many) in found.items()
    ]  # fmt: skip
    show(
        "warm Invoke through the wire (1 and 16 connections; moto needs Docker for this)",
        ("cloud", "p50 ms", "of ours", "per s", "of ours", "failed"),
        rows,
        f"aim: p50 under {P50_MS_MAX} ms and above {PER_SECOND_MIN:,} a second on the cloud's core",
    )
