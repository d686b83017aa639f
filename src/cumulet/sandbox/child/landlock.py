# ruff: noqa: PTH112
# Plain calls rather than pathlib: this runs in every fork and should touch little memory.
"""Landlock: the process and its descendants lose every file right that is not listed here.

https://docs.kernel.org/userspace-api/landlock.html
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence

from cumulet.sandbox.child import kernel

_SYS_CREATE_RULESET = 444
_SYS_ADD_RULE = 445
_SYS_RESTRICT_SELF = 446
_CREATE_VERSION = 1
_RULE_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_RIGHTS_BY_ABI = ((1, (1 << 13) - 1), (2, 1 << 13), (3, 1 << 14), (5, 1 << 15))
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | 1 << 14 | 1 << 15
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_TCP_BIND_AND_CONNECT = 3
_SCOPE_SOCKETS_AND_SIGNALS = 3
_ABI_TCP = 4
_ABI_SCOPES = 6


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


_Attributes = ctypes.c_uint64 * 3


def abi() -> int:
    """The kernel's version of Landlock; raises OSError where there is none."""
    return kernel.syscall(
        _SYS_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(_CREATE_VERSION)
    )


def restrict(readable: Sequence[str], writable: Sequence[str], *, network: bool) -> int:
    """Keep only these paths, with all below them; without `network` no TCP either.

    Signals and abstract sockets reach only processes of the same environment from ABI 6 on.
    Returns the ABI used. `no_new_privs` must be set. Raises OSError.
    """
    version = abi()
    ruleset = rules(version, readable, writable, network=network)
    kernel.syscall(_SYS_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint(0))
    os.close(ruleset)
    return version


def rules(version: int, readable: Sequence[str], writable: Sequence[str], *, network: bool) -> int:
    """These rules, open and in force for nobody yet. Raises OSError."""
    handled = 0
    for since, rights in _RIGHTS_BY_ABI:
        handled |= rights if version >= since else 0
    tcp = _TCP_BIND_AND_CONNECT if version >= _ABI_TCP and not network else 0
    scopes = _SCOPE_SOCKETS_AND_SIGNALS if version >= _ABI_SCOPES else 0
    attributes = _Attributes(handled, tcp, scopes)
    size = 24 if version >= _ABI_SCOPES else 16 if version >= _ABI_TCP else 8
    ruleset = kernel.syscall(
        _SYS_CREATE_RULESET, attributes, ctypes.c_size_t(size), ctypes.c_uint(0)
    )
    for path in readable:
        _allow(ruleset, path, handled & _READ)
    for path in writable:
        _allow(ruleset, path, handled)
    return ruleset


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not os.path.isdir(path):
        rights &= _FILE_RIGHTS
    rule = _Beneath(rights, fd)
    kernel.syscall(
        _SYS_ADD_RULE,
        ctypes.c_int(ruleset),
        ctypes.c_uint(_RULE_PATH_BENEATH),
        ctypes.byref(rule),
        ctypes.c_uint(0),
    )
    os.close(fd)
