"""The tables of event sources.

They lie apart from Lambda's own records, as a write there empties what is kept ready of functions.
"""

from __future__ import annotations

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.kv.table import Table
from cumulet.kv.tuples import AFTER
from cumulet.services.lambda_.sources.model import Checkpoint, Mapping

_SERVICE = "lambda-sources"

MAPPINGS: Table[Mapping] = Table(
    _SERVICE,
    "mapping",
    Mapping,
    lambda mapping: (mapping.uuid,),
    indexes={
        "function": lambda mapping: [(mapping.function,)],
        "source": lambda mapping: [(mapping.source_arn,)],
    },
)
CHECKPOINTS: Table[Checkpoint] = Table(
    _SERVICE, "checkpoint", Checkpoint, lambda one: (one.mapping, one.shard)
)
TABLES = (MAPPINGS, CHECKPOINTS)
MAPPINGS_MAX = 10_000
"""Mappings of one account and region that are read at once."""


async def insert(tx: Transaction, scope: Scope, mapping: Mapping) -> Mapping | None:
    """Add a mapping; answers the one that feeds the same function from the same source."""
    for other in await MAPPINGS.lookup(tx, scope, "source", mapping.source_arn, limit=MAPPINGS_MAX):
        if (other.function, other.qualifier) == (mapping.function, mapping.qualifier):
            return other
    await MAPPINGS.save(tx, scope, mapping)
    return None


async def replace(tx: Transaction, scope: Scope, mapping: Mapping) -> bool:
    """Write a mapping that is there; tells whether it is."""
    if await MAPPINGS.load(tx, scope, mapping.uuid) is None:
        return False
    await MAPPINGS.save(tx, scope, mapping)
    return True


async def drop(tx: Transaction, scope: Scope, uuid: str) -> Mapping | None:
    """Remove a mapping and how far it had read."""
    gone = await MAPPINGS.drop(tx, scope, uuid)
    begin = CHECKPOINTS.prefix(scope, uuid)
    tx.clear(begin, begin + AFTER)
    return gone


async def load(tx: Transaction, scope: Scope, uuid: str) -> Mapping | None:
    """A mapping, or None."""
    return await MAPPINGS.load(tx, scope, uuid)


async def scan(
    tx: Transaction,
    scope: Scope,
    function: str,
    source: str,
    limit: int,
    after: tuple[str, ...] | None,
) -> list[Mapping]:
    """Mappings in the order of their ids; of one function or source when given."""
    found = await MAPPINGS.scan(tx, scope, limit=MAPPINGS_MAX, after=after)
    fitting = [
        one
        for one in found
        if (not function or one.function == function) and (not source or one.source_arn == source)
    ]
    return fitting[:limit]


async def load_checkpoint(
    tx: Transaction, scope: Scope, mapping: str, shard: str
) -> Checkpoint | None:
    """How far a shard was read, or None."""
    return await CHECKPOINTS.load(tx, scope, mapping, shard)


async def save_checkpoint(tx: Transaction, scope: Scope, checkpoint: Checkpoint) -> None:
    """Write how far a shard was read, as long as the mapping is there."""
    if await MAPPINGS.load(tx, scope, checkpoint.mapping) is not None:
        await CHECKPOINTS.save(tx, scope, checkpoint)
