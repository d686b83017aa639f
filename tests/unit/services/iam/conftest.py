"""A platform in memory with IAM alone, and a clock that the test moves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from cumulet.app.seal import FileSealer
from cumulet.core.clock import ManualClock
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.dispatch import Dispatcher
from cumulet.kit.ports import Credentials, Sealer
from cumulet.kv.contract import Store
from cumulet.kv.memory import MemoryStore
from cumulet.services import iam
from cumulet.wire.catalog import Catalog

ACCOUNT = "111122223333"


class Platform:
    """IAM and STS on a store in memory; make it inside of the event loop."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore()
        self.sealer = FileSealer(b"k" * 32)
        self.dispatcher = Dispatcher(
            store=self.store,
            clock=self.clock,
            catalog=Catalog(folder),
            services=iam.SERVICES,
            endpoint="http://127.0.0.1:4566",
        )
        self.dispatcher.provide(Store, self.store)
        self.dispatcher.provide(Sealer, self.sealer)
        assert iam.IAM.provides is not None
        for kind, part in iam.IAM.provides(self.dispatcher).items():
            self.dispatcher.provide(kind, part)

    async def root(self, account: str = ACCOUNT) -> Context:
        """The account itself."""
        key = await iam.ensure_account(
            self.store, self.sealer, self.clock, account, key_id=f"root{account}", secret="s"
        )
        return await self.caller(key.key_id if key else f"root{account}")

    async def caller(self, key_id: str, token: str = "") -> Context:
        """Whoever holds a key."""
        port: Any = self.dispatcher.need(Credentials)
        found = await port.find(key_id, token)
        assert found is not None
        scope = Scope(found.principal.account, "eu-west-1")
        return self.dispatcher.context(scope, found.principal)

    async def session(self, answer: dict[str, Any]) -> Context:
        """Whoever holds the credentials of an answer."""
        keys = answer["Credentials"]
        return await self.caller(keys["AccessKeyId"], keys["SessionToken"])


@pytest.fixture
def new_platform(tmp_path: Path) -> Callable[[], Awaitable[Platform]]:
    """Makes a platform; a coroutine, so that it is made inside of the loop."""

    async def make() -> Platform:
        return Platform(tmp_path)

    return make
