"""The client certificate of a stage, for the TLS of its HTTP backends."""

from __future__ import annotations

import asyncio
import ssl

from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.kit.ports import Sealer
from cumulet.kit.tls.authority import load_pair
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway.admission.domains import store
from cumulet.services.apigateway.admission.domains.certificates import Pair
from cumulet.services.apigateway.admission.domains.model import ClientCertificate

_CONTEXTS_MAX = 200
CLIENT_KEY_PURPOSE = "apigateway-client-certificate-key"
"""What the private keys of client certificates are sealed for."""


class ClientContexts:
    """The TLS contexts with client certificates, which never change under their ids."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._made: dict[tuple[Scope, str, bool], ssl.SSLContext] = {}

    async def of(
        self, scope: Scope, certificate_id: str, skips_verification: bool
    ) -> ssl.SSLContext:
        """A context that shows the certificate; one that is gone leaves the context without."""
        key = (scope, certificate_id, skips_verification)
        context = self._made.pop(key, None)
        if context is None:
            context = ssl.create_default_context()
            if skips_verification:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            pair = await client_pair(self._platform, scope, certificate_id)
            if pair is not None:
                await asyncio.to_thread(load_pair, context, pair.chain, pair.key)
        self._made[key] = context
        if len(self._made) > _CONTEXTS_MAX:
            del self._made[next(iter(self._made))]
        return context


async def client_pair(platform: Platform, scope: Scope, certificate_id: str) -> Pair | None:
    """A client certificate and its private key, both PEM; None when it is not there."""
    found = await platform.transact(_load, scope, certificate_id)
    if found is None:
        return None
    key = platform.need(Sealer).unseal(found.sealed_key, CLIENT_KEY_PURPOSE)
    return Pair(found.certificate.encode(), key)


async def _load(tx: Transaction, scope: Scope, certificate_id: str) -> ClientCertificate | None:
    return await store.CLIENT_CERTIFICATES.load(tx, scope, certificate_id)
