"""CloudWatch Logs without a server: on a store in memory, and a clock that a test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from cumulet.core.clock import ManualClock
from cumulet.core.identity import Scope, root_principal
from cumulet.kit.dispatch import Dispatcher
from cumulet.kit.ports import Usage
from cumulet.kv.contract import Store
from cumulet.kv.memory import MemoryStore
from cumulet.services.cloudwatch import LOGS
from cumulet.services.cloudwatch.logs.sink import StoreSink
from cumulet.wire.catalog import Catalog

SCOPE = Scope("123456789012", "us-east-1")
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Free:
    """Takes the place of bills: these tests are about log events."""

    def used(self, *_: Any) -> None:
        """Nothing is charged."""


class Room:
    """The service with what it needs around it."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore()
        self.platform = Dispatcher(
            store=self.store,
            clock=self.clock,
            catalog=Catalog(folder / "models", ("logs",)),
            services=(LOGS,),
            endpoint="http://127.0.0.1:1",
        )
        self.platform.provide(Store, self.store)
        self.platform.provide(Usage, Free())
        assert LOGS.provides is not None
        for kind, part in LOGS.provides(self.platform).items():
            self.platform.provide(kind, part)
        self.sink = self.platform.need(StoreSink)

    @property
    def now_ms(self) -> int:
        return int(self.clock.now() * 1000)

    async def call(self, operation: str, **request: Any) -> Any:
        """An operation as the account's root."""
        ctx = self.platform.context(SCOPE, root_principal(SCOPE.account))
        return await self.platform.run(ctx, "logs", operation, request)

    async def messages(self, group: str = "g", **request: Any) -> list[str]:
        """Every message that a search finds."""
        found: list[str] = []
        while True:
            answer = await self.call("FilterLogEvents", logGroupName=group, **request)
            found += [event["message"] for event in answer["events"]]
            if "nextToken" not in answer:
                return found
            request["nextToken"] = answer["nextToken"]

    async def keys(self) -> int:
        """How many keys the whole store holds."""

        async def count(tx: Any) -> int:
            return len(await tx.scan(b"", b"\xff" * 8, limit=1_000_000))

        return await self.store.transact(count)


def within(folder: Path, work: Callable[[Room], Awaitable[None]]) -> None:
    """Run `work` in a room of its own."""

    async def run() -> None:
        await work(Room(folder))

    asyncio.run(run())
