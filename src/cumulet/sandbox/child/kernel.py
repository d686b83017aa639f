"""The kernel's calls that Python has no name for, through libc. Linux on x86-64 and arm64."""

from __future__ import annotations

import ctypes
import os
import platform

MACHINE = platform.machine()

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_CAPBSET_READ = 23
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_LAST = 63
_CAPABILITY_VERSION_3 = 0x20080522

_SYS_PIVOT_ROOT = 41 if MACHINE == "aarch64" else 155
_SYS_CAPSET = 91 if MACHINE == "aarch64" else 126
_SYS_MOUNT_SETATTR = 442
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_libc.prctl.argtypes = (ctypes.c_int, *(ctypes.c_ulong,) * 4)
# Made once: a type for an array takes longer than the call that it is for.
_MountAttributes = ctypes.c_uint64 * 4
_CapabilityHeader = ctypes.c_uint32 * 2
_CapabilityData = ctypes.c_uint32 * 6


def _checked(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def syscall(number: int, *arguments: object) -> int:
    """One raw system call; raises OSError."""
    return _checked(_libc.syscall(ctypes.c_long(number), *arguments), f"system call {number}")


def prctl(option: int, value: int, what: str) -> None:
    """One `prctl` with a single value; raises OSError."""
    _checked(_libc.prctl(option, value, 0, 0, 0), what)


def die_with_parent(signal_number: int) -> None:
    """Be sent this signal when the parent dies. Lost at a change of user: call it again then."""
    prctl(_PR_SET_PDEATHSIG, signal_number, "die with the parent")


def set_dumpable(allowed: bool) -> None:
    """Whether others of the same user may look into this process."""
    prctl(_PR_SET_DUMPABLE, int(allowed), "dumpable")


def adopt_orphans() -> None:
    """Become the parent of descendants whose parents end."""
    prctl(_PR_SET_CHILD_SUBREAPER, 1, "adopt orphans")


def forgo_new_privileges() -> None:
    """No later program start may gain privileges."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1, "no new privileges")


def install_filter(option: int, mode: int, program_address: int) -> None:
    """Give the kernel a filter of system calls; raises OSError."""
    _checked(_libc.prctl(option, mode, program_address, 0, 0), "system call filter")


def bound_capabilities() -> None:
    """No program that is started from now on gains a capability, here and in all descendants.

    What this process has, it keeps. Entering a user namespace undoes it there.
    """
    for capability in range(_CAPABILITY_LAST + 1):
        allowed = _libc.prctl(_PR_CAPBSET_READ, capability, 0, 0, 0)
        if allowed < 0:
            break
        if allowed and _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) < 0:
            break


def drop_capabilities() -> None:
    """Give up every capability, now and for programs started later."""
    bound_capabilities()
    syscall(_SYS_CAPSET, _CapabilityHeader(_CAPABILITY_VERSION_3, 0), _CapabilityData())


def unshare(flags: int) -> None:
    """Leave the given namespaces for new ones."""
    _checked(_libc.unshare(flags), "unshare")


def setns(fd: int, kind: int) -> None:
    """Enter the namespace that `fd` names."""
    _checked(_libc.setns(fd, kind), "setns")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount; raises OSError that names the target."""
    result = _libc.mount(
        source.encode(),
        target.encode(),
        kind.encode() or None,
        ctypes.c_ulong(flags),
        options.encode() or None,
    )
    _checked(result, f"mount {target}")


def unmount(target: str) -> None:
    """Take a mount out of sight, now; it ends when its last user does."""
    _checked(_libc.umount2(target.encode(), MNT_DETACH), f"unmount {target}")


def pivot_root(new_root: str, put_old: str) -> None:
    """Make `new_root` the root, and leave the old one under `put_old`."""
    syscall(_SYS_PIVOT_ROOT, new_root.encode(), put_old.encode())


def seal(target: str) -> None:
    """Make a mount and all below it read-only, without devices and set-user-id programs."""
    flags = MS_RDONLY | MS_NOSUID | MS_NODEV
    attributes = _MountAttributes(flags & 1 | flags & 2 | flags & 4, 0, 0, 0)
    try:
        syscall(
            _SYS_MOUNT_SETATTR,
            ctypes.c_int(_AT_FDCWD),
            target.encode(),
            ctypes.c_uint(_AT_RECURSIVE),
            attributes,
            ctypes.c_size_t(ctypes.sizeof(attributes)),
        )
    except OSError:
        mount("", target, flags=MS_REMOUNT | MS_BIND | flags | os.statvfs(target).f_flag & 0x1C0F)
