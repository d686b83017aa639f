"""The engines that the one suite runs on. Add a line to ENGINES for another."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cumulet.kv.contract import Store
from cumulet.kv.embedded import open_embedded
from cumulet.kv.memory import MemoryStore

ENGINES: dict[str, Callable[[Path], Store]] = {
    "memory": lambda folder: MemoryStore(),
    "memory-interleaving": lambda folder: MemoryStore(yields=True),
    "embedded": lambda folder: open_embedded(folder / "kv"),
}


@dataclass
class Engine:
    name: str
    open: Callable[[], Store]

    def run(self, story: Callable[[Store], Awaitable[None]]) -> None:
        """Run `story(store)` in a loop of its own, with a store that is closed afterwards."""

        async def whole() -> None:
            store = self.open()
            try:
                await story(store)
            finally:
                await store.close()

        asyncio.run(whole())


@pytest.fixture(params=list(ENGINES))
def engine(request, tmp_path):
    return Engine(request.param, lambda: ENGINES[request.param](tmp_path))
