# ruff: noqa: PTH103, PTH110, PTH112, PTH114, PTH115, PTH120, PTH123, PTH211
# Plain calls rather than pathlib: this runs in every fork and should touch little memory.
"""The view of an environment: a root folder with only what functions need, its own processes.

`prepare` runs once in the zygote and makes what all its environments share; the other functions
run in the first process of one environment. Each step records in `layers` what it achieved:
layer name → "" when in force, else the reason why not.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import struct
from typing import Any

from cumulet.sandbox.child import kernel

HOST = "/.host"
"""Where the machine's own root is seen until an environment is furnished."""

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_SETTINGS = (
    "alternatives", "ca-certificates", "crypto-policies", "host.conf", "hosts", "ld.so.cache",
    "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types", "nsswitch.conf", "os-release",
    "pki", "protocols", "resolv.conf", "services", "ssl",
)  # fmt: skip
_DEVICES = ("null", "zero", "full", "random", "urandom")
_FOLDERS = (
    "/proc", "/dev/shm", "/tmp", "/var/task", "/opt", "/var/runtime", "/var/tmp", "/var/lang", HOST,
)  # fmt: skip
SWITCHED_OFF = "switched off by the settings"
_HOST_NAME = "169.254.100.6"
_USER_NAME = "sbx_user1051"
_SIOCSIFFLAGS = 0x8914
_IFF_UP_RUNNING = 0x41
SHARED_MEMORY_MB = 64


def prepare(config: dict[str, Any]) -> None:
    """Give the zygote its own mount table whose root holds only what functions may see."""
    layers = config["layers"]
    if config["isolation"] == "none":
        reason = "isolation is switched off"
        layers.update(filesystem=reason, processes=reason, users=reason)
        return
    for name in config["without"]:
        layers[name] = SWITCHED_OFF
    try:
        _become_owner(layers)
    except OSError as error:
        layers["filesystem"] = layers["processes"] = str(error)
        return
    if layers.get("filesystem"):
        return
    try:
        kernel.unshare(kernel.CLONE_NEWNS)
        kernel.mount("", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
        _build_root(config)
        layers["filesystem"] = ""
    except OSError as error:
        layers["filesystem"] = str(error)


def _become_owner(layers: dict[str, str]) -> None:
    """As an ordinary user, enter a user namespace, which grants the rights to make others."""
    if os.geteuid() == 0:
        layers["users"] = ""
        return
    layers["users"] = "an ordinary user has only its own user id to give"
    _map_self(kernel.CLONE_NEWPID)
    inner = os.fork()
    if inner:
        os.closerange(3, 256)
        os.waitpid(inner, 0)
        os._exit(0)
    kernel.die_with_parent(signal.SIGKILL)


def _map_self(more: int = 0) -> None:
    """Enter a user namespace that knows only this user, by the same number."""
    uid, gid = os.geteuid(), os.getegid()
    kernel.unshare(kernel.CLONE_NEWUSER | more)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _build_root(config: dict[str, Any]) -> None:
    root = config["root_folder"]
    kernel.mount("tmpfs", root, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=755,size=4m")
    for folder in _FOLDERS:
        os.makedirs(root + folder, exist_ok=True)
    for path in _SYSTEM:
        _show(path, root + path)
    os.makedirs(root + "/etc", exist_ok=True)
    for name in _SETTINGS:
        _show("/etc/" + name, f"{root}/etc/{name}")
    _write_users(root, config)
    for name in _DEVICES:
        _show("/dev/" + name, f"{root}/dev/{name}", sealed=False)
    for name, target in (
        ("fd", "/proc/self/fd"),
        ("stdin", "fd/0"),
        ("stdout", "fd/1"),
        ("stderr", "fd/2"),
    ):
        os.symlink(target, f"{root}/dev/{name}")
    for path in config["shown_paths"]:
        _show(path, root + path)
    for path, target in config["runtime_parts"]:
        _show(path, root + target)
    kernel.pivot_root(root, root + HOST)
    os.chdir("/")
    kernel.mount("", "/", flags=kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY | 6)


def _show(source: str, target: str, sealed: bool = True) -> None:
    """Show a file or folder of the machine at `target`, read-only; a link is copied as a link."""
    if os.path.islink(source) and source in _SYSTEM:
        os.symlink(os.readlink(source), target)
        return
    if not os.path.exists(source) or (os.path.lexists(target) and os.path.ismount(target)):
        return
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    kernel.mount(os.path.realpath(source), target, flags=kernel.MS_BIND | kernel.MS_REC)
    if sealed:
        kernel.seal(target)


def _write_users(root: str, config: dict[str, Any]) -> None:
    """A user table that knows the environments' users by the name Lambda gives its own."""
    first, count = config["uids"]
    with open(root + "/etc/passwd", "w") as users, open(root + "/etc/group", "w") as groups:
        users.write("root:x:0:0:root:/:/sbin/nologin\n")
        groups.write("root:x:0:\n")
        for uid in range(first, first + count):
            users.write(f"{_USER_NAME}:x:{uid}:{uid}::/tmp:/sbin/nologin\n")
            groups.write(f"{_USER_NAME}:x:{uid}:\n")


def count_alone() -> None:
    """As an ordinary user: enter a user namespace, in which only own processes are counted."""
    kernel.set_dumpable(True)  # Else its own map is not its own to write.
    _map_self()


def open_own_pids() -> int:
    """The zygote's own process namespace, to return to after each fork."""
    for root in (HOST, ""):
        try:
            return os.open(root + "/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            continue
    return -1


def fork_with_own_pids(own_pids: int, layers: dict[str, str]) -> int:
    """Fork a child that is the first process of a process namespace, where the machine allows."""
    if layers.get("processes"):
        return os.fork()
    try:
        kernel.unshare(kernel.CLONE_NEWPID)
    except OSError as error:
        layers["processes"] = str(error)
        return os.fork()
    layers["processes"] = ""
    pid = os.fork()
    if pid:
        kernel.setns(own_pids, kernel.CLONE_NEWPID)
    return pid


def separate(layers: dict[str, str]) -> None:
    """Leave the zygote's mounts, shared memory and host name for own ones."""
    if layers["filesystem"]:
        return
    kernel.unshare(kernel.CLONE_NEWNS | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS)


def rehearse() -> None:
    """In the zygote: mount, seal and unmount, where it sees no files of its own anyway."""
    flags = kernel.MS_NOSUID | kernel.MS_NODEV
    kernel.mount("tmpfs", "/tmp", "tmpfs", flags, "mode=700,size=1m")
    try:
        kernel.seal("/tmp")
    finally:
        kernel.unmount("/tmp")


def furnish(spec: dict[str, Any], layers: dict[str, str]) -> list[int]:
    """Show this function's code and layers, and give it an own `/tmp` of its size.

    Returns the network namespace, open, when the function is to have one of its own.
    """
    network = [] if spec["network"] else _cut_network(layers)
    if layers["filesystem"]:
        return network
    socket.sethostname(_HOST_NAME)
    for source, target in ((spec["code"], "/var/task"), (spec["opt"], "/opt")):
        if source:
            kernel.mount(HOST + source, target, flags=kernel.MS_BIND)
            kernel.seal(target)
    uid = spec["uid"]
    owner = "" if uid is None else f",uid={uid},gid={uid}"
    for target, size_mb in (("/tmp", spec["ephemeral_mb"]), ("/dev/shm", SHARED_MEMORY_MB)):
        options = f"mode=700,size={size_mb}m{owner}"
        kernel.mount("tmpfs", target, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, options)
    if not layers["processes"]:
        _mount_processes(layers)
    kernel.unmount(HOST)
    return network


def _mount_processes(layers: dict[str, str]) -> None:
    try:
        flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
        kernel.mount("proc", "/proc", "proc", flags)
    except OSError as error:
        layers["proc"] = str(error)


def _cut_network(layers: dict[str, str]) -> list[int]:
    """Keep nothing of the network but a loopback of its own."""
    try:
        kernel.unshare(kernel.CLONE_NEWNET)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            request = struct.pack("16sH14x", b"lo", _IFF_UP_RUNNING)
            fcntl.ioctl(probe.fileno(), _SIOCSIFFLAGS, request)
    except OSError as error:
        layers["network"] = str(error)
        return []
    layers["network"] = ""
    for root in (HOST, ""):
        with contextlib.suppress(OSError):
            return [os.open(root + "/proc/thread-self/ns/net", os.O_RDONLY)]
    return []
