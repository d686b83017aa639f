"""Where documentation lies: the only file that knows its keys."""

from __future__ import annotations

from typing import Any

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.kv.table import Table
from cumulet.kv.tuples import AFTER
from cumulet.services.apigateway.openapi.documentation.limits import PARTS_MAX, VERSIONS_MAX
from cumulet.services.apigateway.openapi.documentation.model import Part, Version, VersionedPart

_SERVICE = "apigateway-documentation"

PARTS: Table[Part] = Table(_SERVICE, "part", Part, lambda one: (one.api_id, one.id))
VERSIONS: Table[Version] = Table(
    _SERVICE, "version", Version, lambda one: (one.api_id, one.version)
)
VERSIONED: Table[VersionedPart] = Table(
    _SERVICE,
    "versioned-part",
    VersionedPart,
    lambda one: (one.part.api_id, one.version, one.part.id),
)
TABLES: tuple[Table[Any], ...] = (PARTS, VERSIONS, VERSIONED)


async def scan_parts(tx: Transaction, scope: Scope, api_id: str) -> list[Part]:
    """Every part of an API; their number is bounded."""
    return await PARTS.scan(tx, scope, api_id, limit=PARTS_MAX + 1)


async def scan_versions(tx: Transaction, scope: Scope, api_id: str) -> list[Version]:
    """Every version of an API's documentation; their number is bounded."""
    return await VERSIONS.scan(tx, scope, api_id, limit=VERSIONS_MAX + 1)


async def scan_version(tx: Transaction, scope: Scope, api_id: str, version: str) -> list[Part]:
    """The parts as they were when a version was made."""
    found = await VERSIONED.scan(tx, scope, api_id, version, limit=PARTS_MAX + 1)
    return [one.part for one in found]


async def save_version(tx: Transaction, scope: Scope, version: Version) -> None:
    """Write a version with a copy of the parts as they are."""
    await VERSIONS.save(tx, scope, version)
    for part in await scan_parts(tx, scope, version.api_id):
        await VERSIONED.save(tx, scope, VersionedPart(version=version.version, part=part))


async def drop_version(tx: Transaction, scope: Scope, api_id: str, version: str) -> bool:
    """Remove a version and its parts; False when it is not there."""
    if await VERSIONS.drop(tx, scope, api_id, version) is None:
        return False
    for part in await scan_version(tx, scope, api_id, version):
        await VERSIONED.drop(tx, scope, api_id, version, part.id)
    return True


def drop_documentation(tx: Transaction, scope: Scope, api_id: str) -> None:
    """Remove all documentation of an API."""
    for table in TABLES:
        prefix = table.prefix(scope, api_id)
        tx.clear(prefix, prefix + AFTER)
