"""Figures of the process and of its data, read when somebody asks.

The names of the process's are those of Prometheus's own clients.
https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics
"""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from cumulet.app.telemetry.naming import Family, Kind
from cumulet.app.telemetry.registry import Labels

_PROC = Path("/proc/self")


class Figure(NamedTuple):
    """One value of one family, under its labels."""

    family: Family
    value: float
    labels: Labels = ()


def _family(name: str, kind: Kind, about: str, otel: str, otel_unit: str, unit: str = "") -> Family:
    return Family(name, kind, about, otel, otel_unit, unit)


_RESIDENT = _family(
    *("process_resident_memory_bytes", "gauge", "Resident memory."),
    *("process.memory.usage", "By", "bytes"),
)
_VIRTUAL = _family(
    *("process_virtual_memory_bytes", "gauge", "Virtual memory."),
    *("process.memory.virtual", "By", "bytes"),
)
_CPU = _family(
    *("process_cpu_seconds", "counter", "Processor time, of the user and of the system."),
    *("process.cpu.time", "s", "seconds"),
)
_FILES = _family(
    *("process_open_fds", "gauge", "Open files and sockets."),
    *("process.unix.file_descriptor.count", "{file_descriptor}"),
)
_FILES_MAX = _family(
    *("process_max_fds", "gauge", "How many files and sockets may be open."),
    *("cumulet.process.file_descriptor.limit", "{file_descriptor}"),
)
_START = _family(
    *("process_start_time_seconds", "gauge", "When the process began, since the epoch."),
    *("cumulet.process.start_time", "s", "seconds"),
)
_FAILED = _family(
    *("cumulet_store_failed", "gauge", "1 when the store takes no more writes."),
    *("cumulet.store.failed", "1"),
)
_FREE = _family(
    *("cumulet_data_free_bytes", "gauge", "Free space where the data is."),
    *("cumulet.data.free", "By", "bytes"),
)


def process_figures() -> Iterator[Figure]:
    """Memory, processor and open files of this process; what the system does not tell is left out.

    Times of the system are in its ticks, sizes in its pages.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    yield Figure(_CPU, used.ru_utime + used.ru_stime)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY:
        yield Figure(_FILES_MAX, float(soft))
    try:
        virtual, resident, *_ = map(int, (_PROC / "statm").read_text().split())
        page = os.sysconf("SC_PAGE_SIZE")
        yield Figure(_RESIDENT, float(resident * page))
        yield Figure(_VIRTUAL, float(virtual * page))
        yield Figure(_FILES, float(sum(1 for _ in (_PROC / "fd").iterdir())))
        yield Figure(_START, _began())
    except (OSError, ValueError, IndexError):
        return


def _began() -> float:
    """When this process began, in epoch seconds; proc(5) counts it in ticks since the boot."""
    after_name = (_PROC / "stat").read_text().rpartition(")")[2].split()
    ticks = int(after_name[19])
    lines = Path("/proc/stat").read_text().splitlines()
    boot = next(int(line.split()[1]) for line in lines if line.startswith("btime "))
    return boot + ticks / os.sysconf("SC_CLK_TCK")


def data_figures(
    data: Path, failure: str | None, store: Callable[[], Mapping[str, int]]
) -> Iterator[Figure]:
    """How the store and the place of the data are."""
    yield Figure(_FAILED, 1.0 if failure else 0.0)
    try:
        place = os.statvfs(data)
        yield Figure(_FREE, float(place.f_bavail * place.f_frsize))
    except OSError:
        pass
    for name, value in store().items():
        unit = "bytes" if name.endswith("bytes") else ""
        family = _family(
            *(f"cumulet_store_{name}", "gauge", f"The store's {name.replace('_', ' ')}."),
            *(f"cumulet.store.{name}", "By" if unit else "1", unit),
        )
        yield Figure(family, float(value))
