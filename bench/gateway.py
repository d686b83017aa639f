"""A REST API's proxy request to a warm function, sixteen callers."""

from __future__ import annotations

from bench.clouds import PEERS, Server, ours
from bench.functions import make_api, make_function
from bench.load import Rate
from bench.offline import serverless_offline
from bench.peers import available
from bench.report import missed, ratio, show
from bench.requests import plain

PER_SECOND_MIN = 4_000
CONNECTIONS = 16


def proxied(server: Server) -> Rate:
    path = make_api(server, make_function(server))
    return server.measure(plain(server.endpoint, "GET", path), CONNECTIONS)


def run() -> None:
    with ours() as server:
        own = proxied(server)
    found = {"cumulet": own}
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
        "REST proxy request to a warm function, 16 connections",
        ("cloud", "per CPU s", "of ours", "per s", "of ours", "p50 ms", "p99 ms", "failed"),
        rows,
        f"aim: above {PER_SECOND_MIN:,} for each second of the main process's processor",
    )
    missed("REST proxy per CPU second", own.per_cpu_second, at_least=PER_SECOND_MIN)
