"""Which peers are installed; `make bench` tries to install them and goes on without."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import TypeVar

from bench.clouds import peer_command

T = TypeVar("T")
PACKAGES = {"ministack": "ministack==1.5.33", "moto server": "moto[server]==5.2.5"}


def available(peers: Mapping[str, T]) -> dict[str, T]:
    """The peers that could be installed, each in an environment of its own; says which not."""
    found = {}
    for name, start in peers.items():
        command = peer_command(name)
        folder = command.parent.parent
        if not command.exists():
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            words = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", PACKAGES[name]]
            subprocess.run(words, check=False)
        if command.exists():
            found[name] = start
        else:
            print(f"  {name} could not be installed and is left out")
    return found
