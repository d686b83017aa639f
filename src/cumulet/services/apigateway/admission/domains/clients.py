"""The client certificate of a stage, for the TLS of its HTTP backends."""

from __future__ import annotations

from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.kit.ports import Sealer
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway.admission.domains import store
from cumulet.services.apigateway.admission.domains.certificates import Pair
from cumulet.services.apigateway.admission.domains.model import ClientCertificate

CLIENT_KEY_PURPOSE = "apigateway-client-certificate-key"
"""What the private keys of client certificates are sealed for."""


async def client_pair(platform: Platform, scope: Scope, certificate_id: str) -> Pair | None:
    """A client certificate and its private key, both PEM; None when it is not there."""
    found = await platform.transact(_load, scope, certificate_id)
    if found is None:
        return None
    key = platform.need(Sealer).unseal(found.sealed_key, CLIENT_KEY_PURPOSE)  # type: ignore[type-abstract]
    return Pair(found.certificate.encode(), key)


async def _load(tx: Transaction, scope: Scope, certificate_id: str) -> ClientCertificate | None:
    return await store.CLIENT_CERTIFICATES.load(tx, scope, certificate_id)
