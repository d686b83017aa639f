"""Objects of 1 KB and listings over many connections, and objects of 100 MB one at a time.

Beside peers, and beside the machine itself.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from bench.clouds import Server, ours
from bench.databases.peers import Start
from bench.load import Rate
from bench.report import missed, ratio, show
from bench.requests import signed
from bench.storage.stores import stores

CONNECTIONS = 64
TURNS = 2
BUCKET = "bench"
SMALL = b"x" * 1024
LARGE_BYTES = 100 * 1024 * 1024
KEYS = 10_000
WRITERS = 8
AIMS = {"put 1 KB": 4_000, "get 1 KB": 8_000}
"""Answers for each second of the main process's processor; every put is on the disk first."""
PUT_SHARE = 0.5
"""A large put reaches at least this share of what the machine writes and digests by itself."""


def client_of(server: Server) -> Any:
    """A client of the server, with addresses that name no host of its own."""
    return boto3.client(
        "s3",
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=server.key[0],
        aws_secret_access_key=server.key[1],
        config=Config(s3={"addressing_style": "path"}, max_pool_connections=WRITERS),
    )


def request(server: Server, method: str, path: str) -> bytes:
    """A signed request about small objects, its payload under the signature."""
    body = SMALL if method == "PUT" else b""
    headers = {"X-Amz-Content-SHA256": hashlib.sha256(body).hexdigest()}
    return signed(server.endpoint, server.key, "s3", method, f"/{BUCKET}{path}", body, headers)


def measured(server: Server) -> dict[str, Rate]:
    """Each small operation's rate: of two turns the better."""
    found = {}
    for name, method, path in (
        ("put 1 KB", "PUT", "/small"),
        ("get 1 KB", "GET", "/small"),
        (f"list 1,000 of {KEYS:,}", "GET", "?list-type=2&max-keys=1000&start-after=key-05000"),
    ):
        if path.startswith("?"):
            fill(server)
        asked = request(server, method, path)
        turns = [server.measure(asked, CONNECTIONS) for _ in range(TURNS)]
        found[name] = max(turns, key=lambda rate: rate.per_cpu_second)
    return found


def fill(server: Server) -> None:
    """Many small objects."""
    client = client_of(server)
    with ThreadPoolExecutor(WRITERS) as threads:
        put = partial(client.put_object, Bucket=BUCKET, Body=b"x")
        for made in [threads.submit(put, Key=f"key-{number:05}") for number in range(KEYS)]:
            made.result()


def large(server: Server) -> dict[str, float]:
    """MB a second of one large put and one large get: of two turns the better."""
    client = client_of(server)
    named = {"Bucket": BUCKET, "Key": "large"}
    data = os.urandom(1 << 20) * (LARGE_BYTES >> 20)
    found = {"put 100 MB": 0.0, "get 100 MB": 0.0}
    for _ in range(TURNS):
        started = time.perf_counter()
        _send(client.generate_presigned_url("put_object", named), "PUT", data)
        put = time.perf_counter()
        if _send(client.generate_presigned_url("get_object", named), "GET") != LARGE_BYTES:
            raise RuntimeError("it does not read what was written")
        got = time.perf_counter()
        found["put 100 MB"] = max(found["put 100 MB"], LARGE_BYTES / (put - started) / 1e6)
        found["get 100 MB"] = max(found["get 100 MB"], LARGE_BYTES / (got - put) / 1e6)
    return found


def _send(url: str, method: str, data: bytes = b"") -> int:
    """How many bytes came back."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=120)
    connection.request(method, f"{parts.path}?{parts.query}", data)
    answer = connection.getresponse()
    size = 0
    while piece := answer.read(1 << 20):
        size += len(piece)
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{method} was answered with {answer.status}")
    return size


def machine_speed(folder: Path) -> float:
    """MB a second of writing, digesting and syncing one file, with nothing around it."""
    data = os.urandom(1 << 20)
    digest = hashlib.md5(usedforsecurity=False)
    started = time.perf_counter()
    with (folder / "plain").open("wb") as file:
        for _ in range(LARGE_BYTES >> 20):
            digest.update(data)
            file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return LARGE_BYTES / (time.perf_counter() - started) / 1e6


def of_one(start: Start) -> tuple[dict[str, Rate], dict[str, float]]:
    """Everything about one server; nothing of large objects where it refuses them."""
    with start() as server:
        client_of(server).create_bucket(Bucket=BUCKET)
        small = measured(server)
        try:
            return small, large(server)
        except (RuntimeError, OSError) as problem:
            print(f"  {server.name} takes no objects of 100 MB: {problem}")
            return small, {}


def run() -> None:
    small, big = of_one(ours)
    with tempfile.TemporaryDirectory() as folder:
        plain = machine_speed(Path(folder))
    peers = {name: of_one(start) for name, start in stores().items()}
    show(
        f"S3, objects of 1 KB, {CONNECTIONS} connections, one core; here signatures and payloads "
        "are verified, and every put is encrypted and on the disk when it answers",
        ("operation", "server", "per CPU s", "of ours", "per s", "p50 ms", "p99 ms", "failed"),
        [
            (
                *(name, server, rate.per_cpu_second),
                ratio(rate.per_cpu_second, small[name].per_cpu_second),
                *(rate.per_second, rate.p50_ms, rate.p99_ms, rate.failed),
            )
            for name in small
            for server, rate in [("cumulet", small[name])]
            + [(peer, rates[name]) for peer, (rates, _) in peers.items()]
        ],
        f"aims: {', '.join(f'{name} {least:,}' for name, least in AIMS.items())}",
    )
    show(
        "S3, one object of 100 MB",
        ("operation", "server", "MB/s", "of the machine's own"),
        [
            *(
                (name, server, speeds[name], ratio(speeds[name], plain))
                for name in big
                for server, speeds in [("cumulet", big)]
                + [(peer, speeds) for peer, (_, speeds) in peers.items() if speeds]
            ),
            ("write, MD5 and sync alone", "", plain, "1"),
        ],
    )
    for name, least in AIMS.items():
        missed(f"{name} per CPU second", small[name].per_cpu_second, at_least=least)
    missed("put of 100 MB", big["put 100 MB"], at_least=plain * PUT_SHARE)


if __name__ == "__main__":
    run()
