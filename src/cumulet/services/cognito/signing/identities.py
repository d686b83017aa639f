"""Who verifies tokens of pools: the port for gateways and STS, and the pools' own operations."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.kit.ports import Sealer
from cumulet.kv.cache import CachedView
from cumulet.kv.contract import Store
from cumulet.services.cognito import store
from cumulet.services.cognito.model import Home, SigningKey
from cumulet.services.cognito.signing.keys import KeyRing, first_keys, load_keys, ring_of
from cumulet.services.cognito.signing.tokens import BadToken, parse_token, verified

_RINGS_MAX = 1_000
_VERIFIED_MAX = 10_000
IDENTITY_ISSUER = "https://cognito-identity.amazonaws.com"
IDENTITY_KEYS = "cognito-identity"
"""Under this name lie the keys that sign tokens of identity pools, in no account."""


class PoolTokens:
    """The keys of pools in memory; the `WebIdentities` port.

    A token whose signature held is not verified again while the keys stay as they are.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._rings: CachedView[str, KeyRing | None] | None = None
        self._homes: dict[str, Home] = {}
        self._known: OrderedDict[bytes, Mapping[str, Any]] = OrderedDict()
        self._closers: list[Any] = []

    async def start(self) -> None:
        """Follow the store: whatever changes a key makes all of this forgotten."""
        kv = self._platform.need(Store)
        keys, homes = (table.prefix(store.NOWHERE) for table in (store.KEYS, store.HOMES))
        self._rings = CachedView(kv, keys, self._load, affects=_affected, entries_max=_RINGS_MAX)
        self._closers = [
            self._rings.close,
            kv.on_change(keys, self._changed),
            kv.on_change(homes, self._changed),
        ]

    async def stop(self) -> None:
        """Follow the store no longer."""
        for close in self._closers:
            close()

    def _changed(self, _key: bytes) -> None:
        self._homes.clear()
        self._known.clear()

    async def _load(self, pool: str) -> KeyRing | None:
        keys = await self._platform.transact(load_keys, store.NOWHERE, pool)
        sealer = self._platform.need(Sealer)
        return ring_of(keys, sealer)

    async def ring(self, pool: str) -> KeyRing:
        """The keys of a pool. Raises BadToken when it has none."""
        assert self._rings is not None
        found = await self._rings.get(pool)
        if found is None:
            raise BadToken("the pool has no keys")
        return found

    async def identity_ring(self) -> KeyRing:
        """The keys for tokens of identity pools; made when first asked for."""
        try:
            return await self.ring(IDENTITY_KEYS)
        except BadToken:
            sealer = self._platform.need(Sealer)
            keys = await first_keys(self._platform.clock, sealer, IDENTITY_KEYS)
            await self._platform.transact(_save_first, store.NOWHERE, keys)
            return await self.ring(IDENTITY_KEYS)

    async def home_of(self, id: str) -> Home | None:
        """Where the pool or client with this id lies."""
        found = self._homes.get(id)
        if found is None:
            found = await self._platform.transact(store.find_home, store.NOWHERE, id)
            if found is not None and len(self._homes) < _RINGS_MAX:
                self._homes[id] = found
        return found

    async def verify(self, token: str) -> dict[str, object] | None:
        """The claims of a token of one of our pools that has not expired; else None."""
        try:
            claims = await self.claims_of(token)
        except BadToken:
            return None
        expires = claims.get("exp")
        if not isinstance(expires, int | float) or expires <= self._platform.clock.now():
            return None
        return dict(claims)

    async def knows(self, issuer: str) -> bool:
        """Whether the issuer is one of our pools, or our identity pools."""
        try:
            await self._ring_for(issuer)
        except BadToken:
            return False
        return True

    async def claims_of(self, token: str) -> Mapping[str, Any]:
        """The claims of a token that one of our pools signed, expired or not. Raises BadToken."""
        mark = sha256(token.encode()).digest()
        known = self._known.get(mark)
        if known is not None:
            self._known.move_to_end(mark)
            return known
        parsed = parse_token(token)
        claims = verified(await self._ring_for(parsed.issuer), parsed)
        self._known[mark] = claims
        if len(self._known) > _VERIFIED_MAX:
            self._known.popitem(last=False)
        return claims

    async def _ring_for(self, issuer: str) -> KeyRing:
        if issuer == IDENTITY_ISSUER:
            return await self.ring(IDENTITY_KEYS)
        pool = issuer.rpartition("/")[2]
        region = pool.partition("_")[0]
        if issuer != f"https://cognito-idp.{region}.amazonaws.com/{pool}":
            raise BadToken("another issuer's")
        if await self.home_of(pool) is None:
            raise BadToken("no such pool")
        return await self.ring(pool)


async def _save_first(tx: Any, scope: Scope, keys: tuple[SigningKey, ...]) -> None:
    if not await load_keys(tx, scope, IDENTITY_KEYS):
        for key in keys:
            await store.KEYS.save(tx, scope, key)


def _affected(changed: bytes) -> list[str]:
    found = store.KEYS.owned(changed)
    return [] if found is None else [str(found[1][0])]
