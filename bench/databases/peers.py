"""What else speaks DynamoDB's protocol: DynamoDB Local, dynalite, and the clouds that have it.

Each is installed once into a folder of its own, keeps its tables on the disk where it can, and is
left out, with a word, where it cannot be had.
"""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from bench.clouds import PEERS, Server, free_port, peer_environment, started
from bench.peers import Offer, available, installed

DYNALITE = "dynalite@4.0.0"
LOCAL = ("com.amazonaws", "DynamoDBLocal", "2.6.1")
KEY = ("test", "test")
INSTALL_SECONDS_MAX = 600

Start = Callable[[], AbstractContextManager[Server]]


def databases() -> dict[str, Start]:
    """Those that are here or can be installed, by name."""
    own: tuple[Offer[Start], ...] = (
        Offer("DynamoDB Local", ("java", "mvn"), _install_local, dynamodb_local),
        Offer("dynalite", ("node", "npm"), _install_dynalite, dynalite),
    )
    return {**installed(own), **available(PEERS)}


@contextlib.contextmanager
def dynamodb_local() -> Iterator[Server]:
    """DynamoDB Local, with its tables in a file."""
    port, jars = free_port(), _local_folder() / "lib"
    with tempfile.TemporaryDirectory(prefix="bench-") as data:
        words = [
            "java", f"-Djava.library.path={jars}", "-cp", f"{jars}/*",
            "com.amazonaws.services.dynamodbv2.local.main.ServerRunner",
            "-port", str(port), "-dbPath", data, "-disableTelemetry",
        ]  # fmt: skip
        with started("DynamoDB Local", words, port, "/", KEY) as server:
            yield server


@contextlib.contextmanager
def dynalite() -> Iterator[Server]:
    """dynalite, with its tables in LevelDB, and no wait before a table can be used."""
    port = free_port()
    program = _dynalite_folder() / "node_modules" / "dynalite" / "cli.js"
    with tempfile.TemporaryDirectory(prefix="bench-") as data:
        words = ["node", str(program), "--port", str(port), "--host", "127.0.0.1"]
        words += ["--path", data, "--createTableMs", "0"]
        with started("dynalite", words, port, "/", KEY) as server:
            yield server


def _local_folder() -> Path:
    return peer_environment() / "dynamodb-local"


def _dynalite_folder() -> Path:
    return peer_environment() / "dynalite"


def _install_local() -> bool:
    return copy_jars(_local_folder(), LOCAL, "DynamoDBLocal-*.jar")


def _install_dynalite() -> bool:
    return npm_install(_dynalite_folder(), DYNALITE, "dynalite/cli.js")


def copy_jars(folder: Path, artifact: tuple[str, str, str], proof: str) -> bool:
    """An artifact of Maven's with all that it needs, into the folder's `lib`, once."""
    if any((folder / "lib").glob(proof)):
        return True
    folder.mkdir(parents=True, exist_ok=True)
    group, name, version = artifact
    (folder / "pom.xml").write_text(
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>bench</groupId><artifactId>bench</artifactId><version>1</version><dependencies>"
        f"<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId>"
        f"<version>{version}</version></dependency></dependencies></project>\n"
    )
    words = ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"]
    return _installed(words, folder)


def npm_install(folder: Path, package: str, proof: str) -> bool:
    """A package of npm's, into the folder, once."""
    if (folder / "node_modules" / proof).exists():
        return True
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true}')
    return _installed(["npm", "install", "--no-audit", "--no-fund", "--silent", package], folder)


def _installed(words: list[str], folder: Path) -> bool:
    with contextlib.suppress(subprocess.TimeoutExpired):
        done = subprocess.run(
            words, cwd=folder, check=False, timeout=INSTALL_SECONDS_MAX, capture_output=True
        )
        return done.returncode == 0
    return False
