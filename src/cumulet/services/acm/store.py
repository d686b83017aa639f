"""Where certificates lie: the only file that knows their keys."""

from __future__ import annotations

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.kv.table import Table
from cumulet.services.acm.limits import CERTIFICATES_MAX
from cumulet.services.acm.model import ISSUED, Certificate

CERTIFICATES: Table[Certificate] = Table(
    "acm",
    "certificate",
    Certificate,
    lambda one: (one.id,),
    indexes={"token": lambda one: [(one.token,)] if one.token else []},
)
TABLES = (CERTIFICATES,)


async def load(tx: Transaction, scope: Scope, certificate_id: str) -> Certificate | None:
    """A certificate, or None."""
    return await CERTIFICATES.load(tx, scope, certificate_id)


async def save(tx: Transaction, scope: Scope, certificate: Certificate) -> bool:
    """Write a certificate; False when it is a new one and there are too many."""
    old = await CERTIFICATES.load(tx, scope, certificate.id)
    if old is None:
        found = await CERTIFICATES.scan(tx, scope, limit=CERTIFICATES_MAX)
        if len(found) >= CERTIFICATES_MAX:
            return False
    await CERTIFICATES.save(tx, scope, certificate)
    return True


async def drop(tx: Transaction, scope: Scope, certificate_id: str) -> None:
    """Remove a certificate."""
    await CERTIFICATES.drop(tx, scope, certificate_id)


async def scan(tx: Transaction, scope: Scope) -> list[Certificate]:
    """Every certificate of the account in the region; their number is bounded."""
    return await CERTIFICATES.scan(tx, scope, limit=CERTIFICATES_MAX)


async def find_by_token(
    tx: Transaction, scope: Scope, token: str, now: float
) -> Certificate | None:
    """The certificate that a request with this token made, while the token counts."""
    for one in await CERTIFICATES.lookup(tx, scope, "token", token, limit=CERTIFICATES_MAX):
        if one.type == ISSUED and now < one.token_until:
            return one
    return None
