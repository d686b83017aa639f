"""Running commands as a user types them: in a process, with a home folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

COMMAND_SECONDS_MAX = 60


@dataclass(frozen=True)
class Transcript:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


Run = Callable[..., Transcript]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home folder of the user who types."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def surroundings(home: Path) -> dict[str, str]:
    """The environment of a newcomer: a PATH, a home, and no word of AWS or of a cloud."""
    kept = ("PATH", "LANG", "PYTHONPATH", "TMPDIR", "SYSTEMROOT")
    return {"HOME": str(home), **{name: os.environ[name] for name in kept if name in os.environ}}


@pytest.fixture
def run(surroundings: dict[str, str]) -> Run:
    """Runs `cumulet …` to its end."""

    def run_command(*words: object, stdin: str = "", **environment: str) -> Transcript:
        done = subprocess.run(
            [sys.executable, "-m", "cumulet", *map(str, words)],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
            env={**surroundings, **environment},
        )
        return Transcript(done.returncode, done.stdout, done.stderr)

    return run_command
