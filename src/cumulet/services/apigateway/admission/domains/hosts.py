"""The TLS of custom domains, as the edge asks for it: the `Hosts` of `kit/tls/hosts.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Platform
from cumulet.core.identity import Scope, service_principal
from cumulet.kit.ports import Sealer
from cumulet.kit.tls.hosts import HostName, Hosts, HostTls
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway.admission.domains import store
from cumulet.services.apigateway.admission.domains.certificates import (
    KEY_PURPOSE,
    export_certificate,
)
from cumulet.services.apigateway.admission.domains.clients import ClientContexts
from cumulet.services.apigateway.admission.domains.lookup import Domains
from cumulet.services.apigateway.admission.domains.model import DomainName, TlsMaterial
from cumulet.services.apigateway.rules.names import PRINCIPAL


def provides(platform: Platform) -> Mapping[type, Any]:
    """The lookup of domains, and what the edge asks for their TLS."""
    domains = Domains(platform)
    return {
        Domains: domains,
        Hosts: DomainHosts(platform, domains),
        ClientContexts: ClientContexts(platform),
    }


class DomainHosts:
    """Answers the edge from the domains' records."""

    def __init__(self, platform: Platform, domains: Domains) -> None:
        self._platform = platform
        self._domains = domains

    async def named(self, name: str) -> HostName | None:
        """The domain that covers this server name."""
        domain = await self._domains.find(name)
        return None if domain is None else HostName(domain.name, domain.revision)

    async def tls(self, name: HostName) -> HostTls | None:
        """The domain's certificate and trust store as they are now.

        Raises AwsError when its certificate is gone.
        """
        found = await self._domains.find(name.name)
        if found is None:
            return None
        loaded = await self._platform.transact(_load, found.scope, found.name)
        if loaded is None:
            return None
        domain, material = loaded
        if domain.certificate_arn is None:
            sealer = self._platform.need(Sealer)
            key = sealer.unseal(material.sealed_key, KEY_PURPOSE)
            return HostTls(material.chain, key, material.trusted)
        caller = service_principal(PRINCIPAL, found.scope.account)
        ctx = self._platform.context(found.scope, caller)
        chain, key = await export_certificate(ctx, domain.certificate_arn)
        return HostTls(chain, key, material.trusted)


async def _load(tx: Transaction, scope: Scope, name: str) -> tuple[DomainName, TlsMaterial] | None:
    domain: Any = await store.load_domain(tx, scope, name)
    if domain is None:
        return None
    return domain, await store.load_material(tx, scope, name)
