"""Copies carried on in the background, and what is kept for a time forgotten."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from cumulet.core.context import Platform
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope
from cumulet.kit.workers import Worker
from cumulet.kv.contract import Store, Transaction
from cumulet.services.dynamodb.copies.exporting import export_file, failure_code
from cumulet.services.dynamodb.copies.importing import import_object
from cumulet.services.dynamodb.copies.limits import (
    HISTORY_ENTRIES,
    HISTORY_SECONDS_BETWEEN,
    JOB_SECONDS_KEPT,
    LOAD_SECONDS_KEPT,
)
from cumulet.services.dynamodb.copies.model import Job
from cumulet.services.dynamodb.copies.records import BACKUPS, JOBS, LOADS
from cumulet.services.dynamodb.copies.store import (
    Gone,
    Loss,
    back_up_part,
    fail_job,
    restore_part,
)
from cumulet.services.dynamodb.model import Table
from cumulet.services.dynamodb.store.history import trim_part
from cumulet.services.dynamodb.store.records import NOWHERE, TABLES, drop_items

PAGE = 100
_IDLE_SECONDS = 3_600.0

Step = Callable[[Platform, Job], Awaitable[bool]]
"""One part of a job; tells whether it was the last one."""


async def _back_up(platform: Platform, job: Job) -> bool:
    return await platform.transact(back_up_part, job.scope, job)


async def _restore(platform: Platform, job: Job) -> bool:
    return await platform.transact(restore_part, job.scope, job, platform.clock.now())


STEPS: dict[str, Step] = {
    "backup": _back_up,
    "restore": _restore,
    "export": export_file,
    "import": import_object,
}
GONE = Loss("ResourceNotFound", "The table does not exist any more")


def _carry_on(kind: str) -> Callable[[Platform], Awaitable[float]]:
    """A worker that does one part of every job of a kind."""

    async def run(platform: Platform) -> float:
        kv = platform.need(Store)

        async def pending(tx: Transaction) -> list[Job]:
            return await JOBS.lookup(tx, NOWHERE, "pending", kind, limit=PAGE)

        jobs = await kv.transact(pending)
        for job in jobs:
            await _step(platform, job)
        return 0.0 if jobs else _IDLE_SECONDS

    return run


async def _step(platform: Platform, job: Job) -> None:
    loss = GONE
    try:
        await STEPS[job.kind](platform, job)
        return
    except Gone:
        pass
    except AwsError as error:
        if error.fault == "server":
            raise
        loss = Loss(failure_code(error), error.message)
    await platform.transact(fail_job, job.scope, job, loss, platform.clock.now())


async def forget(platform: Platform) -> float:
    """Drop history behind the recovery period, old backups of deleted tables, jobs and loads."""
    kv = platform.need(Store)
    now = platform.clock.now()
    await _trim_all(platform, kv, now)

    async def drop_old(tx: Transaction) -> int:
        backups = await BACKUPS.lookup_between(tx, NOWHERE, "expires", (), (now,), limit=PAGE)
        for backup in backups:
            if not backup.restores:
                drop_items(tx, backup.scope, backup.data)
                await BACKUPS.drop(
                    tx, NOWHERE, backup.account, backup.region, backup.table.name, backup.id
                )
        until = (now - JOB_SECONDS_KEPT,)
        jobs = await JOBS.lookup_between(tx, NOWHERE, "ended", (), until, limit=PAGE)
        for job in jobs:
            await JOBS.drop(tx, NOWHERE, job.account, job.region, job.kind, job.table, job.id)
        return len(jobs)

    while await kv.transact(drop_old) == PAGE:
        pass
    for scope in await kv.transact(LOADS.scopes):

        async def drop_loads(tx: Transaction, scope: Scope = scope) -> int:
            until = (now - LOAD_SECONDS_KEPT,)
            old = await LOADS.lookup_between(tx, scope, "changed", (), until, limit=PAGE)
            for load in old:
                await LOADS.drop(tx, scope, load.table_id, load.id)
            return len(old)

        while await kv.transact(drop_loads) == PAGE:
            pass
    return HISTORY_SECONDS_BETWEEN


async def _trim_all(platform: Platform, kv: Store, now: float) -> None:
    after: Table | None = None
    while True:

        async def some(tx: Transaction, after: Table | None = after) -> list[Table]:
            place = None if after is None else (after.account, after.region, after.name)
            at = None if place is None else (*place, *place)
            return await TABLES.lookup(tx, NOWHERE, "recovering", limit=PAGE, after=at)

        tables = await kv.transact(some)
        for table in tables:
            await _trim(platform, table, now)
        if len(tables) < PAGE:
            return
        after = tables[-1]


async def _trim(platform: Platform, table: Table, now: float) -> None:
    if table.recovery is None or table.copies:
        return
    before = now - table.recovery.days * 86_400
    cursor: bytes | None = b""
    while cursor is not None:
        cursor = await platform.transact(_trim_part, table.scope, table, cursor, before)


async def _trim_part(
    tx: Transaction, scope: Scope, table: Table, cursor: bytes, before: float
) -> bytes | None:
    return await trim_part(tx, table.scope, table.history, cursor, before, HISTORY_ENTRIES)


COPY_WORKERS = (
    *(
        Worker(f"dynamodb {kind}s", _carry_on(kind), JOBS.index_prefix(NOWHERE, "pending", kind))
        for kind in STEPS
    ),
    Worker("dynamodb history", forget),
)
