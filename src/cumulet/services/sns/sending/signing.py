"""Signatures of messages, by a key of this cloud whose certificate it shows to everybody.

Follows https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

from __future__ import annotations

import asyncio
import base64
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, Any

from cumulet.core.clock import new_hex
from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.kit.ports import Sealer
from cumulet.kit.tls.authority import Authority
from cumulet.kv.contract import Transaction
from cumulet.services.sns.limits import CERTIFICATE_DAYS, SIGNATURES_KEPT
from cumulet.services.sns.model import SigningKey
from cumulet.services.sns.store import SIGNING_KEYS

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

PATH = "/_cumulet/sns/"
_PURPOSE = "sns signing key"
_NOWHERE = Scope("", "")
_SUBJECT = "sns.amazonaws.com"
_KEY_BITS = 2_048
_ID_CHARACTERS = 32
_RENEW_SECONDS = CERTIFICATE_DAYS * 86_400 * 0.9


class Signer:
    """Has the key, which is made when the first message is signed, and signs."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._making = asyncio.Lock()
        self._record: SigningKey | None = None
        self._key: RSAPrivateKey | None = None
        self._kept: OrderedDict[tuple[str, str], str] = OrderedDict()

    async def url(self) -> str:
        """Where the certificate of the key is shown."""
        record, _ = await self._ready()
        return f"{self._platform.endpoint}{PATH}SimpleNotificationService-{record.id}.pem"

    async def sign(self, version: str, text: str) -> str:
        """The signature in Base64: with SHA-1 for version 1, with SHA-256 for version 2."""
        known = self._kept.get((version, text))
        if known is not None:
            return known
        _, key = await self._ready()
        made = await asyncio.to_thread(partial(_sign, key, version, text.encode()))
        self._kept[version, text] = made
        if len(self._kept) > SIGNATURES_KEPT:
            self._kept.popitem(last=False)
        return made

    async def certificate(self, key_id: str) -> str | None:
        """The certificate of that key in PEM, or None."""
        found = await self._platform.transact(_load, _NOWHERE, key_id)
        return None if found is None else found.certificate

    async def _ready(self) -> tuple[SigningKey, RSAPrivateKey]:
        async with self._making:
            if self._record is None or self._key is None:
                record = await self._platform.transact(_newest, _NOWHERE)
                now = self._platform.clock.now()
                if record is None or now - record.made_at > _RENEW_SECONDS:
                    record = await self._make()
                self._record, self._key = record, await asyncio.to_thread(self._open, record)
            return self._record, self._key

    async def _make(self) -> SigningKey:
        authority = self._platform.need(Authority)
        issue = partial(authority.issue, [_SUBJECT], CERTIFICATE_DAYS, rsa_bits=_KEY_BITS)
        issued = await asyncio.to_thread(issue)
        sealer = self._platform.need(Sealer)
        record = SigningKey(
            new_hex(self._platform.clock, _ID_CHARACTERS),
            issued.certificate.decode(),
            sealer.seal(issued.key, _PURPOSE),
            self._platform.clock.now(),
        )
        await self._platform.transact(_save, _NOWHERE, record)
        return record

    def _open(self, record: SigningKey) -> RSAPrivateKey:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

        sealer = self._platform.need(Sealer)
        plain = sealer.unseal(record.sealed_key, _PURPOSE)
        key = serialization.load_pem_private_key(plain, None)
        assert isinstance(key, RSAPrivateKey)
        return key


def _sign(key: RSAPrivateKey, version: str, text: bytes) -> str:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    digest: Any = hashes.SHA256() if version == "2" else hashes.SHA1()
    return base64.b64encode(key.sign(text, padding.PKCS1v15(), digest)).decode()


async def _load(tx: Transaction, scope: Scope, key_id: str) -> SigningKey | None:
    return await SIGNING_KEYS.load(tx, scope, key_id)


async def _save(tx: Transaction, scope: Scope, record: SigningKey) -> None:
    await SIGNING_KEYS.save(tx, scope, record)


async def _newest(tx: Transaction, scope: Scope) -> SigningKey | None:
    keys = await SIGNING_KEYS.scan(tx, scope, limit=100)
    return max(keys, key=lambda key: key.made_at, default=None)
