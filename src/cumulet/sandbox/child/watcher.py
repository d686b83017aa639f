"""The smallest process that keeps watch over an environment: eighty bytes of program, no more.

Once an environment is furnished, its first process has nothing left to do but to reap children and
to tell of each end. A Python process of its own for that would hold more than a megabyte in every
environment, so it makes way for a program of a few instructions, written here as the processor
reads them. Where there is none for the machine, `first.py` does the same in Python.
"""

from __future__ import annotations

import contextlib
import os
import struct

from cumulet.sandbox.child import kernel

STATUS_FD = 3
_MAY_RUN = 0x10
"""MFD_EXEC, which kernels before 6.3 do not know and do not need."""
_ADDRESS = 0x400000
_HEADER_BYTES = 64 + 2 * 56
_MACHINES = {"x86_64": 62}

_PROGRAMS = {
    "x86_64": bytes.fromhex(
        "b89d000000 bf04000000 31f6 0f05"  # prctl(PR_SET_DUMPABLE, 0)
        "50"  # room for a report
        "b83d000000 83cfff 488d742404 31d2 4531d2 0f05"  # again: wait4(-1, &report.how, 0, 0)
        "83f8fc 74e7"  # interrupted? again
        "85c0 781b"  # no children left? end
        "890424"  # report.pid
        "b801000000 bf03000000 4889e6 ba08000000 0f05"  # write(STATUS_FD, &report, 8)
        "85c0 79c8"  # told? again
        "b83c000000 31ff 0f05"  # end: exit(0)
    ),
}


def image(machine: str) -> bytes:
    """The program as a file that the kernel can start. Raises KeyError for an unknown machine."""
    program = _PROGRAMS[machine]
    size = _HEADER_BYTES + len(program)
    identity = b"\x7fELF" + bytes((2, 1, 1)) + bytes(9)
    header = struct.pack(
        "<16sHHIQQQIHHHHHH",
        identity, 2, _MACHINES[machine], 1, _ADDRESS + _HEADER_BYTES, 64, 0, 0, 64, 56, 2, 64, 0, 0,
    )  # fmt: skip
    loaded = struct.pack("<IIQQQQQQ", 1, 5, 0, _ADDRESS, _ADDRESS, size, size, 4096)
    stack = struct.pack("<IIQQQQQQ", 0x6474E551, 6, 0, 0, 0, 0, 0, 16)
    return header + loaded + stack + program


def prepare() -> int:
    """The program in memory, open to be started; -1 where there is none for this machine."""
    try:
        content = image(kernel.MACHINE)
    except KeyError:
        return -1
    for flags in (os.MFD_CLOEXEC | _MAY_RUN, os.MFD_CLOEXEC):
        with contextlib.suppress(OSError):
            written = os.memfd_create("watcher", flags)
            os.write(written, content)
            # What is still open for writing is not started.
            fd = os.open(f"/proc/self/fd/{written}", os.O_RDONLY | os.O_CLOEXEC)
            os.close(written)
            return fd
    return -1


def become(program: int, status: int) -> None:
    """Make way for the program; returns only when it cannot be started."""
    os.set_inheritable(status, False)
    os.dup2(status, STATUS_FD)
    os.set_inheritable(STATUS_FD, True)
    with contextlib.suppress(OSError):
        os.execve(program, [b"watcher"], {})
