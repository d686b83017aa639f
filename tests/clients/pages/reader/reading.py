"""Reads a page as a newcomer does: types what it says, and compares what it shows."""

from __future__ import annotations

import random
import re
import shutil
import socket
import sys
import time
from pathlib import Path
from threading import Event

from tests.clients.pages.reader.matching import agrees, only_looks
from tests.clients.pages.reader.page import Saved, Stopped, Typed, steps_of
from tests.clients.pages.reader.terminal import Foreground, Said, Terminal

ROOT = Path(__file__).parents[4]
DEFAULT_PORT = "4566"
LATER_SECONDS_MAX = 180
"""How long after a change it may take to be seen: metrics, lines and segments are published later,
and an alarm looks once a minute."""
AGAIN_SECONDS = 1.0
UP = re.compile(r"^(?:\S+/)?cumulet up\b")
FOLLOWS = re.compile(r"\s(?:--follow|-f)\b")
SERVES = "Ctrl-C stops it."
FAILS = re.compile(r"^(?:error:|\s*An error occurred|curl: )", re.MULTILINE)


class Desk:
    """A newcomer's place: a home folder, a folder to work in, programs, and a port of its own."""

    def __init__(self, place: Path, programs: dict[str, str]) -> None:
        self.port = str(free_port())
        self.home, self.folder = place / "home", place / "work"
        names, scratch = place / "bin", place / "typed"
        for folder in (self.home, self.folder, names, scratch):
            folder.mkdir()
        python = f'"{sys.executable}" -m cumulet'
        write_program(names / "cumulet", python, "up", f"--port {self.port}")
        for name, path in programs.items():
            # Pages are for version 2 of the AWS CLI. Version 1 asks AWS itself for SQS, whatever
            # the environment says: https://github.com/aws/aws-cli/issues/8737
            write_program(names / name, f'"{path}"', "sqs", '--endpoint-url "$AWS_ENDPOINT_URL"')
        # On a terminal, as people have it, curl shows no progress beside what it prints.
        (self.home / ".curlrc").write_text("silent\nshow-error\n")
        environment = {
            "HOME": str(self.home),
            "PATH": f"{names}:{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONUNBUFFERED": "1",
        }
        self.terminal = Terminal(self.folder, scratch, environment)
        self.cloud: Foreground | None = None

    def lend(self, text: str) -> None:
        """Copy into the folder what a clone has and the page speaks of."""
        if "apps/" in text:
            without = shutil.ignore_patterns("node_modules", ".cumulet", ".aws-sam", "cdk.out")
            shutil.copytree(ROOT / "apps", self.folder / "apps", ignore=without)
        if ".venv/bin/" in text:
            (self.folder / ".venv" / "bin").mkdir(parents=True)
            (self.folder / ".venv" / "bin" / "cumulet").symlink_to(self.home.parent / "bin/cumulet")

    def stop(self) -> None:
        """Ctrl-C in the cloud's terminal, if it runs."""
        if self.cloud is not None:
            said, self.cloud = self.cloud.ctrl_c(), None
            assert said.code == 0, said.text

    def leave(self) -> None:
        self.terminal.close()


def write_program(path: Path, program: str, word: str, more: str) -> None:
    """A program that is given `more` options when its first word is `word`."""
    path.write_text(
        f'#!/bin/sh\nif [ "$1" = {word} ]; then shift; exec {program} {word} {more} "$@"; fi\n'
        f'exec {program} "$@"\n'
    )
    path.chmod(0o755)


def free_port() -> int:
    """A port that nothing listens on, below those that the system hands out to clients."""
    while True:
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", random.randrange(10_240, 32_000)))
            except OSError:
                continue
            port: int = one.getsockname()[1]
            return port


def read(text: str, desk: Desk) -> None:
    """Do all that a page says; AssertionError or Stuck tells where it is not as it is shown."""
    text = text.replace(DEFAULT_PORT, desk.port)
    desk.lend(text)
    steps = list(steps_of(text))
    if not any(isinstance(step, Typed) and UP.match(step.command) for step in steps):
        # The page is for those who have a cloud, and a terminal that knows it.
        _serve(Typed(0, "cumulet up"), desk)
        desk.terminal.type('eval "$(cumulet env)"')
    for step in steps:
        if isinstance(step, Stopped):
            desk.stop()
        elif isinstance(step, Saved):
            path = desk.folder / step.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text)
        elif UP.match(step.command):
            _serve(step, desk)
        elif step.ends_with_ctrl_c or FOLLOWS.search(step.command):
            _follow(step, desk)
        else:
            _type(step, desk)
    desk.stop()


def _serve(step: Typed, desk: Desk) -> None:
    """Start the cloud in the page's first terminal; one that runs there is ended first."""
    desk.stop()
    desk.cloud = desk.terminal.start(step.command)
    desk.cloud.until(lambda said: SERVES in said)
    said = desk.cloud.out.read_text()
    if step.shown:
        assert agrees(step.shown, said, whole=False), _differs(step, Said(0, said))
    if step.ends_with_ctrl_c:
        desk.stop()


def _follow(step: Typed, desk: Desk) -> None:
    program = desk.terminal.start(step.command)
    shown = step.shown
    if shown is None:
        program.until(lambda said: bool(said.strip()))
    else:
        program.until(lambda said: agrees(shown, said, whole=False))
    said = program.ctrl_c()
    assert said.code == 0, _differs(step, said)


def _type(step: Typed, desk: Desk) -> None:
    limit = time.monotonic() + LATER_SECONDS_MAX
    while True:
        said = desk.terminal.type(step.command)
        if _is_as_shown(step, said):
            return
        if not only_looks(step.command) or time.monotonic() > limit:
            raise AssertionError(_differs(step, said))
        Event().wait(AGAIN_SECONDS)


def _is_as_shown(step: Typed, said: Said) -> bool:
    if step.shown is None:
        return said.code == 0
    may_fail = FAILS.search(step.shown) is not None
    return (may_fail or said.code == 0) and agrees(step.shown, said.text)


def _differs(step: Typed, said: Said) -> str:
    shown = "" if step.shown is None else f"\nit should print:\n{step.shown}"
    return f"line {step.line}: {step.command}{shown}\nit printed (code {said.code}):\n{said.text}"
