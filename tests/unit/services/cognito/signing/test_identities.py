"""The port by which gateways and STS verify pools' tokens."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

from cumulet.app.seal import FileSealer
from cumulet.core.clock import ManualClock
from cumulet.kit.dispatch import Dispatcher
from cumulet.kit.ports import Sealer
from cumulet.kv.contract import Store
from cumulet.kv.memory import MemoryStore
from cumulet.services.cognito import store
from cumulet.services.cognito.model import Home
from cumulet.services.cognito.signing.identities import PoolTokens
from cumulet.services.cognito.signing.keys import first_keys
from cumulet.services.cognito.signing.tokens import write_token

POOL = "us-east-1_unit"
ISSUER = f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}"


def in_a_cloud(check: Callable[[PoolTokens, ManualClock, Any], Awaitable[None]]) -> None:
    """Run a check where one pool has its keys."""

    async def run() -> None:
        kv, clock, sealer = MemoryStore(), ManualClock(), FileSealer(os.urandom(32))
        platform: Any = Dispatcher(
            store=kv,
            clock=clock,
            catalog=None,  # type: ignore[arg-type]
            services=(),
            endpoint="",
        )
        platform.provide(Store, kv)
        platform.provide(Sealer, sealer)
        tokens = PoolTokens(platform)
        await tokens.start()
        for key in await first_keys(clock, sealer, POOL):
            await platform.transact(save, store.NOWHERE, store.KEYS, key)
        home = Home(POOL, "000000000000", "us-east-1", POOL)
        await platform.transact(save, store.NOWHERE, store.HOMES, home)
        await check(tokens, clock, platform)
        await tokens.stop()

    asyncio.run(run())


async def save(tx: Any, scope: Any, table: Any, record: Any) -> None:
    await table.save(tx, scope, record)


def test_a_token_is_good_until_it_expires() -> None:
    async def check(tokens: PoolTokens, clock: ManualClock, platform: Any) -> None:
        claims = {"iss": ISSUER, "sub": "ann", "exp": clock.now() + 60}
        token = write_token(await tokens.ring(POOL), claims)
        assert await tokens.verify(token) == claims
        await clock.advance(59)
        assert await tokens.verify(token) == claims
        await clock.advance(1)
        assert await tokens.verify(token) is None

    in_a_cloud(check)


def test_a_token_without_an_end_or_of_another_issuer_is_false() -> None:
    async def check(tokens: PoolTokens, clock: ManualClock, platform: Any) -> None:
        ring, later = await tokens.ring(POOL), clock.now() + 60
        for claims in (
            {"iss": ISSUER},
            {"iss": ISSUER, "exp": "never"},
            {"iss": "https://evil.example/" + POOL, "exp": later},
            {"iss": ISSUER.replace(POOL, "us-east-1_other"), "exp": later},
            {"iss": "https://cognito-identity.amazonaws.com", "exp": later},
            {"exp": later},
        ):
            assert await tokens.verify(write_token(ring, claims)) is None

    in_a_cloud(check)


def test_tokens_of_a_deleted_pool_are_false() -> None:
    async def check(tokens: PoolTokens, clock: ManualClock, platform: Any) -> None:
        claims = {"iss": ISSUER, "exp": clock.now() + 60}
        token = write_token(await tokens.ring(POOL), claims)
        assert await tokens.verify(token) is not None
        await platform.transact(store.close_pool, store.NOWHERE, POOL)
        while await platform.transact(store.clear_pool, store.NOWHERE, POOL):
            pass
        assert await tokens.verify(token) is None

    in_a_cloud(check)
