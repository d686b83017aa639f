"""A signed, authorised and traced GetCallerIdentity over 64 connections, on one core."""

from __future__ import annotations

from bench.clouds import PEERS, bare, ours
from bench.load import measure
from bench.peers import available
from bench.report import ratio, show
from bench.requests import CALLER_IDENTITY, FORM, plain, signed

PER_SECOND_MIN = 10_000


def run() -> None:
    rows = []
    with bare() as server:
        floor = measure(server.endpoint, plain(server.endpoint, "GET", "/"))
    with ours() as server:
        before = server.cpu_seconds()
        request = signed(
            server.endpoint, server.key, "sts", "POST", "/", CALLER_IDENTITY, dict(FORM)
        )
        own = measure(server.endpoint, request)
        used = server.cpu_seconds() - before
    rows.append(
        (
            "bare server",
            floor.per_second,
            ratio(floor.per_second, own.per_second),
            floor.p50_ms,
            floor.failed,
        )
    )
    rows.append(("cumulet", own.per_second, "1.00×", own.p50_ms, own.failed))
    for name, start in available(PEERS).items():
        with start() as server:
            request = signed(
                server.endpoint, server.key, "sts", "POST", "/", CALLER_IDENTITY, dict(FORM)
            )
            peer = measure(server.endpoint, request)
        rows.append(
            (
                name,
                peer.per_second,
                ratio(peer.per_second, own.per_second),
                peer.p50_ms,
                peer.failed,
            )
        )
    show(
        "GetCallerIdentity, 64 connections, one core (peers verify no signature)",
        ("cloud", "per s", "of ours", "p50 ms", "failed"),
        rows,
        f"aim: above {PER_SECOND_MIN:,} a second; ours used {used:.1f} s of its core",
    )
