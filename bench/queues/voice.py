"""The voice application under its seed's load: bursts of jobs, its machine cut off, a kill.

A day of the seed is 2,000 calls and 11 GB; ten times as fast that is 2.4 hours, of which a tenth is
measured: `CUMULET_VOICE_JOBS` (200) in `CUMULET_VOICE_SECONDS` (864). A recording is as long as the
application lets it be, 4.4 MB, as a function is not invoked with more. The engine is a stand-in
that is done at once, on a real SSH server.
"""

from __future__ import annotations

import contextlib
import getpass
import http.client
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import wave
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.clouds import Server, free_port
from bench.databases.driving import cloud_on, cumulet, machine
from bench.functions import client
from bench.report import missed, show

APPLICATION = Path(__file__).parent.parent.parent / "apps" / "voice-quality"
JOBS = int(os.environ.get("CUMULET_VOICE_JOBS", "200"))
SECONDS = float(os.environ.get("CUMULET_VOICE_SECONDS", "864"))
BURST = 10
CUT_AT, CUT_UNTIL, KILL_AT = 0.4, 0.5, 0.7
"""Parts of the time: the machine is cut off from the first to the second; the cloud is killed."""
LICENCES = 2
RECORDING_SECONDS = 45.8
END_SECONDS_MAX = 900.0
"""How long after the last burst a job may go on; as long as the application gives it."""
TRIES_MAX = 200
TIDY_SECONDS_MAX = 300.0

ENGINE = """
import os, pathlib, sys, time
reference, degraded, mode, result, watch = sys.argv[1:]
mine = pathlib.Path(watch) / str(os.getpid())
mine.write_text("")
with open(pathlib.Path(watch).parent / "running", "a") as told:
    told.write(f"{len(list(pathlib.Path(watch).iterdir()))} ")
time.sleep(0.1)
size = pathlib.Path(degraded).stat().st_size
mine.unlink()
pathlib.Path(result).write_text(f"mos_lqo: 4.2\\nbytes: {size}\\n")
"""


class Machine:
    """The engine's machine: an SSH server on this one, which can be cut off."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.jobs, self.engine = folder / "jobs", folder / "voice-engine"
        shutil.copytree(APPLICATION / "engine", self.engine)
        for place in (self.jobs, folder / "watch", self.engine / "references"):
            place.mkdir()
        (self.engine / "references" / "welcome.wav").write_bytes(b"RIFF")
        (self.engine / "engine.py").write_text(ENGINE)
        command = [sys.executable, str(self.engine / "engine.py"), "{reference}", "{degraded}"]
        command += ["{mode}", "{result}", str(folder / "watch")]
        settings = {"command": command, "licences": LICENCES}
        (self.engine / "settings.json").write_text(json.dumps(settings))
        for name in ("host", "client"):
            words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(words, check=True)
        shutil.copy(folder / "client.pub", folder / "authorized_keys")
        (folder / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\n"
            f"AuthorizedKeysFile {folder}/authorized_keys\nPidFile none\nUsePAM no\n"
            "StrictModes no\nSubsystem sftp internal-sftp\nPasswordAuthentication no\n"
            "PermitRootLogin prohibit-password\nMaxStartups 100\n"
        )
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        self._process: subprocess.Popen[bytes] | None = None

    def connect(self) -> None:
        """Let callers in."""
        words = ["/usr/sbin/sshd", "-D", "-e", "-f", str(self.folder / "sshd_config")]
        self._process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
        raise RuntimeError("the SSH server did not start")

    def cut_off(self) -> None:
        """Let no callers in; what runs on the machine goes on."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def most_at_once(self) -> int:
        """How many engines ran at the same time, at the most."""
        with contextlib.suppress(FileNotFoundError):
            return max(map(int, (self.folder / "running").read_text().split()), default=0)
        return 0


@dataclass
class Told:
    """What the clients saw."""

    ends: Counter[str] = field(default_factory=Counter)
    retries: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def end(self, how: str, seconds: float) -> None:
        with self.lock:
            self.ends[how] += 1
            self.seconds.append(seconds)

    def again(self, why: str) -> None:
        with self.lock:
            self.retries[why] += 1


class Client:
    """One client: sends a recording, again while it is not taken, and asks for its score."""

    def __init__(self, where: tuple[str, int], path: str, key: str, body: bytes) -> None:
        self._where, self._path, self._key, self._body = where, path, key, body

    def run(self, told: Told, wait: threading.Event) -> None:
        begun = time.monotonic()
        told.end(self._job(told, wait, begun), time.monotonic() - begun)

    def _job(self, told: Told, wait: threading.Event, begun: float) -> str:
        job = ""
        for _ in range(TRIES_MAX):
            status, body, _ = self._ask("POST", "?reference=welcome", self._body)
            if status == 202:
                job = body["id"]
                break
            if status in (400, 403, 413, 415, 500):
                return f"refused: {status}"
            told.again(f"sending: {status or 'cut off'}")
            wait.wait(2)
        if not job:
            return "never taken"
        was_cut = False
        while time.monotonic() - begun < END_SECONDS_MAX:
            status, body, pause = self._ask("GET", f"/{job}")
            if status == 200:
                return "score" if body["bytes"] == len(self._body) else "score of another"
            if status in (408, 500) and "message" in body:
                return f"stated: {status} {body['message'][:60]}"
            if status == 404:
                # The one who was told was cut off: the score is told once.
                return "told while cut off" if was_cut else "unknown"
            was_cut = was_cut or status in (0, 503)
            if status not in (202, 429):
                told.again(f"asking: {status or 'cut off'}")
            wait.wait(pause)
        return "without an end"

    def _ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, dict[str, Any], float]:
        headers = {"x-api-key": self._key, **({"Content-Type": "audio/wave"} if body else {})}
        line = http.client.HTTPConnection(*self._where, timeout=40)
        try:
            line.request(method, self._path + path, body or None, headers)
            answer = line.getresponse()
            text = answer.read()
            found = json.loads(text)
            return answer.status, found, float(answer.headers.get("Retry-After") or 2)
        except (OSError, http.client.HTTPException, ValueError):
            return 0, {}, 2.0
        finally:
            line.close()


def recording() -> bytes:
    """A WAV file of silence, 48 kHz."""
    sink = io.BytesIO()
    with wave.open(sink, "wb") as target:
        target.setparams((1, 2, 48_000, 0, "NONE", ""))
        target.writeframes(bytes(int(RECORDING_SECONDS * 48_000) * 2))
    return sink.getvalue()


def deploy(data: Path, server: Server, host: Machine) -> dict[str, str]:
    """The application on the cloud; its outputs, and the key's value."""
    name = getpass.getuser()
    cumulet(
        data, "hosts", "add", "engine", "--ssh", f"{name}@127.0.0.1", "--port", str(host.port),
        "--tag", "role=voice-engine",
    )  # fmt: skip
    client(server, "ssm").put_parameter(
        Name="/voice-quality/engine-key", Type="SecureString",
        Value=(host.folder / "client").read_text(),
    )  # fmt: skip
    copy = data.parent / "voice-quality"
    shutil.copytree(APPLICATION, copy, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    # The layer's wheels are for the interpreter that runs here.
    template = copy / "template.yaml"
    here = f"python3.{sys.version_info.minor}"
    template.write_text(template.read_text().replace("python3.12", here))
    parameters = {
        "EngineHostKey": " ".join((host.folder / "host.pub").read_text().split()[:2]),
        "EngineUser": name,
        "EnginePort": str(host.port),
        "EngineFolder": str(host.jobs),
        "EngineProgram": str(host.engine / "run_job.py"),
    }
    words = [word for key, value in parameters.items() for word in ("-p", f"{key}={value}")]
    told = cumulet(data, "deploy", str(copy), "--stack-name", "voice", "--json", *words)
    outputs: dict[str, str] = json.loads(told)["Outputs"]
    gateway = client(server, "apigateway")
    key = gateway.get_api_key(apiKey=outputs["ApiKeyId"], includeValue=True)["value"]
    api, _, path = outputs["Url"].removeprefix("https://").partition("/")
    return {**outputs, "Key": key, "Path": f"/_aws/execute-api/{api.split('.')[0]}/{path}"}


@contextlib.contextmanager
def engine_machine(folder: Path) -> Iterator[Machine]:
    made = Machine(folder)
    made.connect()
    try:
        yield made
    finally:
        made.cut_off()


class Run:
    """The load, and what happens in the midst of it."""

    def __init__(self, data: Path, port: int, host: Machine) -> None:
        self._data, self._port, self._host = data, port, host
        self._clouds = contextlib.ExitStack()
        self.server = self._start()
        self.outputs = deploy(data, self.server, host)
        self.told = Told()

    def _start(self) -> Server:
        return self._clouds.enter_context(cloud_on(self._data, "--port", str(self._port)))

    def load(self) -> float:
        """Send all jobs in their time, with the cut and the kill; seconds until the last ended."""
        bound = ("127.0.0.1", self._port)
        each = Client(bound, self.outputs["Path"], self.outputs["Key"], recording())
        wait, begun = threading.Event(), time.monotonic()
        events = [
            (CUT_AT, self._host.cut_off), (CUT_UNTIL, self._host.connect), (KILL_AT, self._kill)
        ]  # fmt: skip
        bursts = -(-JOBS // BURST)
        plan = [(number / bursts, None) for number in range(bursts)]
        with ThreadPoolExecutor(64) as clients:
            left = JOBS
            for at, act in sorted([*plan, *events], key=lambda one: one[0]):
                wait.wait(max(0.0, begun + at * SECONDS - time.monotonic()))
                if act is not None:
                    act()
                    continue
                for _ in range(min(BURST, left)):
                    clients.submit(each.run, self.told, wait)
                left -= BURST
        return time.monotonic() - begun

    def _kill(self) -> None:
        self.server.process.kill()
        self.server.process.wait()
        self.server = self._start()

    def orphans(self) -> int:
        """Ends the records that nobody knows the id of, as their time to live would in an hour."""
        dynamodb, table = client(self.server, "dynamodb"), self.outputs["Table"]
        items = dynamodb.scan(TableName=table)["Items"]
        for item in items:
            dynamodb.delete_item(TableName=table, Key={"id": item["id"]})
        return len(items)

    def files_left(self) -> int:
        """Files on the machine and in the bucket, once the cleaner has had its time."""
        s3, until = client(self.server, "s3"), time.monotonic() + TIDY_SECONDS_MAX
        pause = threading.Event()
        while True:
            kept = s3.list_objects_v2(Bucket=self.outputs["Bucket"]).get("KeyCount", 0)
            left = kept + len(list(self._host.jobs.iterdir()))
            if not left or time.monotonic() > until:
                return int(left)
            pause.wait(1)

    def close(self) -> None:
        self._clouds.close()


def run() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "machine").mkdir()
        with engine_machine(folder / "machine") as host:
            load = Run(folder / "data", free_port(), host)
            try:
                took = load.load()
                orphans, left = load.orphans(), load.files_left()
                tell(load.told, host, took, orphans, left)
            finally:
                load.close()


def tell(told: Told, host: Machine, took: float, orphans: int, left: int) -> None:
    ended = sum(count for how, count in told.ends.items() if how.startswith(("score", "stated")))
    ordered = sorted(told.seconds) or [0.0]
    show(
        f"Voice quality: {JOBS} jobs of {len(recording()) / 1e6:.1f} MB in {SECONDS:g} s, the "
        "machine cut off for a tenth of it, the cloud killed once",
        ("jobs", "score or stated error", "p50 s", "slowest s", "seconds in all", "engines at once",
         "without a client", "files left"),
        [(JOBS, ended, ordered[len(ordered) // 2], ordered[-1], took, host.most_at_once(), orphans,
          left)],
        f"ends: {dict(told.ends)}; asked again: {dict(told.retries)}; {machine()}",
    )  # fmt: skip
    known = ended + told.ends["told while cut off"]
    missed("jobs with an end that was told", known, at_least=JOBS)
    missed("engines at once", host.most_at_once(), at_most=LICENCES)
    missed("files left", left, at_most=0)
