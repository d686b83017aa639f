"""A signed, authorised and traced GetCallerIdentity over 64 connections, on one core."""

from __future__ import annotations

from bench.clouds import PEERS, Server, bare, ours
from bench.load import Rate
from bench.peers import available
from bench.report import missed, ratio, show
from bench.requests import CALLER_IDENTITY, FORM, plain, signed

PER_SECOND_MIN = 10_000
CONNECTIONS = 64


def asked(server: Server) -> Rate:
    request = signed(server.endpoint, server.key, "sts", "POST", "/", CALLER_IDENTITY, dict(FORM))
    return server.measure(request, CONNECTIONS)


def run() -> None:
    with bare() as server:
        found = {"bare server": server.measure(plain(server.endpoint, "GET", "/"), CONNECTIONS)}
    with ours() as server:
        own = found["cumulet"] = asked(server)
    for name, start in available(PEERS).items():
        with start() as server:
            found[name] = asked(server)
    rows = [
        (name, rate.per_cpu_second, ratio(rate.per_cpu_second, own.per_cpu_second),
         rate.per_second, rate.p50_ms, rate.failed)
        for name, rate in found.items()
    ]  # fmt: skip
    show(
        "GetCallerIdentity, 64 connections, one core (peers verify no signature)",
        ("cloud", "per CPU s", "of ours", "per s", "p50 ms", "failed"),
        rows,
        f"aim: above {PER_SECOND_MIN:,} for each second of the main process's processor",
    )
    missed("GetCallerIdentity per CPU second", own.per_cpu_second, at_least=PER_SECOND_MIN)
