"""S3 without a server: its operations on a store in memory, and a clock that a test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from cumulet.app.seal import FileSealer
from cumulet.blobs.contract import Blobs
from cumulet.blobs.files import FileBlobs
from cumulet.core.clock import ManualClock
from cumulet.core.http import BytesBody
from cumulet.core.identity import Scope, root_principal
from cumulet.kit.dispatch import Dispatcher
from cumulet.kit.ports import Sealer, Usage
from cumulet.kv.contract import Store
from cumulet.kv.memory import MemoryStore
from cumulet.services.s3 import S3
from cumulet.wire.catalog import Catalog

ACCOUNT = "123456789012"


class Free:
    """Takes the place of bills: these tests are about objects."""

    def used(self, *_: Any) -> None:
        """Nothing is charged."""

    def seen(self, *_: Any) -> None:
        """Nothing is charged."""


class Room:
    """The service with what it needs around it."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore()
        self.blobs_folder = folder / "blobs"
        self.blobs = FileBlobs(self.blobs_folder, self.clock)
        self.platform = Dispatcher(
            store=self.store,
            clock=self.clock,
            catalog=Catalog(folder / "models", ("s3",)),
            services=(S3,),
            endpoint="http://127.0.0.1:1",
        )
        self.platform.provide(Store, self.store)
        self.platform.provide(Blobs, self.blobs)
        self.platform.provide(Sealer, FileSealer(bytes(32)))
        self.platform.provide(Usage, Free())
        assert S3.provides is not None
        for kind, part in S3.provides(self.platform).items():
            self.platform.provide(kind, part)

    async def call(self, operation: str, **request: Any) -> Any:
        """An operation as the account's root."""
        if isinstance(request.get("Body"), bytes):
            request["Body"] = BytesBody(request["Body"])
        scope = Scope(ACCOUNT, "us-east-1")
        ctx = self.platform.context(scope, root_principal(ACCOUNT))
        return await self.platform.run(ctx, "s3", operation, request)

    def files(self) -> int:
        """How many blobs lie on the disk."""
        return sum(1 for path in self.blobs_folder.rglob("*") if path.is_file())


def within(folder: Path, work: Callable[[Room], Awaitable[None]]) -> None:
    """Run `work` in a room of its own."""

    async def run() -> None:
        room = Room(folder)
        try:
            await work(room)
        finally:
            await room.blobs.close()

    asyncio.run(run())
