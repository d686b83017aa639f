"""The media upload with 2,000 uploads at once: whether its API notices, and whether one is lost."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from bench.clouds import Server, free_port, pss, started
from bench.load import Rate, measure
from bench.report import missed, ratio, show
from bench.requests import plain
from bench.storage.crowd import CONTENT_TYPE, PIECE_BYTES, PIECE_SECONDS

ROOT = Path(__file__).parent.parent.parent
APPLICATION = ROOT / "apps" / "media-upload"
WHEELS = ROOT / ".cache" / "clients" / "media-wheels"
UPLOADS = 2_000
PIECES = 12
"""Of 16 KB, one in four seconds: what 2,000 clients with 32 kbit/s each bring, 8 MB a second."""
CALLERS = 4
TRIES_MAX = 6
TURNS = 2
TURN_SECONDS = 10.0
RECORDED_SECONDS_MAX = 180
PEOPLE = {"username": "bench", "password": "correct horse battery staple"}
RATIO_MAX = 2.0
"""Of the latency without uploads: what is left of one processor does the same work."""
MEMORY_MB_MAX = 128
"""Above the memory without uploads: 64 KB for each."""


@dataclass(frozen=True)
class Site:
    """The deployed application, as one user of it."""

    server: Server
    path: str
    token: str = ""

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The answer, as JSON. Raises RuntimeError when it is none of success."""
        parts = self.server.endpoint.removeprefix("http://")
        connection = http.client.HTTPConnection(parts, timeout=60)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        text = None if body is None else json.dumps(body)
        connection.request(method, self.path + path, text, headers)
        answer = connection.getresponse()
        told = answer.read()
        connection.close()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path} was answered with {answer.status}: {told!r}")
        return json.loads(told)

    def sign(self, _: int = 0) -> str:
        """The address for one upload; asked for again, as the page does, when it was refused."""
        size = PIECES * PIECE_BYTES
        wanted = {"name": "film.bin", "size": size, "type": CONTENT_TYPE}
        for _ in range(TRIES_MAX - 1):
            with contextlib.suppress(RuntimeError):
                return str(self.ask("POST", "/service/upload", wanted)["url"])
        return str(self.ask("POST", "/service/upload", wanted)["url"])

    def latency(self) -> Rate:
        """How long it takes to get an address, for one client after the other."""
        body = json.dumps({"name": "probe", "size": 1}).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        path = f"{self.path}/service/upload"
        request = plain(self.server.endpoint, "POST", path, body, headers)
        turns = [
            measure(self.server.endpoint, request, connections=1, seconds=TURN_SECONDS)
            for _ in range(TURNS)
        ]
        answered = [turn for turn in turns if turn.per_second]
        if not answered:
            raise RuntimeError(f"no address was signed in {TURNS * TURN_SECONDS:.0f} s")
        return min(answered, key=lambda turn: turn.p50_ms)

    def recorded(self) -> int:
        """How many finished uploads the application knows of."""
        count, after = 0, ""
        while after is not None:
            found = self.ask("GET", f"/service/files?count=100{after and f'&after={after}'}")
            count, after = count + len(found["files"]), found["next"]
        return count


@contextlib.contextmanager
def deployed() -> Iterator[Site]:
    """A cloud with the application, and somebody who is logged in."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder, port = Path(name), free_port()
        data = str(folder / "data")
        words = [sys.executable, "-m", "cumulet", "up", "--data", data, "--port", str(port)]
        with started("cumulet", words, port, "/_cumulet/health", ("", "")) as server:
            site = Site(server, deploy(folder, data))
            site.ask("POST", "/signup", PEOPLE)
            token = site.ask("POST", "/login", PEOPLE)["access_token"]
            yield Site(server, site.path, token)


def deploy(folder: Path, data: str) -> str:
    """Deploy the application; returns the path of its API."""
    copy = folder / "media-upload"
    shutil.copytree(APPLICATION, copy, ignore=shutil.ignore_patterns(".cumulet", ".aws-sam"))
    more = {}
    if WHEELS.is_dir():
        more = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(WHEELS)}
        template = copy / "template.yaml"
        here = f"python3.{sys.version_info.minor}"
        template.write_text(template.read_text().replace("python3.12", here))
    words = [sys.executable, "-m", "cumulet", "deploy", str(copy), "--data", data, "--json"]
    done = subprocess.run(words, stdout=subprocess.PIPE, env={**os.environ, **more}, check=True)
    url = json.loads(done.stdout)["Outputs"]["ApiUrl"]
    api = url.partition("://")[2].partition(".")[0]
    return f"/_aws/execute-api/{api}/$default"


class Watch:
    """The most memory that a process had while this was open."""

    def __init__(self, pid: int) -> None:
        self.most_mb = 0.0
        self._pid = pid
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(0.5):
            self.most_mb = max(self.most_mb, pss(self._pid) / 1024)


def crowd(site: Site, urls: list[str]) -> tuple[Rate, dict[str, int]]:
    """The latency while all uploads are under way, and how they were answered."""
    words = [sys.executable, "-m", "bench.storage.crowd", str(PIECES)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(urls))
        process.stdin.close()
        if process.stdout.readline().strip() != "all":
            raise RuntimeError("the uploads did not all begin")
        during = site.latency()
        still = process.poll() is None
        answers = json.loads(process.stdout.readline())
        if not still:
            raise RuntimeError("the uploads were over before the latency was measured")
        return during, cast("dict[str, int]", answers)
    finally:
        process.kill()
        process.wait()


def settled(site: Site) -> tuple[int, float]:
    """How many uploads are recorded, and after how many seconds all were."""
    begin, count = time.monotonic(), 0
    while count < UPLOADS and time.monotonic() - begin < RECORDED_SECONDS_MAX:
        with contextlib.suppress(RuntimeError):
            count = site.recorded()
        threading.Event().wait(1)
    return count, time.monotonic() - begin


def run() -> None:
    with deployed() as site:
        pid = site.server.process.pid
        site.latency()  # The function's environments are made, once.
        alone = site.latency()
        before_mb = pss(pid) / 1024
        begin = time.monotonic()
        with ThreadPoolExecutor(CALLERS) as callers:
            urls = list(callers.map(site.sign, range(UPLOADS)))
        signed_per_second = UPLOADS / (time.monotonic() - begin)
        with Watch(pid) as watch:
            during, answers = crowd(site, urls)
        count, seconds = settled(site)
        after_mb = pss(pid) / 1024
    rows = [
        (name, rate.p50_ms, ratio(rate.p50_ms, alone.p50_ms), rate.p99_ms,
         ratio(rate.p99_ms, alone.p99_ms), rate.failed)
        for name, rate in (("no uploads", alone), (f"{UPLOADS:,} uploads", during))
    ]  # fmt: skip
    show(
        f"Media upload: latency of the address for an upload, while {UPLOADS:,} others send "
        f"{PIECES * PIECE_BYTES // 1024} KB each, {PIECE_BYTES // 1024} KB in "
        f"{PIECE_SECONDS:.0f} seconds",
        ("under way", "p50 ms", "ratio", "p99 ms", "ratio", "failed"),
        rows,
        f"addresses signed, {CALLERS} callers: {signed_per_second:,.0f} a second; uploads by "
        f"answer: {answers}; recorded by S3's events: {count:,}, the last {seconds:.0f} s later",
    )
    show(
        "Memory of the cloud's process meanwhile",
        ("when", "MB"),
        [("before", before_mb), ("at most", watch.most_mb), ("after", after_mb)],
    )
    missed("uploads recorded", count, at_least=UPLOADS)
    missed("latency among uploads, ratio", during.p50_ms / alone.p50_ms, at_most=RATIO_MAX)
    missed("memory for the uploads, MB", watch.most_mb - before_mb, at_most=MEMORY_MB_MAX)


if __name__ == "__main__":
    run()
