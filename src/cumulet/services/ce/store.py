"""Cost Explorer's records in the store: the only file that knows their keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from cumulet.core.identity import Scope
from cumulet.core.usage import Dimension
from cumulet.kv.contract import Transaction
from cumulet.kv.table import Table
from cumulet.services.ce.limits import EXPIRE_RECORDS, SCAN_RECORDS
from cumulet.services.ce.model import Amount, Member, Reading

_SERVICE = "ce"
_NOWHERE = Scope("", "")
_HOLDINGS = "holdings"

AMOUNTS: Table[Amount] = Table(
    _SERVICE,
    "amount",
    Amount,
    lambda one: (
        one.day,
        one.region,
        one.resource,
        one.service,
        one.usage_type,
        one.operation,
    ),
    extent="account",
)
MEMBERS: Table[Member] = Table(
    _SERVICE,
    "member",
    Member,
    lambda one: (one.month, one.resource, one.usage_type, one.member),
    extent="account",
)
READINGS: Table[Reading] = Table(
    _SERVICE, "reading", Reading, lambda one: (one.name,), extent="global"
)
TABLES = (AMOUNTS, MEMBERS, READINGS)

Place = tuple[str, Scope, str, Dimension]
"""Day, where, the resource's ARN, and of what."""
Seen = tuple[str, Scope, str, Dimension, str]
"""Day, where, the resource's ARN, of what, and who."""


async def add(tx: Transaction, amounts: Mapping[Place, float]) -> None:
    """Add amounts to what is there."""
    for (day, scope, resource, dimension), amount in amounts.items():
        fresh = Amount(day, scope.region, resource, *dimension, amount)
        there = await AMOUNTS.load(tx, scope, *AMOUNTS.key_of(fresh))
        if there is not None:
            fresh = msgspec.structs.replace(fresh, amount=there.amount + amount)
        await AMOUNTS.save(tx, scope, fresh)


async def add_members(tx: Transaction, seen: Sequence[Seen]) -> None:
    """Add one for each member that was not seen before in its month."""
    for day, scope, resource, dimension, who in seen:
        member = Member(day[:7], resource, dimension.usage_type, who)
        if await MEMBERS.insert(tx, scope, member):
            await add(tx, {(day, scope, resource, dimension): 1.0})


async def scan_days(
    tx: Transaction, scope: Scope, begin: str, end: str, after: Amount | None
) -> list[Amount]:
    """Some of the amounts of days from `begin` to before `end`, in order; those behind `after`."""
    first = (begin,) if after is None else (*AMOUNTS.key_of(after), "")
    return await AMOUNTS.scan_between(tx, scope, first, (end,), limit=SCAN_RECORDS)


async def expire(tx: Transaction, scope: Scope, before: str) -> bool:
    """Remove some of what is older than a day; tells whether there may be more."""
    old = await AMOUNTS.scan_between(tx, scope, ("",), (before,), limit=EXPIRE_RECORDS)
    for amount in old:
        AMOUNTS.replace(tx, scope, amount, None)
    members = await MEMBERS.scan_between(tx, scope, ("",), (before[:7],), limit=EXPIRE_RECORDS)
    for member in members:
        MEMBERS.replace(tx, scope, member, None)
    return EXPIRE_RECORDS in (len(old), len(members))


async def load_reading(tx: Transaction) -> float | None:
    """When it was last asked what resources hold."""
    reading = await READINGS.load(tx, _NOWHERE, _HOLDINGS)
    return None if reading is None else reading.at


async def save_reading(tx: Transaction, at: float) -> None:
    """Note that it was asked now."""
    await READINGS.save(tx, _NOWHERE, Reading(_HOLDINGS, at))
