"""Looking at the data of a cloud that does not run, or from within one that does."""

from __future__ import annotations

from pathlib import Path

from cumulet.app.services import SERVICES
from cumulet.app.tooling import MARKS
from cumulet.kv.check import check_store
from cumulet.kv.embedded import open_embedded


async def inspect(data: Path) -> list[str]:
    """The findings of `check_store` over every service's tables. Raises `kv.Unavailable`."""
    store = open_embedded(data / "store")
    try:
        return await check_store(store, [MARKS, *(t for one in SERVICES for t in one.tables)])
    finally:
        await store.close()
