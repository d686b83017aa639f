"""The records of custom domains and client certificates: the only file that knows their keys.

A `DomainRoute` is written in the transaction that changes what it follows from.
"""

from __future__ import annotations

from typing import Any

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.kv.table import Table
from cumulet.services.apigateway.admission.domains.limits import (
    CLIENT_CERTIFICATES_MAX,
    DOMAINS_MAX,
    MAPPINGS_MAX,
)
from cumulet.services.apigateway.admission.domains.model import (
    ApiMapping,
    ClientCertificate,
    DomainName,
    DomainRoute,
    TlsMaterial,
)

NOWHERE = Scope("", "")
_SERVICE = "apigateway"

ROUTES: Table[DomainRoute] = Table(
    _SERVICE, "domain-route", DomainRoute, lambda r: (r.name,), extent="global"
)
DOMAINS: Table[DomainName] = Table(_SERVICE, "domain", DomainName, lambda d: (d.name,))
MATERIALS: Table[TlsMaterial] = Table(_SERVICE, "domain-tls", TlsMaterial, lambda m: (m.name,))
MAPPINGS: Table[ApiMapping] = Table(
    _SERVICE,
    "mapping",
    ApiMapping,
    lambda m: (m.domain, m.key),
    indexes={"api": lambda m: [(m.api_id, m.stage or "")], "id": lambda m: [(m.domain, m.id)]},
)
CLIENT_CERTIFICATES: Table[ClientCertificate] = Table(
    _SERVICE, "client-certificate", ClientCertificate, lambda c: (c.id,)
)

TABLES: tuple[Table[Any], ...] = (ROUTES, DOMAINS, MATERIALS, MAPPINGS, CLIENT_CERTIFICATES)


async def load_domain(tx: Transaction, scope: Scope, name: str) -> DomainName | None:
    """The domain, or None when this account has none of the name."""
    return await DOMAINS.load(tx, scope, name)


async def is_taken(tx: Transaction, scope: Scope, name: str) -> bool:
    """Whether any account has the name: requests carry nothing else to tell accounts by."""
    return await ROUTES.load(tx, NOWHERE, name) is not None


async def has_room(tx: Transaction, scope: Scope) -> bool:
    """Whether the account may have one more domain."""
    return len(await DOMAINS.scan(tx, scope, limit=DOMAINS_MAX)) < DOMAINS_MAX


async def scan_domains(
    tx: Transaction, scope: Scope, after: str | None, limit: int
) -> list[DomainName]:
    """A page of the account's domains, by name."""
    return await DOMAINS.scan(tx, scope, limit=limit, after=(after,) if after else None)


async def load_material(tx: Transaction, scope: Scope, name: str) -> TlsMaterial:
    """A domain's TLS material; empty when it has none of its own."""
    found = await MATERIALS.load(tx, scope, name)
    return found if found is not None else TlsMaterial(name=name)


async def save_domain(
    tx: Transaction, scope: Scope, domain: DomainName, material: TlsMaterial | None = None
) -> None:
    """Write a domain, and its material when that changes too."""
    await DOMAINS.save(tx, scope, domain)
    if material is not None:
        await MATERIALS.save(tx, scope, material)
    await _publish(tx, scope, domain)


async def drop_domain(tx: Transaction, scope: Scope, name: str) -> bool:
    """Remove a domain with its mappings; False when it is not there."""
    if await DOMAINS.drop(tx, scope, name) is None:
        return False
    await MATERIALS.drop(tx, scope, name)
    await ROUTES.drop(tx, NOWHERE, name)
    for mapping in await scan_mappings(tx, scope, name):
        await MAPPINGS.drop(tx, scope, name, mapping.key)
    return True


async def scan_mappings(tx: Transaction, scope: Scope, domain: str) -> list[ApiMapping]:
    """Every mapping of a domain, by key; their number is bounded."""
    return await MAPPINGS.scan(tx, scope, domain, limit=MAPPINGS_MAX + 1)


async def load_mapping(tx: Transaction, scope: Scope, domain: str, key: str) -> ApiMapping | None:
    """The mapping of a base path, or None."""
    return await MAPPINGS.load(tx, scope, domain, key)


async def find_mapping(
    tx: Transaction, scope: Scope, domain: str, mapping_id: str
) -> ApiMapping | None:
    """The mapping with an id, or None."""
    found = await MAPPINGS.lookup(tx, scope, "id", domain, mapping_id, limit=1)
    return found[0] if found else None


async def replace_mapping(
    tx: Transaction, scope: Scope, domain: DomainName, old: ApiMapping | None, new: ApiMapping
) -> bool:
    """Put a mapping in the place of another, or of none; False when its key is taken."""
    if old is None or old.key != new.key:
        if await MAPPINGS.load(tx, scope, domain.name, new.key) is not None:
            return False
        if old is not None:
            await MAPPINGS.drop(tx, scope, domain.name, old.key)
    await MAPPINGS.save(tx, scope, new)
    await _publish(tx, scope, domain)
    return True


async def drop_mapping(tx: Transaction, scope: Scope, domain: DomainName, key: str) -> bool:
    """Remove a mapping; False when it is not there."""
    if await MAPPINGS.drop(tx, scope, domain.name, key) is None:
        return False
    await _publish(tx, scope, domain)
    return True


async def is_mapped(tx: Transaction, scope: Scope, api_id: str, stage: str | None = None) -> bool:
    """Whether a domain leads to the API, or to this stage of it."""
    keys = (api_id,) if stage is None else (api_id, stage)
    return bool(await MAPPINGS.lookup(tx, scope, "api", *keys, limit=1))


async def has_room_for_client_certificate(tx: Transaction, scope: Scope) -> bool:
    """Whether the account may have one more client certificate."""
    found = await CLIENT_CERTIFICATES.scan(tx, scope, limit=CLIENT_CERTIFICATES_MAX)
    return len(found) < CLIENT_CERTIFICATES_MAX


async def _publish(tx: Transaction, scope: Scope, domain: DomainName) -> None:
    mappings = await scan_mappings(tx, scope, domain.name)
    route = DomainRoute(
        name=domain.name,
        account=scope.account,
        region=scope.region,
        revision=domain.revision,
        mutual_tls=domain.mutual_tls is not None,
        mappings=tuple(mappings),
    )
    await ROUTES.save(tx, NOWHERE, route)
