"""A REST API's proxy request to a warm function, sixteen callers: bare, and with all admission."""

from __future__ import annotations

from bench.clouds import PEERS, Server, ours
from bench.functions import admit, make_api, make_function
from bench.gateways.offline import serverless_offline
from bench.load import Rate
from bench.peers import available
from bench.report import missed, ratio, show
from bench.requests import plain

PER_SECOND_MIN = 4_000
ADMITTED_PART_MIN = 0.75
"""Of the bare rate, what must be left with an authorizer, a key, a plan, a quota and throttles."""

CONNECTIONS = 16


def proxied(server: Server) -> Rate:
    path = make_api(server, make_function(server))
    return server.measure(plain(server.endpoint, "GET", path), CONNECTIONS)


def compared(server: Server) -> tuple[Rate, Rate]:
    """The bare rate and the admitted one, of the same API, measured by turns: others use the
    machine too, and a turn of each is near to the other.
    """
    function = make_function(server)
    path = make_api(server, function)
    bare = plain(server.endpoint, "GET", path)
    admitted = plain(server.endpoint, "GET", *admit(server, path, function))
    turns = [
        (server.measure(bare, CONNECTIONS), server.measure(admitted, CONNECTIONS)) for _ in range(2)
    ]
    return max(turns, key=lambda turn: turn[0].per_cpu_second)


def run() -> None:
    with ours() as server:
        own, admitted = compared(server)
    found = {"cumulet": own, "cumulet, admitted": admitted}
    for name, start in available({"ministack": PEERS["ministack"]}).items():
        try:
            with start() as server:
                found[name] = proxied(server)
        except Exception as problem:
            print(f"  {name} could not do this work: {problem}")
    offline = serverless_offline()
    if offline is not None:
        found["serverless-offline"] = offline
    rows = [
        (name, rate.per_cpu_second or "–", ratio(rate.per_cpu_second, own.per_cpu_second),
         rate.per_second, ratio(rate.per_second, own.per_second), rate.p50_ms, rate.p99_ms,
         rate.failed)
        for name, rate in found.items()
    ]  # fmt: skip
    show(
        "REST proxy request to a warm function, 16 connections; admitted: with a cached Lambda "
        "authorizer, an API key, a usage plan with quota and throttles",
        ("cloud", "per CPU s", "of ours", "per s", "of ours", "p50 ms", "p99 ms", "failed"),
        rows,
        f"aim: above {PER_SECOND_MIN:,} for each second of the main process's processor, and "
        f"{ADMITTED_PART_MIN:.0%} of that when admitted",
    )
    missed("REST proxy per CPU second", own.per_cpu_second, at_least=PER_SECOND_MIN)
    missed(
        "admitted REST proxy, part of the bare rate",
        admitted.per_cpu_second / own.per_cpu_second if own.per_cpu_second else 0.0,
        at_least=ADMITTED_PART_MIN,
    )
