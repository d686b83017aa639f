"""Signing keys of pools: made, sealed, rotated, and kept ready in memory.

Each pool has a key that signs, the next one, which is published before it signs, and retired ones
that verify until no token of theirs can live.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from cumulet.core.clock import Clock
from cumulet.core.identity import Scope
from cumulet.kit.ports import Sealer
from cumulet.kv.contract import Transaction
from cumulet.services.cognito import store
from cumulet.services.cognito.limits import KEY_BITS, KEY_DAYS, RETIRED_DAYS
from cumulet.services.cognito.model import SigningKey

PURPOSE = "cognito-key"
_DAY = 86_400.0
_KEYS_MAX = 20


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key as verifiers know it."""

    id: str
    key: rsa.RSAPublicKey
    shown: Mapping[str, str]

    def verifies(self, signed: bytes, signature: bytes) -> bool:
        """Whether this key made the signature."""
        try:
            self.key.verify(signature, signed, padding.PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of a pool, ready for use."""

    id: str
    private: rsa.RSAPrivateKey
    public: Mapping[str, PublicKey]

    def sign(self, text: bytes) -> bytes:
        """An RS256 signature by the present key."""
        return self.private.sign(text, padding.PKCS1v15(), SHA256())

    def shown(self) -> dict[str, Any]:
        """The JSON Web Key Set."""
        return {"keys": [dict(one.shown) for one in self.public.values()]}


def encode_segment(content: bytes) -> str:
    """Base64 for URLs without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decode_segment(text: str) -> bytes:
    """What `encode_segment` wrote, and nothing else. Raises ValueError."""
    plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if encode_segment(plain) != text:
        raise ValueError("not canonical base64url")
    return plain


def _number(value: int) -> str:
    return encode_segment(value.to_bytes((value.bit_length() + 7) // 8))


async def make_key(clock: Clock, sealer: Sealer, pool: str, *, is_next: bool) -> SigningKey:
    """A new key for a pool; made in a thread, as it takes a tenth of a second."""
    key = await asyncio.to_thread(rsa.generate_private_key, 65_537, KEY_BITS)
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    numbers = key.public_key().public_numbers()
    id = base64.b64encode(clock.random_bytes(32)).decode()
    return SigningKey(
        pool=pool,
        id=id,
        private=sealer.seal(der, PURPOSE),
        public={
            "alg": "RS256",
            "e": _number(numbers.e),
            "kid": id,
            "kty": "RSA",
            "n": _number(numbers.n),
            "use": "sig",
        },
        created=clock.now(),
        is_next=is_next,
    )


async def first_keys(clock: Clock, sealer: Sealer, pool: str) -> tuple[SigningKey, ...]:
    """The keys of a new pool: one that signs, and the next."""
    return (
        await make_key(clock, sealer, pool, is_next=False),
        await make_key(clock, sealer, pool, is_next=True),
    )


def ring_of(keys: Sequence[SigningKey], sealer: Sealer) -> KeyRing | None:
    """The keys of a pool ready for use; None when there is none that signs."""
    signing = [key for key in keys if key.retired_at is None and not key.is_next]
    if not signing:
        return None
    present = signing[0]
    private = load_der_private_key(sealer.unseal(present.private, PURPOSE), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    return KeyRing(present.id, private, {key.id: _public(key) for key in keys})


def _public(key: SigningKey) -> PublicKey:
    exponent, modulus = (int.from_bytes(decode_segment(key.public[name])) for name in ("e", "n"))
    return PublicKey(key.id, rsa.RSAPublicNumbers(exponent, modulus).public_key(), key.public)


async def load_keys(tx: Transaction, scope: Scope, pool: str) -> list[SigningKey]:
    """Every key of a pool."""
    return await store.KEYS.scan(tx, scope, pool, limit=_KEYS_MAX)


async def rotate(tx: Transaction, scope: Scope, fresh: SigningKey, now: float) -> None:
    """Let the next key sign, and keep the one that signed for verifying; `fresh` is then next."""
    for key in await load_keys(tx, scope, fresh.pool):
        if key.retired_at is not None:
            if now - key.retired_at > RETIRED_DAYS * _DAY:
                await store.KEYS.drop(tx, scope, key.pool, key.id)
        elif key.is_next:
            changed = msgspec.structs.replace(key, is_next=False, created=now)
            await store.KEYS.save(tx, scope, changed)
        else:
            changed = msgspec.structs.replace(key, retired_at=now)
            await store.KEYS.save(tx, scope, changed)
    await store.KEYS.save(tx, scope, fresh)


async def drop_spent(tx: Transaction, scope: Scope, pool: str, now: float) -> None:
    """Remove retired keys whose tokens are all gone."""
    for key in await load_keys(tx, scope, pool):
        if key.retired_at is not None and now - key.retired_at > RETIRED_DAYS * _DAY:
            await store.KEYS.drop(tx, scope, key.pool, key.id)


def is_due(keys: Sequence[SigningKey], now: float) -> bool:
    """Whether the key that signs is old enough to be followed by the next."""
    signing = [key for key in keys if key.retired_at is None and not key.is_next]
    return bool(signing) and now - signing[0].created > KEY_DAYS * _DAY
