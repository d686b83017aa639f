"""Backups and jobs begun, carried on and ended, each step in one transaction."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.services.dynamodb.copies.limits import PART_ITEMS
from cumulet.services.dynamodb.copies.loading import Row, write_rows
from cumulet.services.dynamodb.copies.model import Backup, Job
from cumulet.services.dynamodb.copies.records import BACKUPS, JOBS
from cumulet.services.dynamodb.items.packing import packed_size, unpack_item
from cumulet.services.dynamodb.model import Table
from cumulet.services.dynamodb.store.history import Part, Source, drop_history, read_part
from cumulet.services.dynamodb.store.records import (
    NOWHERE,
    TABLES,
    data_prefix,
    load_table,
    save_table,
    table_key,
)
from cumulet.services.dynamodb.tables.view import TableView

replace = msgspec.structs.replace


class Gone(Exception):
    """What a job reads or fills is not there any more."""


async def begin_copy(tx: Transaction, table: Table, job: Job, fresh: bytes) -> None:
    """Begin a job that reads a table as it is now or was before: its changes are kept meanwhile."""
    history = table.history or fresh
    await save_table(tx, replace(table, history=history, copies=table.copies + 1))
    await JOBS.save(tx, NOWHERE, job)


async def end_copy(tx: Transaction, job: Job) -> None:
    """Keep the changes of a job's table no longer, unless others need them."""
    table = await load_table(tx, job.scope, job.table)
    if table is None or table.id != job.table_id:
        return
    copies = max(0, table.copies - 1)
    history = table.history
    if history and not copies and table.recovery is None:
        drop_history(tx, table.scope, history)
        history = b""
    await save_table(tx, replace(table, copies=copies, history=history))


async def load_job(tx: Transaction, job: Job) -> Job | None:
    """A job as it is now, while it is in progress."""
    found = await JOBS.load(tx, NOWHERE, job.account, job.region, job.kind, job.table, job.id)
    return found if found is not None and found.status == "IN_PROGRESS" else None


async def drop_job(tx: Transaction, job: Job) -> None:
    """Forget a job."""
    await JOBS.drop(tx, NOWHERE, job.account, job.region, job.kind, job.table, job.id)


async def source_of(tx: Transaction, job: Job) -> Source:
    """What a job reads of its table. Raises Gone."""
    table = await load_table(tx, job.scope, job.table)
    if table is None or table.id != job.table_id:
        raise Gone
    return Source(table.scope, table.data, table.history, job.moment)


async def filled_view(tx: Transaction, scope: Scope, name: str, job_id: str) -> TableView:
    """The table that a job fills. Raises Gone."""
    raw = await tx.get(table_key(scope, name))
    if raw is None:
        raise Gone
    table = TABLES.read(raw)
    if table.filling != job_id:
        raise Gone
    return TableView(table, raw)


async def back_up_part(tx: Transaction, scope: Scope, asked: Job) -> bool:
    """Copy a part of a table into its backup; tells whether it was the last one. Raises Gone."""
    job = await load_job(tx, asked)
    if job is None:
        return True
    backup = await BACKUPS.load(tx, NOWHERE, job.account, job.region, job.table, job.target)
    if backup is None:
        raise Gone
    part = await read_part(tx, await source_of(tx, job), job.cursor, PART_ITEMS)
    base = data_prefix(backup.scope, backup.data, 0)
    for primary, packed in part.rows:
        tx.set(base + primary, packed)
    job = _further(job, part)
    if part.cursor is not None:
        await JOBS.save(tx, NOWHERE, job)
        return False
    done = replace(backup, is_whole=True, items=job.items, size=job.size)
    await BACKUPS.save(tx, NOWHERE, done)
    await drop_job(tx, job)
    await end_copy(tx, job)
    return True


def _further(job: Job, part: Part) -> Job:
    return replace(
        job,
        cursor=part.cursor or b"",
        items=job.items + len(part.rows),
        size=job.size + sum(packed_size(packed) for _, packed in part.rows),
    )


async def restore_part(tx: Transaction, scope: Scope, asked: Job, now: float) -> bool:
    """Copy a part of a backup or table into a new table; tells whether it was the last one.

    Raises Gone.
    """
    job = await load_job(tx, asked)
    if job is None:
        return True
    backup = await _backup_of(tx, job)
    if backup is not None:
        source = Source(backup.scope, backup.data)
    else:
        source = await source_of(tx, job)
    view = await filled_view(tx, job.scope, job.target, job.id)
    part = await read_part(tx, source, job.cursor, PART_ITEMS)
    indexed = bool(view.maintained)
    rows = [
        Row(primary, packed, unpack_item(packed) if indexed else None)
        for primary, packed in part.rows
    ]
    await write_rows(tx, view, rows, now)
    if part.cursor is not None:
        await JOBS.save(tx, NOWHERE, _further(job, part))
        return False
    await save_table(tx, replace(view.record, filling=""))
    await end_restore(tx, job)
    return True


async def end_restore(tx: Transaction, job: Job) -> None:
    """Let go of what a restore read."""
    await drop_job(tx, job)
    backup = await _backup_of(tx, job)
    if backup is None:
        await end_copy(tx, job)
    else:
        await BACKUPS.save(tx, NOWHERE, replace(backup, restores=max(0, backup.restores - 1)))


async def _backup_of(tx: Transaction, job: Job) -> Backup | None:
    """The backup that a restore reads; None for one to a point in time. Raises Gone."""
    backup_id = job.settings.get("backup")
    if backup_id is None:
        return None
    found = await BACKUPS.load(tx, NOWHERE, job.account, job.region, job.table, backup_id)
    if found is None:
        raise Gone
    return found


class Loss(NamedTuple):
    """Why a job cannot go on: a code and a sentence."""

    code: str
    message: str


async def fail_job(tx: Transaction, scope: Scope, asked: Job, loss: Loss, now: float) -> None:
    """End a job that cannot go on, and let go of what it used."""
    job = await load_job(tx, asked)
    if job is None:
        return
    if job.kind == "restore":
        try:
            await end_restore(tx, job)
        except Gone:
            await drop_job(tx, job)
        return
    if job.kind == "backup":
        await drop_job(tx, job)
        await end_copy(tx, job)
        return
    failed = replace(job, status="FAILED", ended=now, failure_code=loss.code, failure=loss.message)
    await JOBS.save(tx, NOWHERE, failed)
    if job.kind == "export":
        await end_copy(tx, job)
        return
    # As AWS leaves it: the table stays, with what came before the import failed.
    table = await load_table(tx, job.scope, job.table)
    if table is not None and table.filling == job.id:
        await save_table(tx, replace(table, filling=""))
