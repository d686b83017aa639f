"""A filter of system calls: what reaches other processes, mounts or the kernel itself is refused.

A deny-list: functions run any program, so what ordinary programs use stays open. Refused calls
answer EPERM; `clone3` answers ENOSYS so that libraries fall back to `clone`, whose flags can be
read by the filter. A foreign calling convention (x32, 32-bit) ends the process.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import struct

from cumulet.sandbox.child import kernel

_PR_SET_SECCOMP = 22
_MODE_FILTER = 2
_ALLOW = 0x7FFF0000
_KILL_PROCESS = 0x80000000
_ERRNO = 0x00050000
_LOAD, _JUMP_EQUAL, _JUMP_GREATER_EQUAL, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_AT_NUMBER, _AT_ARCHITECTURE, _AT_ARGUMENT_0 = 0, 4, 16
_X32_BIT = 0x40000000
_NAMESPACE_FLAGS = 0x7E020080

_NUMBERS: dict[str, dict[str, int]] = {
    "x86_64": {
        "ptrace": 101, "syslog": 103, "vhangup": 153, "pivot_root": 155, "adjtimex": 159,
        "chroot": 161, "acct": 163, "settimeofday": 164, "mount": 165, "umount2": 166,
        "swapon": 167, "swapoff": 168, "reboot": 169, "sethostname": 170, "setdomainname": 171,
        "iopl": 172, "ioperm": 173, "init_module": 175, "delete_module": 176, "quotactl": 179,
        "lookup_dcookie": 212, "clock_settime": 227, "mbind": 237, "set_mempolicy": 238,
        "kexec_load": 246, "add_key": 248, "request_key": 249, "keyctl": 250, "unshare": 272,
        "move_pages": 279, "perf_event_open": 298, "fanotify_init": 300,
        "name_to_handle_at": 303, "open_by_handle_at": 304, "clock_adjtime": 305, "setns": 308,
        "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "finit_module": 313,
        "kexec_file_load": 320, "bpf": 321, "userfaultfd": 323, "clone": 56, "socket": 41,
    },
    "aarch64": {
        "ptrace": 117, "syslog": 116, "vhangup": 58, "pivot_root": 41, "adjtimex": 171,
        "chroot": 51, "acct": 89, "settimeofday": 170, "mount": 40, "umount2": 39,
        "swapon": 224, "swapoff": 225, "reboot": 142, "sethostname": 161, "setdomainname": 162,
        "init_module": 105, "delete_module": 106, "quotactl": 60, "lookup_dcookie": 18,
        "clock_settime": 112, "mbind": 235, "set_mempolicy": 237, "kexec_load": 104,
        "add_key": 217, "request_key": 218, "keyctl": 219, "unshare": 97, "move_pages": 239,
        "perf_event_open": 241, "fanotify_init": 262, "name_to_handle_at": 264,
        "open_by_handle_at": 265, "clock_adjtime": 266, "setns": 268, "process_vm_readv": 270,
        "process_vm_writev": 271, "kcmp": 272, "finit_module": 273, "kexec_file_load": 294,
        "bpf": 280, "userfaultfd": 282, "clone": 220, "socket": 198,
    },
}  # fmt: skip
_SAME_EVERYWHERE = {
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428,
    "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433,
    "pidfd_getfd": 438, "process_madvise": 440, "mount_setattr": 442, "quotactl_fd": 443,
    "process_mrelease": 448,
}  # fmt: skip
_CLONE3 = 435
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_FAMILIES_REFUSED = (15, 17, 38, 40)
"""Key management, raw packets, kernel crypto, virtual machine sockets."""


def _statement(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)


@functools.cache
def program(machine: str) -> bytes:
    """The filter as the kernel's instructions. Raises KeyError for an unknown machine."""
    numbers = {**_NUMBERS[machine], **_SAME_EVERYWHERE}
    clone, new_socket = numbers.pop("clone"), numbers.pop("socket")
    refuse = _statement(_RETURN, _ERRNO | errno.EPERM)
    allow = _statement(_RETURN, _ALLOW)
    code = [
        _statement(_LOAD, _AT_ARCHITECTURE),
        _statement(_JUMP_EQUAL, _ARCHITECTURES[machine], 1, 0),
        _statement(_RETURN, _KILL_PROCESS),
        _statement(_LOAD, _AT_NUMBER),
        _statement(_JUMP_GREATER_EQUAL, _X32_BIT, 0, 1),
        _statement(_RETURN, _KILL_PROCESS),
        _statement(_JUMP_EQUAL, _CLONE3, 0, 1),
        _statement(_RETURN, _ERRNO | errno.ENOSYS),
        _statement(_JUMP_EQUAL, clone, 0, 4),
        _statement(_LOAD, _AT_ARGUMENT_0),
        _statement(_JUMP_SET, _NAMESPACE_FLAGS, 0, 1),
        refuse,
        allow,
        _statement(_JUMP_EQUAL, new_socket, 0, len(_FAMILIES_REFUSED) + 3),
        _statement(_LOAD, _AT_ARGUMENT_0),
    ]
    families = len(_FAMILIES_REFUSED)
    for index, family in enumerate(_FAMILIES_REFUSED):
        code.append(_statement(_JUMP_EQUAL, family, families - index, 0))
    code += [allow, refuse]
    for number in sorted(numbers.values()):
        code += [_statement(_JUMP_EQUAL, number, 0, 1), refuse]
    return b"".join([*code, allow])


@functools.cache
def _prepared() -> tuple[int, object]:
    """Where the kernel finds the filter, and what keeps it there. Raises OSError."""
    try:
        instructions = program(kernel.MACHINE)
    except KeyError:
        raise OSError(errno.ENOSYS, f"no filter is written for {kernel.MACHINE}") from None
    buffer = ctypes.create_string_buffer(instructions, len(instructions))
    header = struct.pack("<H6xQ", len(instructions) // 8, ctypes.addressof(buffer))
    filter_program = ctypes.create_string_buffer(header, len(header))
    return ctypes.addressof(filter_program), (buffer, filter_program)


def prepare() -> None:
    """Put the filter together where all environments find it; nothing where none is written."""
    with contextlib.suppress(OSError):
        _prepared()


def restrict() -> None:
    """Install the filter for good. `no_new_privs` must be set. Raises OSError."""
    kernel.install_filter(_PR_SET_SECCOMP, _MODE_FILTER, _prepared()[0])
