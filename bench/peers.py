"""Which peers are installed; `make bench` tries to install them and goes on without."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, NamedTuple, TypeVar

from bench.clouds import peer_command

T = TypeVar("T")


class Offer(NamedTuple, Generic[T]):
    """A peer, the programs that it needs, and how it is installed once; False when it could not."""

    name: str
    programs: tuple[str, ...]
    install: Callable[[], bool]
    start: T


PACKAGES = {"ministack": "ministack==1.5.33", "moto server": "moto[server]==5.2.5"}


def installed(offers: Iterable[Offer[T]]) -> dict[str, T]:
    """Those of these peers that are here or could be installed; says which not, and why."""
    found = {}
    for offer in offers:
        missing = [program for program in offer.programs if shutil.which(program) is None]
        if missing:
            print(f"  {offer.name} is left out: there is no {missing[0]}")
        elif not offer.install():
            print(f"  {offer.name} could not be installed and is left out")
        else:
            found[offer.name] = offer.start
    return found


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
