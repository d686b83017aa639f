"""What every test can use: a running cloud, reached only as its users reach it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is, and nothing of what is tested.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30


class Cloud:
    """A cloud in a process of its own, on a port that the system picked."""

    def __init__(self, data: Path, *arguments: str) -> None:
        self.data = data
        self.arguments = arguments
        self.log = data.parent / f"{data.name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.endpoint = ""
        self.root_key: tuple[str, str] = ("", "")
        self.region = "us-east-1"

    def start(self) -> Cloud:
        """Start, or start again on the same data; returns when it serves."""
        words = [sys.executable, "-m", "cumulet", "up", "--json", "--data", str(self.data)]
        clean = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*words, "--port", "0", *self.arguments],
                stdout=subprocess.PIPE,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=clean,
            )
        assert self.process.stdout is not None
        # The announcement is one JSON object over several lines; it ends with a lone brace.
        text = b""
        while not text.endswith(b"}\n"):
            line = self.process.stdout.readline()
            if not line:
                self.process.wait(STOP_SECONDS_MAX)
                self._close()
                raise AssertionError(f"the cloud did not start:\n{self.log.read_text()}")
            text += line
        self.endpoint = json.loads(text)["endpoint"]
        key = json.loads((self.data / "root-key.json").read_text())
        self.root_key = (key["access_key_id"], key["secret_access_key"])
        return self

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(STOP_SECONDS_MAX)
        self._close()

    def stop(self) -> int:
        """Ask it to stop; returns its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(STOP_SECONDS_MAX)
        self._close()
        return code

    def _close(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.stdout.close()

    def session(self, key: tuple[str, ...] | None = None, region: str = "") -> boto3.Session:
        """A boto3 session with the root key, or with (id, secret[, session token])."""
        chosen = key or self.root_key
        return boto3.Session(
            aws_access_key_id=chosen[0],
            aws_secret_access_key=chosen[1],
            aws_session_token=chosen[2] if len(chosen) > 2 else None,
            region_name=region or self.region,
        )

    def client(
        self,
        service: str,
        *,
        key: tuple[str, ...] | None = None,
        region: str = "",
        unsigned: bool = False,
        **config: Any,
    ) -> Any:
        """A boto3 client; it never retries, so that a test sees the first answer."""
        settings: dict[str, Any] = {"retries": {"total_max_attempts": 1}, **config}
        if service == "logs":
            # Live tail's own host, `stream-…`, is one that no resolver knows here.
            settings.setdefault("inject_host_prefix", False)
        if unsigned:
            settings["signature_version"] = UNSIGNED
        made = self.session(key, region).client(
            service, endpoint_url=self.endpoint, config=Config(**settings)
        )
        if service == "s3control":
            made.meta.events.register("before-send.s3-control", self._at_own_address)
        return made

    def _at_own_address(self, request: Any, **_: Any) -> None:
        """Clients of S3 Control put the account before the host, which no resolver knows here."""
        parts = urlsplit(request.url)
        request.headers["Host"] = parts.netloc
        request.url = self.endpoint + urlunsplit(("", "", parts.path, parts.query, ""))

    def environment(self) -> dict[str, str]:
        """The variables with which any AWS client in a subprocess reaches this cloud."""
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith("AWS_")},
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.root_key[0],
            "AWS_SECRET_ACCESS_KEY": self.root_key[1],
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def get(self, path: str) -> tuple[int, bytes]:
        """A plain GET of a page of the cloud."""
        with urllib.request.urlopen(self.endpoint + path, timeout=10) as answer:
            return answer.status, answer.read()


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One cloud for all tests of a worker process: name what you make after your test."""
    running = Cloud(tmp_path_factory.mktemp("cloud") / "data").start()
    yield running
    running.stop()


@pytest.fixture
def new_cloud(tmp_path: Path) -> Iterator[Callable[..., Cloud]]:
    """Makes clouds of a test's own, for restarts and kills."""
    made: list[Cloud] = []

    def make(*arguments: str, name: str = "data") -> Cloud:
        cloud = Cloud(tmp_path / name, "--bare", *arguments)
        made.append(cloud)
        return cloud.start()

    yield make
    for cloud in made:
        if cloud.process is not None and cloud.process.poll() is None:
            cloud.stop()
