"""The layers of isolation of this machine, told to people."""

from __future__ import annotations

from collections.abc import Mapping

from cumulet.sandbox.contract import Layer, SandboxConfig
from cumulet.sandbox.machine.cgroups import Cgroups

_LAYERS = (
    (
        "filesystem",
        "own root folder by mount namespace",
        "A function sees the system's programs, its code, its layers and its own /tmp only.",
        "Functions see the machine's folders as far as Landlock and file rights let them.",
    ),
    (
        "processes",
        "process namespace",
        "A function sees and signals its own processes only, and all of them end with it.",
        "Functions can see the machine's processes; stray ones are hunted down one by one.",
    ),
    (
        "users",
        "an own user id for each environment",
        "Files and processes of others belong to strangers.",
        "All functions run as the cloud's own user; the other layers keep them apart.",
    ),
    (
        "privileges",
        "no capabilities, no new privileges",
        "No program a function starts can gain rights.",
        "A set-user-id program could give a function rights.",
    ),
    (
        "landlock",
        "Landlock rules for files, signals and abstract sockets",
        "A second wall: only listed paths, only own processes.",
        "Files are kept by the other layers alone.",
    ),
    (
        "seccomp",
        "filter of system calls",
        "Tracing, mounting, kernel keys, modules and the like are refused.",
        "A function may try any system call; the kernel alone judges.",
    ),
)
_ESSENTIAL = frozenset({"filesystem", "privileges", "seccomp"})


def missing_essentials(layers: Mapping[str, str]) -> list[str]:
    """Names of essential layers not in force; files may be kept by namespaces or by Landlock."""
    missing = [name for name in ("privileges", "seccomp") if layers.get(name, "not tried")]
    if layers.get("filesystem", "not tried") and layers.get("landlock", "not tried"):
        missing.append("filesystem")
    return missing


def describe_layers(
    layers: Mapping[str, str], cgroups: Cgroups, config: SandboxConfig
) -> list[Layer]:
    """Every layer, in force or not, with why and what it means."""
    described = []
    for name, how, meaning, otherwise in _LAYERS:
        reason = layers.get(name, "not tried")
        described.append(
            Layer(
                name,
                not reason,
                name in _ESSENTIAL,
                reason or how,
                otherwise if reason else meaning,
            )
        )
    described.append(_limits(cgroups))
    if not config.freeze:
        described.append(
            Layer("freeze", False, False, "switched off", "Functions run between events.")
        )
    return described


def _limits(cgroups: Cgroups) -> Layer:
    if cgroups.available:
        how = f"control groups version {cgroups.version}"
        meaning = "Memory, number of processes and share of the processor are bounded per function."
        return Layer("limits", True, False, how, meaning)
    meaning = "Memory is watched and a function over its limit is ended; the processor is shared."
    return Layer("limits", False, False, cgroups.reason or "isolation is switched off", meaning)
