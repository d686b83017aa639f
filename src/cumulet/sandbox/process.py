"""Processes: the zygote that forks environments, and how a process ended.

One zygote per interpreter. Orders to it are one JSON object per packet: `{"do": "fork"}` with the
descriptors of the new environment, `{"do": "warm", "services": […]}`. The first process of an
environment then answers on its own status socket (see `child/first.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHILD = Path(__file__).parent / "child"
ZYGOTE_START_SECONDS_MAX = 30.0
PACKET_BYTES_MAX = 200_000

_SIGNAL_WORDS = {
    signal.SIGHUP: "hangup",
    signal.SIGINT: "interrupt",
    signal.SIGQUIT: "quit",
    signal.SIGILL: "illegal instruction",
    signal.SIGTRAP: "trace/breakpoint trap",
    signal.SIGABRT: "aborted",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "floating point exception",
    signal.SIGKILL: "killed",
    signal.SIGUSR1: "user defined signal 1",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGUSR2: "user defined signal 2",
    signal.SIGPIPE: "broken pipe",
    signal.SIGALRM: "alarm clock",
    signal.SIGTERM: "terminated",
    signal.SIGXCPU: "CPU time limit exceeded",
    signal.SIGXFSZ: "file size limit exceeded",
    signal.SIGSYS: "bad system call",
}


@dataclass(frozen=True, slots=True)
class Ended:
    """Why an environment's processes are gone; exactly one reason."""

    exit_code: int | None = None
    signal_number: int | None = None
    out_of_memory: bool = False
    extension: bool = False

    def words(self) -> str:
        """The reason as Lambda puts it."""
        if self.signal_number is not None:
            try:
                name = _SIGNAL_WORDS.get(signal.Signals(self.signal_number))
            except ValueError:
                name = None
            return f"Runtime exited with error: signal: {name or self.signal_number}"
        if self.exit_code:
            return f"Runtime exited with error: exit status {self.exit_code}"
        return "Runtime exited without providing a reason"


def ended_from_wait(how: int, *, extension: bool = False) -> Ended:
    """The reason in a wait status."""
    if os.WIFSIGNALED(how):
        return Ended(signal_number=os.WTERMSIG(how), extension=extension)
    return Ended(exit_code=os.WEXITSTATUS(how), extension=extension)


@dataclass(frozen=True, slots=True)
class Lines:
    """The cloud's ends of what connects it to one environment."""

    status: socket.socket
    data: socket.socket
    log_fd: int

    def close(self) -> None:
        """Close all but the log, which its pump owns."""
        self.status.close()
        self.data.close()


class Zygote:
    """One warmed interpreter that forks environments; ends with the cloud."""

    def __init__(self, python: str, config: dict[str, Any]) -> None:
        self._python = python
        self._config = config
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._ready: asyncio.Future[None] | None = None
        self.layers: dict[str, str] = {}
        self.services: set[str] = set()
        self.forks = 0
        self.dead = False

    async def start(self) -> None:
        """Start the interpreter and wait until it can fork. Raises OSError."""
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        with theirs:
            config = {**self._config, "control_fd": theirs.fileno()}
            self._process = subprocess.Popen(
                [self._python, "-I", "-S", "-B", str(CHILD / "zygote.py"), json.dumps(config)],
                stdin=subprocess.DEVNULL,
                env={"PATH": os.defpath, "LANG": "C.UTF-8"},
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self._control = ours
        self._ready = loop.create_future()
        loop.add_reader(ours, self._on_packet)
        await asyncio.wait_for(asyncio.shield(self._ready), ZYGOTE_START_SECONDS_MAX)

    def _on_packet(self) -> None:
        assert self._control is not None
        assert self._ready is not None
        try:
            packet = self._control.recv(PACKET_BYTES_MAX)
        except BlockingIOError:
            return
        except OSError:
            packet = b""
        if not packet:
            self.dead = True
            self._close_control()
            if not self._ready.done():
                self._ready.set_exception(OSError(f"{self._python} ended while starting"))
            return
        self.layers = json.loads(packet) or self.layers
        if not self._ready.done():
            self._ready.set_result(None)

    def fork(self, group_fds: list[int]) -> Lines:
        """Order a new environment, in the control groups whose lists are open here.

        Raises OSError when the zygote is gone.
        """
        if self._control is None:
            raise OSError("the zygote has ended")
        status, their_status = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        data, their_data = socket.socketpair()
        log_fd, their_log_fd = os.pipe()
        fds = [their_status.fileno(), their_data.fileno(), their_log_fd, *group_fds]
        lines = Lines(status, data, log_fd)
        try:
            socket.send_fds(self._control, [b'{"do":"fork"}'], fds)
        except OSError:
            lines.close()
            os.close(log_fd)
            raise
        finally:
            their_status.close()
            their_data.close()
            os.close(their_log_fd)
        status.setblocking(False)
        data.setblocking(False)
        self.forks += 1
        return lines

    def warm(self, services: list[str]) -> None:
        """Have these service models loaded for all later environments."""
        if self._control is not None:
            with contextlib.suppress(OSError):
                self._control.send(json.dumps({"do": "warm", "services": services}).encode())

    def _close_control(self) -> None:
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control)
            self._control.close()
            self._control = None

    def pid(self) -> int:
        """Process id of the interpreter."""
        assert self._process is not None
        return self._process.pid

    def close(self) -> None:
        """End the zygote, and with it every environment it forked."""
        self.dead = True
        self._close_control()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
