"""What can have tags besides APIs and stages, found by ARN: domains, keys, plans, certificates."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import msgspec

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.kv.table import Table
from cumulet.services.apigateway.admission import store
from cumulet.services.apigateway.admission.domains import store as domains
from cumulet.services.apigateway.errors import NotFoundException

_PATH = re.compile(r"/(?P<kind>[a-z]+)/(?P<id>[^/]+)\Z")
_KINDS: dict[str, tuple[Table[Any], str]] = {
    "domainnames": (domains.DOMAINS, "Invalid domain name identifier specified"),
    "clientcertificates": (
        domains.CLIENT_CERTIFICATES,
        "Invalid Client Certificate identifier specified",
    ),
    "apikeys": (store.API_KEYS, "Invalid API Key identifier specified"),
    "usageplans": (store.PLANS, "Invalid Usage Plan ID specified"),
}


class Tagged(NamedTuple):
    """A record that has tags, and where it is kept."""

    record: Any
    table: Table[Any]

    @property
    def tags(self) -> dict[str, str]:
        """Its tags as they are."""
        return self.record.tags or {}

    async def retag(self, tx: Transaction, scope: Scope, tags: dict[str, str]) -> None:
        """Write it with these tags."""
        await self.table.save(tx, scope, msgspec.structs.replace(self.record, tags=tags or None))


async def find_tagged(tx: Transaction, scope: Scope, path: str) -> Tagged | None:
    """What a path such as `/domainnames/example.com` names; None for paths of another kind.

    Raises NotFoundException when there is no such thing.
    """
    found = _PATH.match(path)
    if found is None or found["kind"] not in _KINDS:
        return None
    table, words = _KINDS[found["kind"]]
    record = await table.load(tx, scope, found["id"])
    if record is None:
        raise NotFoundException(words)
    return Tagged(record, table)
