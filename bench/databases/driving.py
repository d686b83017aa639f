"""The driving score as the benchmarks use it: a cloud of its own, its stack, its records."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.clouds import Server, family, pin_main, unpinned

APPLICATION = Path(__file__).parent.parent.parent / "apps" / "driving-score"
STACK = "driving-score-prod"
REQUESTS_PER_SECOND = 1_000
"""What the key may ask for here: the plan's own rate is that of a service, not of a benchmark."""

STOP_SECONDS_MAX = 60
SETTLE_SECONDS_MAX = 120
IDLE_PART = 0.05
"""Of a processor, what a cloud may use that has nothing to do."""

PARTS = 2
"""Files that the records come in, made at once."""


@dataclass(frozen=True)
class Stack:
    """What the deployed application is called."""

    url_path: str
    table: str
    access_log: str
    key: str


def generator() -> ModuleType:
    """The application's own generator."""
    sys.path.insert(0, str(APPLICATION))
    try:
        specification = importlib.util.spec_from_file_location(
            "driving_score_generate", APPLICATION / "generate.py"
        )
        assert specification is not None
        assert specification.loader is not None
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
    finally:
        sys.path.remove(str(APPLICATION))
    return module


@contextlib.contextmanager
def cloud_on(folder: Path, *more: str) -> Iterator[Server]:
    """This cloud on the data of a folder, which stay; its main process has a processor."""
    words = [sys.executable, "-m", "cumulet", "up", "--data", str(folder), "--port", "0", "--json"]
    begin = time.perf_counter()
    process = subprocess.Popen(
        [*words, *more], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL, preexec_fn=unpinned, start_new_session=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        # The announcement is one JSON object over several lines; it ends with a lone brace.
        lines = [b""]
        while lines[-1] != b"}\n":
            lines.append(process.stdout.readline())
            if not lines[-1]:
                raise RuntimeError(f"it ended with {process.wait(STOP_SECONDS_MAX)}")
        endpoint = json.loads(b"".join(lines))["endpoint"]
        took = time.perf_counter() - begin
        pin_main(process.pid)
        key = json.loads((folder / "root-key.json").read_text())
        secret = (key["access_key_id"], key["secret_access_key"])
        yield Server("cumulet", endpoint, secret, process, took)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS_MAX)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def cumulet(folder: Path, *words: str) -> str:
    """Run one of the product's commands on the cloud of a folder; returns what it prints."""
    command = [sys.executable, "-m", "cumulet", *words, "--data", str(folder)]
    done = subprocess.run(command, capture_output=True, check=False, text=True, preexec_fn=unpinned)
    if done.returncode != 0:
        raise RuntimeError(f"cumulet {words[0]}: {done.stderr[-2_000:]}")
    return done.stdout


def deploy(folder: Path, server: Server, client: Any) -> Stack:
    """Deploy the production environment from a copy of the application."""
    copy = folder.parent / "application"
    shutil.copytree(APPLICATION, copy, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    told = cumulet(
        folder, "deploy", str(copy), "--stack-name", STACK, "--json",
        "--parameter", "Environment=prod",
        "--parameter", f"RequestsPerSecond={REQUESTS_PER_SECOND}",
    )  # fmt: skip
    outputs = json.loads(told)["Outputs"]
    api, _, path = outputs["Url"].removeprefix("https://").partition("/")
    key = client(server, "apigateway").get_api_key(apiKey=outputs["ApiKeyId"], includeValue=True)
    return Stack(
        f"/_aws/execute-api/{api.split('.')[0]}/{path}",
        outputs["TableName"],
        outputs["AccessLogName"],
        key["value"],
    )


def write_records(folder: Path, count: int) -> list[Path]:
    """The first `count` records in packed files of JSON lines, the files made at once."""
    files = [folder / f"part-{number}.jsonl.gz" for number in range(PARTS)]
    bounds = [count * number // PARTS for number in range(PARTS + 1)]
    running = [
        subprocess.Popen(
            [
                sys.executable, str(APPLICATION / "generate.py"), "--first", str(first),
                "--count", str(last - first), "--output", str(file),
            ],
            preexec_fn=unpinned,
        )
        for file, first, last in zip(files, bounds, bounds[1:], strict=False)
    ]  # fmt: skip
    codes = {process.wait() for process in running}
    if codes != {0}:
        raise RuntimeError("the records could not be made")
    return files


def trusting(folder: Path) -> ssl.SSLContext:
    """A client's context that trusts the authority of the cloud of a folder, and no other."""
    told = json.loads(cumulet(folder, "env", "--json"))
    return ssl.create_default_context(cafile=told["AWS_CA_BUNDLE"])


def functions_cpu_seconds(server: Server) -> float:
    """Processor time of all that the main process has started, and of what that has started."""
    ticks = 0
    for pid in family(server.process.pid)[1:]:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            # Its own, and that of its children who have ended.
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def settle(server: Server) -> float:
    """Wait until the cloud has tidied up what was written; how many seconds it took."""
    begin = time.perf_counter()
    while time.perf_counter() - begin < SETTLE_SECONDS_MAX:
        used, at = server.cpu_seconds(), time.perf_counter()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.process.wait(1)
        if server.cpu_seconds() - used < IDLE_PART * (time.perf_counter() - at):
            break
    return time.perf_counter() - begin


def size_mb(folder: Path) -> float:
    """What a folder takes on the disk."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return sum(file.stat().st_blocks * 512 for file in files) / 1e6


def machine() -> str:
    """How many processors there are, and how many programs wanted one lately."""
    return f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"
