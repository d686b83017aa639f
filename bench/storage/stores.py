"""What else speaks S3's protocol: s3rver, fauxqs, and the clouds that have it.

Each is installed once into a folder of its own, and is left out, with a word, where it cannot be
had. s3rver keeps objects in files that it does not sync; the others have them in memory. Of them
only s3rver looks at signatures.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.clouds import PEERS, Server, free_port, peer_environment, started
from bench.databases.peers import Start, npm_install
from bench.peers import available
from bench.queues.brokers import fauxqs, install_fauxqs

S3RVER = "s3rver@3.7.1"
KEY = ("S3RVER", "S3RVER")


def stores() -> dict[str, Start]:
    """Those that are here or can be installed, by name."""
    found: dict[str, Start] = {}
    for name, install, start in (
        ("s3rver", _install_s3rver, s3rver),
        ("fauxqs", install_fauxqs, fauxqs),
    ):
        if shutil.which("npm") is None:
            print(f"  {name} is left out: there is no npm")
        elif not install():
            print(f"  {name} could not be installed and is left out")
        else:
            found[name] = start
    return {**found, **available(PEERS)}


@contextlib.contextmanager
def s3rver() -> Iterator[Server]:
    """s3rver on Node.js, without its log."""
    port = free_port()
    program = _s3rver_folder() / "node_modules" / "s3rver" / "bin" / "s3rver.js"
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        words = ["node", str(program), "-d", folder, "-p", str(port), "-a", "127.0.0.1", "-s"]
        with started("s3rver", words, port, "/", KEY) as server:
            yield server


def _s3rver_folder() -> Path:
    return peer_environment() / "s3rver"


def _install_s3rver() -> bool:
    return npm_install(_s3rver_folder(), S3RVER, "s3rver/bin/s3rver.js")
