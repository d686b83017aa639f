"""`cumulet doctor`: what this machine allows, and what is missing."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from cumulet import __version__
from cumulet.app.config import default_data
from cumulet.cli.main import data_option, json_option
from cumulet.cli.say import EXIT_FINDINGS, show, show_json

_SYNCS = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `state` is `ok`, `note` or `problem`."""

    state: str
    what: str
    detail: str
    hint: str = ""


@click.command("doctor")
@data_option
@json_option
def command(data: Path | None, as_json: bool) -> None:
    """Look at this machine; exit code 4 when something would keep the cloud from working."""
    folder = (data or default_data()).resolve()
    findings = [
        Finding("ok", "cumulet", f"{__version__} on Python {platform.python_version()}"),
        _system(),
        _disk(folder),
        _sync(folder),
        _node(),
        _sam(),
        *_layers(),
    ]
    if as_json:
        show_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            mark = {"ok": "[ok]     ", "note": "[note]   ", "problem": "[problem]"}[finding.state]
            show(f"{mark} {finding.what}: {finding.detail}")
            if finding.hint:
                show(f"          hint: {finding.hint}")
    sys.exit(EXIT_FINDINGS if any(one.state == "problem" for one in findings) else 0)


def _system() -> Finding:
    if sys.platform != "linux":
        return Finding(
            "note",
            "system",
            f"{sys.platform}: functions run without isolation here",
            "on Linux they are isolated",
        )
    who = "root" if os.geteuid() == 0 else f"user {os.geteuid()}"
    return Finding("ok", "system", f"Linux {platform.release()}, {os.cpu_count()} CPUs, {who}")


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(_existing(folder)).free
    state = "ok" if free > 2**30 else "problem"
    return Finding(state, "disk", f"{free / 1e9:.1f} GB free for {folder}")


def _sync(folder: Path) -> Finding:
    """How long the disk takes to make a small write durable: the price of every answer."""
    try:
        with tempfile.TemporaryFile(dir=_existing(folder)) as file:
            start = time.perf_counter()
            for _ in range(_SYNCS):
                file.write(b"x" * 512)
                file.flush()
                os.fdatasync(file.fileno())
            each_ms = (time.perf_counter() - start) / _SYNCS * 1000
    except OSError as cause:
        return Finding("problem", "sync", str(cause), "choose a folder that can be written")
    slow = each_ms > 20
    return Finding(
        "note" if slow else "ok",
        "sync",
        f"a durable write takes {each_ms:.2f} ms",
        "a disk with a faster sync makes every write faster" if slow else "",
    )


def _node() -> Finding:
    path = shutil.which("node")
    if path is None:
        return Finding(
            "note",
            "Node.js",
            "not found: nodejs functions will not run",
            "install node on the PATH",
        )
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    return Finding("ok", "Node.js", version.stdout.strip())


def _sam() -> Finding:
    import importlib.util

    if importlib.util.find_spec("samtranslator") is None:
        return Finding(
            "note",
            "SAM",
            "templates with the SAM transform will be refused",
            "pip install 'cumulet[sam]'",
        )
    return Finding("ok", "SAM", "the transform is installed")


def _layers() -> list[Finding]:
    from cumulet.core.clock import SystemClock
    from cumulet.sandbox.contract import SandboxConfig
    from cumulet.sandbox.pool import Sandbox

    async def look() -> list[Finding]:
        with tempfile.TemporaryDirectory() as work:
            sandbox = Sandbox(SandboxConfig(work=Path(work)), SystemClock())
            await sandbox.start()
            try:
                # What is in force is found by trying it.
                await sandbox.ready()
            except BaseException:
                await sandbox.stop()
                raise
            found = [
                Finding(
                    "ok" if layer.in_force else "note",
                    f"isolation, {layer.name}",
                    layer.detail,
                    "" if layer.in_force else layer.meaning,
                )
                for layer in sandbox.report()
            ]
            await sandbox.stop()
            return found

    return asyncio.run(look())
