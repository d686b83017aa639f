"""serverless-offline with a Node.js function, when npm and node are there."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

from bench.clouds import free_port, peer_environment, started
from bench.load import Rate, measure
from bench.requests import plain

SETTINGS = """\
service: bench
provider: {name: aws, runtime: nodejs20.x, region: us-east-1}
plugins: [serverless-offline]
functions:
  bench:
    handler: app.handler
    events: [{http: {path: /, method: get}}]
"""
HANDLER = "exports.handler = async () => ({ statusCode: 200, body: 'ok' })\n"


def serverless_offline() -> Rate | None:
    """Its rate for the same proxy request, or None when it cannot be had here."""
    if shutil.which("npm") is None:
        print("  serverless-offline is left out: there is no npm")
        return None
    folder = peer_environment() / "offline"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "serverless.yml").write_text(SETTINGS)
    (folder / "app.js").write_text(HANDLER)
    if not (folder / "node_modules" / ".bin" / "osls").exists():
        words = [
            "npm",
            "install",
            "--no-audit",
            "--no-fund",
            "--silent",
            "osls@4.3.1",
            "serverless-offline@14.8.2",
        ]
        (folder / "package.json").write_text('{"private": true}')
        if subprocess.run(words, cwd=folder, check=False).returncode != 0:
            print("  serverless-offline could not be installed and is left out")
            return None
    return _drive(folder)


def _drive(folder: Path) -> Rate | None:
    port, other = free_port(), free_port()
    words = [
        str(folder / "node_modules" / ".bin" / "osls"),
        "offline",
        "--httpPort",
        str(port),
        "--lambdaPort",
        str(other),
        "--noPrependStageInUrl",
        "--host",
        "127.0.0.1",
    ]
    before = Path.cwd()
    try:
        os.chdir(folder)
        with started("serverless-offline", words, port, "/", ("", "")) as server:
            os.chdir(before)
            return measure(server.endpoint, plain(server.endpoint, "GET", "/"), connections=16)
    except RuntimeError as problem:
        print(f"  serverless-offline could not do this work: {problem}")
        return None
    finally:
        with contextlib.suppress(OSError):
            os.chdir(before)
