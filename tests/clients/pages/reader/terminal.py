"""A shell that a page is typed into, and programs that run in its foreground until Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event

COMMAND_SECONDS_MAX = 300
FIRST_LINES_SECONDS_MAX = 90
END_SECONDS_MAX = 60
LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Said:
    """What a command printed, as a terminal shows it, and the code that it ended with."""

    code: int
    text: str


class Stuck(Exception):
    """A program did not do in time what was expected of it."""


class Terminal:
    """One bash, which keeps variables from one command to the next."""

    def __init__(self, folder: Path, scratch: Path, environment: dict[str, str]) -> None:
        self.scratch = scratch
        self.count = 0
        # A shell whose parent ignores SIGINT would pass that on to all that it starts.
        self.process = subprocess.Popen(
            ["env", "--default-signal=INT", "bash", "--norc", "--noprofile"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )
        self._told = b""
        self._send("set -m")  # Each job is a process group, which takes Ctrl-C by itself.

    def type(self, command: str) -> Said:
        """Run a command to its end."""
        script, out = self._script(command)
        self._send(f". {script} >{out} 2>&1 </dev/null; echo $?")
        code = int(self._line(COMMAND_SECONDS_MAX, command))
        return Said(code, out.read_text(errors="replace"))

    def start(self, command: str) -> Foreground:
        """Run a command that does not end by itself."""
        script, out = self._script(command)
        out.touch()
        self._send(f"( . {script} ) >{out} 2>&1 </dev/null & echo $!")
        return Foreground(self, int(self._line(END_SECONDS_MAX, command)), out, command)

    def wait(self, number: int) -> int:
        """The code that a job of this shell ended with."""
        self._send(f"wait {number}; echo $?")
        return int(self._line(END_SECONDS_MAX, f"Ctrl-C to {number}"))

    def close(self, patience_seconds: float = 30.0) -> None:
        """End the shell and all that was started in it; what is slow to end is killed."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        for number in (signal.SIGTERM, signal.SIGKILL):
            limit = time.monotonic() + patience_seconds
            while (left := in_session(self.process.pid)) and time.monotonic() < limit:
                for one in left:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(one, number)
                self.process.poll()
                Event().wait(LOOK_SECONDS)
        self.process.wait(END_SECONDS_MAX)
        self.process.stdout.close()

    def _script(self, command: str) -> tuple[Path, Path]:
        self.count += 1
        script = self.scratch / f"{self.count}.sh"
        script.write_text(command)
        return script, script.with_suffix(".out")

    def _send(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def _line(self, seconds: float, command: str) -> bytes:
        """The next line of the shell's own output: commands print elsewhere."""
        assert self.process.stdout is not None
        limit = time.monotonic() + seconds
        while b"\n" not in self._told:
            left = limit - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise Stuck(f"no end after {seconds} s: {command}")
            read = os.read(self.process.stdout.fileno(), 4096)
            if not read:
                raise Stuck(f"it ended the shell: {command}")
            self._told += read
        line, _, self._told = self._told.partition(b"\n")
        return line


class Foreground:
    """A program in the foreground of a terminal, until Ctrl-C."""

    def __init__(self, terminal: Terminal, group: int, out: Path, command: str) -> None:
        self.terminal = terminal
        self.group = group
        self.out = out
        self.command = command

    def until(self, is_there: Callable[[str], bool]) -> None:
        """Wait until what it printed so far is enough."""
        limit = time.monotonic() + FIRST_LINES_SECONDS_MAX
        while not is_there(said := self.out.read_text(errors="replace")):
            if time.monotonic() > limit or not is_alive(self.group):
                raise Stuck(f"{self.command}\nprinted only:\n{said}")
            Event().wait(LOOK_SECONDS)

    def ctrl_c(self) -> Said:
        """Press Ctrl-C, and wait for the end."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.group, signal.SIGINT)
        code = self.terminal.wait(self.group)
        return Said(code, self.out.read_text(errors="replace"))


def is_alive(process: int) -> bool:
    """Whether a process runs: one that ended and was not waited for does not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state != "Z"


def in_session(leader: int) -> list[int]:
    """The living processes of a session, but its leader's zombie."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError):
            state, _, _, session = stat.read_text().rpartition(")")[2].split()[:4]
            if int(session) == leader and state != "Z":
                found.append(int(stat.parent.name))
    return found
