"""Ours, and the peers that can be had, each started in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import httptools
import uvloop

from bench.load import Rate, measure

SERVER_CPU = 0


@dataclass
class Server:
    """A server that answers, and what its start took."""

    name: str
    endpoint: str
    key: tuple[str, str]
    process: subprocess.Popen[bytes]
    start_seconds: float

    def memory_mb(self) -> float:
        """Resident memory of the process and all below it, shared pages counted once each (PSS)."""
        return sum(pss(pid) for pid in family(self.process.pid)) / 1024

    def cpu_seconds(self) -> float:
        """Processor time of the main process so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def measure(self, request: bytes, connections: int) -> Rate:
        """Drive the server, and say what its main process could answer in a second of its own.

        Unlike the rate of the wall clock, that figure stands when others use the machine too.
        """
        unpin_children(self.process.pid)
        before = self.cpu_seconds()
        rate = measure(self.endpoint, request, connections=connections)
        used = self.cpu_seconds() - before
        return replace(rate, per_cpu_second=rate.answers / used if used else 0.0)


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    return [pid, *(each for child in children(pid) for each in family(child))]


def children(pid: int) -> list[int]:
    """The processes that a process has started itself."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, task.read_text().split())
    return found


def pss(pid: int) -> float:
    """Proportional set size in KiB."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return float(line.split()[1])
    return 0.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def pin_main(pid: int) -> None:
    """Keep the main process, all its threads, on one processor; its children run on any.

    So a rate is that of one core for the cloud, and functions do not take that core's time.
    """
    if (os.cpu_count() or 1) > 1:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread.name), {SERVER_CPU})


def unpinned() -> None:
    """Let this process, about to be another program, run on any processor."""
    os.sched_setaffinity(0, range(os.cpu_count() or 1))


def unpin_children(pid: int) -> None:
    """Let what a pinned process has started run on any processor."""
    for child in family(pid)[1:]:
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(child, range(os.cpu_count() or 1))


def wait_until(url: str, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"it ended with {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            process.poll()
    raise RuntimeError(f"{url} did not answer")


@contextlib.contextmanager
def started(
    name: str,
    words: list[str],
    port: int,
    health: str,
    key: tuple[str, str],
    env: dict[str, str] | None = None,
) -> Iterator[Server]:
    """Start a program, pinned once it answers; end it, and what it started, afterwards."""
    # Compiled modules are kept, as in any installation: a second start is what users see.
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    begin = time.perf_counter()
    process = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        env={**inherited, **(env or {})}, preexec_fn=unpinned, start_new_session=True,
    )  # fmt: skip
    endpoint = f"http://127.0.0.1:{port}"
    try:
        wait_until(endpoint + health, process)
        took = time.perf_counter() - begin
        pin_main(process.pid)
        yield Server(name, endpoint, key, process, took)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def ours(*program: str) -> Iterator[Server]:
    """This cloud, on data of its own; `program` is how Python is to start it, if in another way."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    port = free_port()
    program = program or ("-m", "cumulet")
    words = [sys.executable, *program, "up", "--data", str(folder), "--port", str(port)]
    try:
        with started("cumulet", words, port, "/_cumulet/health", ("", "")) as server:
            key = json.loads((folder / "root-key.json").read_text())
            server.key = (key["access_key_id"], key["secret_access_key"])
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


COMMANDS = {"ministack": "ministack", "moto server": "moto_server"}


def peer_environment() -> Path:
    """Where `make bench` installs the peers, apart from the product's own environment."""
    return Path(__file__).parent.parent / ".cache" / "peers"


def peer_command(name: str) -> Path:
    """The program of a peer, in an environment of its own."""
    return peer_environment() / COMMANDS[name] / "bin" / COMMANDS[name]


@contextlib.contextmanager
def ministack() -> Iterator[Server]:
    """MiniStack, as a black box."""
    port = free_port()
    words = [str(peer_command("ministack"))]
    env = {"GATEWAY_PORT": str(port), "EDGE_PORT": str(port), "MINISTACK_PORT": str(port)}
    with started("ministack", words, port, "/_localstack/health", ("test", "test"), env) as server:
        yield server


@contextlib.contextmanager
def moto() -> Iterator[Server]:
    """moto's server."""
    port = free_port()
    words = [str(peer_command("moto server")), "-p", str(port)]
    with started("moto server", words, port, "/moto-api/", ("test", "test")) as server:
        yield server


@contextlib.contextmanager
def bare() -> Iterator[Server]:
    """The floor: the same loop and parser, answering a fixed text."""
    port = free_port()
    words = [sys.executable, "-m", "bench.clouds", str(port)]
    with started("bare server", words, port, "/", ("test", "test")) as server:
        yield server


class Bare(asyncio.Protocol):
    """What the bare server does with a connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not asyncio's, though they do the same.
        self.transport = cast("asyncio.Transport", transport)
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")


async def serve(port: int) -> None:
    """Be the bare server: of the same stack as ours, doing nothing."""
    server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", port)
    await server.serve_forever()


PEERS = {"ministack": ministack, "moto server": moto}

if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
