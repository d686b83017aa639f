"""What the function's process gives up before any of its code runs, in an order that matters."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from collections.abc import Callable
from typing import Any

from cumulet.sandbox.child import kernel, landlock, namespaces, seccomp

_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/proc/self", "/proc/meminfo",
    "/proc/cpuinfo", "/proc/stat", "/proc/uptime", "/proc/loadavg", "/proc/filesystems",
    "/proc/sys/kernel", "/proc/sys/vm", "/sys/devices/system/cpu", "/etc/alternatives",
    "/etc/ca-certificates", "/etc/group", "/etc/host.conf", "/etc/hosts", "/etc/ld.so.cache",
    "/etc/localtime", "/etc/mime.types", "/etc/nsswitch.conf", "/etc/os-release", "/etc/passwd",
    "/etc/pki", "/etc/protocols", "/etc/resolv.conf", "/etc/services", "/etc/ssl",
)  # fmt: skip


_ROUNDS = 8
"""Rehearsals after which the interpreter writes no more to the code that it has run."""


def rehearse(layers: dict[str, str]) -> None:
    """In the zygote: go through what every environment does, without effect on anything.

    What a process does for the first time takes many times longer than what it has done before.
    """
    with contextlib.suppress(OSError):
        kernel.bound_capabilities()
    seccomp.prepare()
    for _ in range(_ROUNDS):
        with contextlib.suppress(OSError):
            os.close(landlock.rules(landlock.abi(), ["/"], ["/tmp", *_DEVICES], network=True))
        if not layers["filesystem"]:
            with contextlib.suppress(OSError):
                namespaces.rehearse()


def limit(spec: dict[str, Any]) -> None:
    """Resource limits that every machine has."""
    for what, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, spec["files_max"]),
        (resource.RLIMIT_FSIZE, spec["ephemeral_mb"] << 20),
        (resource.RLIMIT_MEMLOCK, 64 << 10),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        resource.setrlimit(what, (value, value))


def confine(spec: dict[str, Any], layers: dict[str, str]) -> None:
    """Limits, then user, then rights, then files, then system calls.

    The user is left while that is still allowed; Landlock and the filter come last because the
    steps before need what they take away. What could not be done is recorded, not raised.
    """
    limit(spec)
    if spec["isolation"] == "none":
        kernel.die_with_parent(signal.SIGKILL)
        return
    uid = spec["uid"]
    layers["users"] = layers["users"] or spec["users"]
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    elif layers["users"] and not layers["processes"]:
        _try(layers, "counted", namespaces.count_alone)
    if uid is not None or not layers.get("counted", "not"):
        resource.setrlimit(resource.RLIMIT_NPROC, (spec["processes_max"],) * 2)
    kernel.die_with_parent(signal.SIGKILL)
    os.umask(0o022)
    _try(layers, "privileges", _give_up_rights)
    kernel.set_dumpable(True)
    _try(layers, "landlock", _keep_files, spec, layers)
    _try(layers, "seccomp", seccomp.restrict)


def _try(layers: dict[str, str], name: str, step: Callable[..., Any], *arguments: object) -> None:
    if layers.get(name) == namespaces.SWITCHED_OFF:
        return
    try:
        layers[name] = step(*arguments) or ""
    except OSError as error:
        layers[name] = str(error)


def _give_up_rights() -> None:
    kernel.drop_capabilities()
    kernel.forgo_new_privileges()


def _keep_files(spec: dict[str, Any], layers: dict[str, str]) -> None:
    """With an own root folder all of it may be read; without, only what a function needs."""
    if layers["filesystem"]:
        readable = [*_SYSTEM, *spec["shown_paths"], spec["code"], spec["opt"] or "/opt"]
        writable = [spec["tmp"], *_DEVICES]
    else:
        readable = ["/"]
        writable = ["/tmp", "/dev/shm", "/var/tmp", *_DEVICES]
    network = spec["network"] or not layers.get("network", "")
    landlock.restrict(readable, writable, network=network)
