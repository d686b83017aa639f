"""What else speaks SQS's protocol: ElasticMQ, fauxqs, and the clouds that have it.

Each is installed once into a folder of its own, and is left out, with a word, where it cannot be
had. All of them keep messages in memory only, as they come.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from bench.clouds import PEERS, Server, free_port, peer_environment, started
from bench.databases.peers import Start, copy_jars, npm_install
from bench.peers import Offer, available, installed

FAUXQS = "fauxqs@1.9.2"
"""The last of its versions here that runs on Node.js 20."""
ELASTICMQ = ("org.elasticmq", "elasticmq-server_2.13", "1.6.11")
KEY = ("test", "test")
ON_LOOPBACK = (
    "data:text/javascript,import net from 'node:net';const own=net.Server.prototype.listen;"
    "net.Server.prototype.listen=function(a,...r){if(a&&a.host)a.host='127.0.0.1';"
    "return own.call(this,a,...r)}"
)
"""fauxqs listens everywhere and cannot be told otherwise."""


def brokers() -> dict[str, Start]:
    """Those that are here or can be installed, by name."""
    own: tuple[Offer[Start], ...] = (
        Offer("ElasticMQ", ("java", "mvn"), _install_elasticmq, elasticmq),
        Offer("fauxqs", ("node", "npm"), install_fauxqs, fauxqs),
    )
    return {**installed(own), **available(PEERS)}


@contextlib.contextmanager
def elasticmq() -> Iterator[Server]:
    """ElasticMQ on the Java machine."""
    port = free_port()
    words = [
        "java", f"-Drest-sqs.bind-port={port}", "-Drest-sqs.bind-hostname=127.0.0.1",
        "-Drest-stats.enabled=false", f"-Dnode-address.port={port}",
        "-Dnode-address.host=127.0.0.1", "-cp", f"{_elasticmq_folder() / 'lib'}/*",
        "org.elasticmq.server.Main",
    ]  # fmt: skip
    with started("ElasticMQ", words, port, "/health", KEY) as server:
        yield server


@contextlib.contextmanager
def fauxqs() -> Iterator[Server]:
    """fauxqs on Node.js, without its log."""
    port = free_port()
    program = _fauxqs_folder() / "node_modules" / "fauxqs" / "dist" / "app.js"
    code = f"import('{program}').then((m) => m.startFauxqs({{ port: {port}, logger: false }}))"
    words = ["node", "--import", ON_LOOPBACK, "-e", code]
    with started("fauxqs", words, port, "/health", KEY) as server:
        yield server


def _elasticmq_folder() -> Path:
    return peer_environment() / "elasticmq"


def _fauxqs_folder() -> Path:
    return peer_environment() / "fauxqs"


def _install_elasticmq() -> bool:
    return copy_jars(_elasticmq_folder(), ELASTICMQ, "elasticmq-server_*.jar")


def install_fauxqs() -> bool:
    """Whether it is here, or could be installed."""
    return npm_install(_fauxqs_folder(), FAUXQS, "fauxqs/dist/app.js")
