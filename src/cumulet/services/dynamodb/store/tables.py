"""Tables made, changed and removed, each with everything that belongs to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.services.dynamodb.copies.limits import (
    BACKUP_NAME_CHARACTERS_MAX,
    RECOVERY_DAYS_MAX,
)
from cumulet.services.dynamodb.copies.model import Backup
from cumulet.services.dynamodb.copies.records import BACKUPS
from cumulet.services.dynamodb.model import Build, Index, Stream, Table
from cumulet.services.dynamodb.store.history import drop_history
from cumulet.services.dynamodb.store.records import (
    BUILDS,
    NOWHERE,
    STREAMS,
    TABLES,
    count_keys,
    drop_data,
    load_table,
    read_counts,
    save_table,
)
from cumulet.services.dynamodb.tables.describing import Counts, load_counts

Change = Callable[[Table], Table]
T = TypeVar("T")


async def create(tx: Transaction, scope: Scope, table: Table, stream: Stream | None) -> bool:
    """Make a table; False when one of that name is there."""
    if not await TABLES.insert(tx, NOWHERE, table):
        return False
    if stream is not None:
        await STREAMS.save(tx, NOWHERE, stream)
    return True


async def describe(tx: Transaction, scope: Scope, name: str) -> tuple[Table, Counts] | None:
    """A table with its counters, or None."""
    table = await load_table(tx, scope, name)
    return None if table is None else (table, await load_counts(tx, table))


async def remove(tx: Transaction, table: Table, now: float) -> None:
    """Take a table away with its items, indexes and counters; its stream stays readable.

    The items of one with point-in-time recovery stay too, as a system backup.
    """
    await TABLES.drop(tx, NOWHERE, table.account, table.region, table.name)
    if table.history:
        drop_history(tx, table.scope, table.history)
    if table.recovery is None:
        drop_data(tx, table)
    else:
        await _keep_items(tx, table, now)
    await close_stream(tx, table, now)
    for build in await BUILDS.scan(
        tx, NOWHERE, table.account, table.region, table.name, limit=len(table.indexes) + 8
    ):
        await BUILDS.drop(tx, NOWHERE, table.account, table.region, table.name, build.number)


async def _keep_items(tx: Transaction, table: Table, now: float) -> None:
    items, size = await read_counts(tx, table, 0)
    for index in table.indexes:
        drop_data(tx, table, index.number)
    if table.expiry is not None:
        drop_data(tx, table, table.expiry.number)
    for key in count_keys(table.scope, table.data, 0):
        tx.clear(key)
    backup = Backup(
        account=table.account,
        region=table.region,
        id=f"{round(now * 1000):014d}-{table.data.hex()[:8]}",
        name=f"{table.name}$DeletedTableBackup"[-BACKUP_NAME_CHARACTERS_MAX:],
        table=table,
        data=table.data,
        created=now,
        items=items,
        size=size,
        is_whole=True,
        expires=now + RECOVERY_DAYS_MAX * 86_400,
    )
    await BACKUPS.save(tx, NOWHERE, backup)


async def close_stream(tx: Transaction, table: Table, now: float) -> None:
    """Let the table's stream take no more changes."""
    if not table.stream_view:
        return
    key = (table.account, table.region, table.name, table.stream)
    stream = await STREAMS.load(tx, NOWHERE, *key)
    if stream is not None:
        await STREAMS.save(tx, NOWHERE, msgspec.structs.replace(stream, closed=now))


async def replace(
    tx: Transaction,
    old: Table,
    new: Table,
    *,
    created: Index | None = None,
    deleted: Index | None = None,
    stream: Stream | None = None,
    now: float = 0.0,
) -> None:
    """Write a changed table; begin to fill its new index, and drop the entries of a gone one."""
    await save_table(tx, new)
    if created is not None:
        await start_build(tx, new, created.number)
    if deleted is not None:
        drop_data(tx, old, deleted.number)
    if old.stream_view and old.stream_data != new.stream_data:
        await close_stream(tx, old, now)
    if stream is not None:
        await STREAMS.save(tx, NOWHERE, stream)


async def start_build(tx: Transaction, table: Table, number: int) -> None:
    """Ask the worker to fill an index, from the beginning."""
    build = Build(table.account, table.region, table.name, table.id, number)
    await BUILDS.save(tx, NOWHERE, build)
