"""Renewal: requested certificates are issued anew before they end, imported ones never."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from cumulet.app.seal import FileSealer
from cumulet.core.clock import ManualClock
from cumulet.core.identity import Scope
from cumulet.kit.ports import Sealer
from cumulet.kit.tls.authority import Authority
from cumulet.kv.memory import MemoryStore
from cumulet.services.acm import store
from cumulet.services.acm.issuing import issue
from cumulet.services.acm.limits import RENEW_DAYS, VALID_DAYS
from cumulet.services.acm.model import IMPORTED, ISSUED, KEY_PURPOSE, Certificate
from cumulet.services.acm.workers import renew

DAY = 86_400
HERE, THERE = Scope("000000000001", "us-east-1"), Scope("000000000002", "eu-west-1")


class Platform:
    """As much of the platform as renewal needs."""

    def __init__(self, folder: Any) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore()
        self.parts = {
            Authority: Authority(folder, self.clock),
            Sealer: FileSealer(b"k" * 32),
        }

    def need(self, kind: type) -> Any:
        return self.parts[kind]

    async def transact(self, work: Any, scope: Scope, *args: Any) -> Any:
        return await self.store.transact(lambda tx: work(tx, scope, *args))

    def issued(self, certificate_id: str) -> Certificate:
        now = self.clock.now()
        return issue(
            self.need,
            Certificate(
                id=certificate_id,
                type=ISSUED,
                domain="a.example.com",
                names=("a.example.com", "*.a.example.com"),
                key_algorithm="EC_prime256v1",
                body="",
                chain="",
                sealed_key=b"",
                created=now,
                not_before=now,
                not_after=now,
            ),
        )


def test_a_certificate_is_issued_anew_before_it_ends(tmp_path):
    async def work() -> None:
        platform = Platform(tmp_path)
        old = platform.issued("one")
        kept = msgspec.structs.replace(platform.issued("two"), type=IMPORTED)
        await platform.transact(store.save, HERE, old)
        await platform.transact(store.save, THERE, kept)
        await platform.clock.advance((VALID_DAYS - RENEW_DAYS - 1) * DAY)
        await renew(platform)
        assert await platform.transact(store.load, HERE, "one") == old
        await platform.clock.advance(2 * DAY)
        await renew(platform)
        new = await platform.transact(store.load, HERE, "one")
        assert new.renewed == platform.clock.now()
        assert new.not_after == int(platform.clock.now()) + VALID_DAYS * DAY
        assert (new.names, new.created) == (old.names, old.created)
        assert new.body != old.body
        sealer = platform.need(Sealer)
        assert sealer.unseal(new.sealed_key, KEY_PURPOSE) != sealer.unseal(
            old.sealed_key, KEY_PURPOSE
        )
        assert await platform.transact(store.load, THERE, "two") == kept
        await renew(platform)
        assert await platform.transact(store.load, HERE, "one") == new

    asyncio.run(work())
