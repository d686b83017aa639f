"""What tables hold and AWS charges for by time: bytes, copies of them, provisioned capacity.

https://aws.amazon.com/dynamodb/pricing/
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from cumulet.core import usage
from cumulet.core.context import Platform
from cumulet.core.usage import GIB, Holding
from cumulet.kv.contract import Store, Transaction
from cumulet.kv.transact import transact
from cumulet.services.dynamodb.copies.model import Backup
from cumulet.services.dynamodb.copies.records import BACKUPS
from cumulet.services.dynamodb.model import Table
from cumulet.services.dynamodb.store.records import NOWHERE, TABLES
from cumulet.services.dynamodb.tables.describing import load_counts

_PAGE = 100
_ITEM_OVERHEAD_BYTES = 100
"""What DynamoDB counts for each item beside its bytes, in tables and in indexes.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""


async def holdings(platform: Platform) -> AsyncIterator[Holding]:
    """What every table, and every backup, holds now."""
    kv = platform.need(Store)
    at: tuple[str, ...] | None = None
    while page := await transact(kv, _tables, at):
        for table, stored, own in page:
            for holding in _of_table(table, stored, own):
                yield holding
        last = page[-1][0]
        at = (last.account, last.region, last.name)
    after: Backup | None = None
    while backups := await transact(kv, _backups, after):
        for one in backups:
            yield Holding(one.scope, one.table.arn, usage.TABLE_BACKUPS, one.size / GIB)
        after = backups[-1]


async def _tables(tx: Transaction, after: tuple[str, ...] | None) -> list[tuple[Table, int, int]]:
    """Some tables, each with its bytes and its indexes', and with its own bytes alone."""
    found = []
    for table in await TABLES.scan(tx, NOWHERE, limit=_PAGE, after=after):
        counts = await load_counts(tx, table)
        sizes = {
            number: size + items * _ITEM_OVERHEAD_BYTES for number, (items, size) in counts.items()
        }
        found.append((table, sum(sizes.values()), sizes[0]))
    return found


async def _backups(tx: Transaction, after: Backup | None) -> list[Backup]:
    at = None if after is None else BACKUPS.key_of(after)
    return await BACKUPS.scan(tx, NOWHERE, limit=_PAGE, after=at)


def _of_table(table: Table, stored: int, own: int) -> Iterator[Holding]:
    scope, arn = table.scope, table.arn
    yield Holding(scope, arn, usage.TABLE_STORAGE, stored / GIB)
    if table.recovery is not None:
        yield Holding(scope, arn, usage.TABLE_RECOVERY, own / GIB)
    if table.billing == "PAY_PER_REQUEST":
        return
    all_units = [table.throughput, *(one.throughput for one in table.indexes if one.is_global)]
    yield Holding(scope, arn, usage.READ_CAPACITY, float(sum(one.read for one in all_units)))
    yield Holding(scope, arn, usage.WRITE_CAPACITY, float(sum(one.write for one in all_units)))
