"""Control groups: memory, number of processes and share of the processor, per environment.

Version 2 where our own group is delegated to us, version 1 as root, else nothing (the reason is
kept). https://docs.kernel.org/admin-guide/cgroup-v2.html
"""

from __future__ import annotations

import contextlib
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
_PREFIX = "cumulet-"
_V1_CONTROLLERS = ("memory", "pids", "cpu")
MEMORY_MB_PER_CPU = 1_769
"""Memory with which Lambda gives one processor.
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""
_V1_SHARES_PER_CPU = 1_024
_V2_WEIGHT_PER_CPU = 100
_PROCESS_OVERHEAD_MB = 8
"""Granted beside the function's memory, for the environment's first process and page tables."""


@dataclass(slots=True)
class Group:
    """One environment's control groups; empty where the machine has none for us."""

    folders: dict[str, Path] = field(default_factory=dict)
    _fds: list[int] = field(default_factory=list)
    _peak_fd: int = -1

    def fds(self) -> list[int]:
        """Open lists of processes, to be handed to the process that joins."""
        if not self._fds:
            folders = list(dict.fromkeys(self.folders.values()))
            self._fds = [os.open(folder / "cgroup.procs", os.O_WRONLY) for folder in folders]
        return self._fds

    def close_fds(self) -> None:
        """Close what `fds` opened."""
        for fd in self._fds:
            os.close(fd)
        self._fds = []

    def limit(self, memory_mb: int, processes_max: int) -> None:
        """Set the bounds of the function that moves in. Raises OSError."""
        if not self.folders:
            return
        limit_bytes = str((memory_mb + _PROCESS_OVERHEAD_MB) << 20)
        cpus = memory_mb / MEMORY_MB_PER_CPU
        memory, pids, cpu = (self.folders[name] for name in _V1_CONTROLLERS)
        (pids / "pids.max").write_text(str(processes_max))
        if memory == pids:
            (memory / "memory.max").write_text(limit_bytes)
            (memory / "memory.oom.group").write_text("0")
            with contextlib.suppress(OSError):
                (memory / "memory.swap.max").write_text("0")
            weight = max(1, min(10_000, int(cpus * _V2_WEIGHT_PER_CPU)))
            with contextlib.suppress(OSError):
                (cpu / "cpu.weight").write_text(str(weight))
            peak = memory / "memory.peak"
        else:
            (memory / "memory.limit_in_bytes").write_text(limit_bytes)
            with contextlib.suppress(OSError):
                (memory / "memory.memsw.limit_in_bytes").write_text(limit_bytes)
            (cpu / "cpu.shares").write_text(str(max(2, int(cpus * _V1_SHARES_PER_CPU))))
            peak = memory / "memory.max_usage_in_bytes"
        with contextlib.suppress(OSError):
            self._peak_fd = os.open(peak, os.O_RDONLY)

    def peak_mb(self) -> int | None:
        """Most memory used so far, in whole megabytes; None where nobody counts."""
        if self._peak_fd < 0:
            return None
        return -(-int(os.pread(self._peak_fd, 32, 0)) >> 20) or 1

    def oom_kills(self) -> int:
        """How often the kernel ended a process of the group for its memory."""
        memory = self.folders.get("memory")
        if memory is None:
            return 0
        for name in ("memory.events", "memory.oom_control"):
            with contextlib.suppress(OSError):
                for line in (memory / name).read_text().splitlines():
                    if line.startswith("oom_kill "):
                        return int(line.split()[1])
        return 0

    def remove(self) -> None:
        """Remove the groups; all their processes must be gone. Raises OSError while not."""
        self.close_fds()
        if self._peak_fd >= 0:
            os.close(self._peak_fd)
            self._peak_fd = -1
        for name, folder in list(self.folders.items()):
            with contextlib.suppress(FileNotFoundError):
                folder.rmdir()
            del self.folders[name]


class Cgroups:
    """Maker of groups. `reason` says why there are none, when `available` is False."""

    def __init__(self) -> None:
        self._parents: dict[str, Path] = {}
        self._count = 0
        self.version = 0
        self.reason = ""

    @property
    def available(self) -> bool:
        """Whether groups are made on this machine."""
        return bool(self._parents)

    def open(self) -> None:
        """Find out what this machine delegates to us, and make a folder of our own there."""
        name = f"{_PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
        try:
            lines = Path("/proc/self/cgroup").read_text().splitlines()
        except OSError as error:
            self.reason = str(error)
            return
        places = {}
        for line in lines:
            _, controllers, place = line.split(":", 2)
            for controller in controllers.split(","):
                places[controller] = place.lstrip("/")
        try:
            if set(_V1_CONTROLLERS) <= set(places):
                self._open_v1(places, name)
            else:
                self._open_v2(places.get("", ""), name)
        except OSError as error:
            self.reason = f"{error.strerror}: {error.filename}"
            self.close()
            self._parents = {}

    def _open_v1(self, places: dict[str, str], name: str) -> None:
        for controller in _V1_CONTROLLERS:
            above = ROOT / controller / places[controller]
            if not above.is_dir():
                above = ROOT / controller
            _sweep(above)
            folder = above / name
            folder.mkdir()
            self._parents[controller] = folder
        shares = _V1_SHARES_PER_CPU * (os.cpu_count() or 1)
        (self._parents["cpu"] / "cpu.shares").write_text(str(shares))
        self.version = 1

    def _open_v2(self, place: str, name: str) -> None:
        above = ROOT / place
        present = set((above / "cgroup.controllers").read_text().split())
        if not set(_V1_CONTROLLERS) <= present:
            missing = ", ".join(sorted(set(_V1_CONTROLLERS) - present))
            self.reason = f"control groups v2 without {missing} for {above}"
            return
        _sweep(above)
        own = above / f"{name}-cloud"
        own.mkdir()
        (own / "cgroup.procs").write_text(str(os.getpid()))
        wanted = " ".join(f"+{controller}" for controller in _V1_CONTROLLERS)
        (above / "cgroup.subtree_control").write_text(wanted)
        folder = above / name
        folder.mkdir()
        (folder / "cgroup.subtree_control").write_text(wanted)
        self._parents = dict.fromkeys(_V1_CONTROLLERS, folder)
        self.version = 2

    def make(self) -> Group:
        """Groups for one environment, without bounds yet."""
        self._count += 1
        folders = {}
        for controller, parent in self._parents.items():
            folders[controller] = parent / str(self._count)
        for folder in dict.fromkeys(folders.values()):
            folder.mkdir()
        return Group(folders)

    def close(self) -> bool:
        """Remove our own folders. False while one is still in use; call again to go on."""
        for name, folder in list(self._parents.items()):
            if _remove(folder):
                del self._parents[name]
        return not self._parents


def _sweep(above: Path) -> None:
    """Remove what a cloud that was killed has left; groups in use refuse to be removed."""
    for folder in above.glob(f"{_PREFIX}*"):
        pid = folder.name.removeprefix(_PREFIX).split("-")[0]
        if pid.isdigit() and Path(f"/proc/{pid}").exists():
            continue
        _remove(folder)


def _remove(folder: Path) -> bool:
    """Remove one cloud's folder of groups; False when it is in use."""
    try:
        for child in folder.iterdir():
            if child.is_dir():
                child.rmdir()
        folder.rmdir()
    except FileNotFoundError:
        return not folder.exists()
    except OSError:
        return False
    return True
