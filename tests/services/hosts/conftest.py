"""A real OpenSSH server of a test's own: its configuration, keys and port."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Cloud

SSHD = next(
    (path for path in ("/usr/sbin/sshd", shutil.which("sshd") or "") if Path(path).is_file()), ""
)


@dataclass
class Server:
    """An SSH server that lets in the key in `key_file`, as the user who runs the tests."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def key_file(self) -> Path:
        return self.folder / "client"

    @property
    def place(self) -> str:
        return f"{getpass.getuser()}@127.0.0.1"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", str(self.folder / "sshd_config")],
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
        raise AssertionError("the SSH server did not start")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Started, and stopped in the end."""
    if not SSHD:
        pytest.skip("OpenSSH's server is not installed here (Debian: openssh-server)")
    folder = tmp_path / "sshd"
    folder.mkdir()
    for name in ("host", "client"):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(words, check=True)
    shutil.copy(folder / "client.pub", folder / "authorized_keys")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nPidFile none\nUsePAM no\n"
        "StrictModes no\nSubsystem sftp internal-sftp\nPasswordAuthentication no\n"
        "PermitRootLogin prohibit-password\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    made = Server(folder, port)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def hosts(cloud: Cloud) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command `cumulet hosts …` on this cloud."""

    def run(*words: Any, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "cumulet", "hosts", *map(str, words), "--data", cloud.data],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if check:
            assert done.returncode == 0, done.stderr
        return done

    return run
