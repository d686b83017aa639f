"""The function's own process: waits, confined step by step, then turns into the user's program."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
from typing import Any, NoReturn

from cumulet.sandbox.child import confine, kernel, warm
from cumulet.sandbox.child.python import loop

SPEC_BYTES_MAX = 200_000
_DATA = 3
_ORDER = 4
_ABOVE_ALL = 64
_FILES_END = 1 << 20
EXIT_NOT_STARTED = 127
"""Exit status when the program could not be started, as a shell has it."""


def wait_and_become(order: socket.socket, data: int, log: int) -> NoReturn:
    """Do all that any function needs, wait for the spec on `order`, then become the function."""
    code = 1
    try:
        kernel.die_with_parent(signal.SIGKILL)
        _separate(order.detach(), data, log)
        loop.prepare()
        warm.touch()
        orders = socket.socket(fileno=_ORDER)
        packet, fds, _, _ = socket.recv_fds(orders, SPEC_BYTES_MAX, 1)
        orders.detach()
        if packet:
            for fd in fds:
                kernel.setns(fd, kernel.CLONE_NEWNET)
                os.close(fd)
            code = _become(json.loads(packet))
    except BaseException as error:
        _complain(error)
    os._exit(code)


def become_extension(spec: dict[str, Any], log: int) -> NoReturn:
    """Become a program that runs beside the function, as confined as the function itself."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    code = 1
    try:
        _separate(theirs.detach(), ours.detach(), log)
        code = _become({**spec, "pass_data": False})
    except BaseException as error:
        _complain(error)
    os._exit(code)


def _complain(error: BaseException) -> None:
    os.write(2, f"{type(error).__name__}: {error}\n".encode(errors="replace"))


def _become(spec: dict[str, Any]) -> int:
    """Give up everything, report what is in force, and run; returns an exit status."""
    layers = spec["layers"]
    confine.confine(spec, layers)
    missing = _missing(layers) if spec["isolation"] == "require" else []
    os.write(_ORDER, json.dumps({"layers": layers, "missing": missing}).encode())
    os.close(_ORDER)
    if missing:
        return 1
    os.chdir(spec["task_root"])
    if spec["python"]:
        return loop.run(_DATA, spec)
    if spec["pass_data"]:
        os.set_inheritable(_DATA, True)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        os.execve(spec["argv"][0], spec["argv"], spec["env"])
    except OSError as error:
        os.write(2, f"{spec['argv'][0]}: {error.strerror}\n".encode())
    return EXIT_NOT_STARTED


def _missing(layers: dict[str, str]) -> list[str]:
    """Essential layers that are not in force: files may be kept by either of two."""
    missing = [name for name in ("privileges", "seccomp") if layers[name]]
    if layers["filesystem"] and layers["landlock"]:
        missing.append("filesystem")
    return missing


def _separate(order: int, data: int, log: int) -> None:
    """A session of its own, and descriptors: nothing in, the log out, data, order; no other."""
    os.setsid()
    nothing = os.open("/dev/null", os.O_RDWR)
    data, log, order, nothing = (
        fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _ABOVE_ALL) for fd in (data, log, order, nothing)
    )
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.dup2(data, _DATA, inheritable=False)
    os.dup2(order, _ORDER, inheritable=False)
    os.closerange(_ORDER + 1, _FILES_END)
