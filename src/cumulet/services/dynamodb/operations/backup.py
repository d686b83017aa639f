"""Backups of tables, and restores of them: on demand, and to any moment of the recovery period."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.clock import new_hex, new_uuid
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.dynamodb import permissions
from cumulet.services.dynamodb.copies.describing import (
    backup_description,
    backup_details,
    backup_summary,
    earliest,
    recovery_description,
    restored_table,
)
from cumulet.services.dynamodb.copies.limits import BACKUPS_LISTED_MAX, RECOVERY_DAYS_MAX
from cumulet.services.dynamodb.copies.model import Backup, Job
from cumulet.services.dynamodb.copies.records import BACKUPS, JOBS
from cumulet.services.dynamodb.copies.store import begin_copy
from cumulet.services.dynamodb.errors import (
    BackupInUseException,
    BackupNotFoundException,
    InvalidRestoreTimeException,
    PointInTimeRecoveryUnavailableException,
    TableAlreadyExistsException,
    TableInUseException,
    TableNotFoundException,
    ValidationException,
)
from cumulet.services.dynamodb.model import Recovery, Restored, Table
from cumulet.services.dynamodb.operations.table import DATA_BYTES, fresh_of
from cumulet.services.dynamodb.store.history import drop_history, moment_of
from cumulet.services.dynamodb.store.records import (
    NOWHERE,
    TABLES,
    drop_items,
    load_table,
    save_table,
)
from cumulet.services.dynamodb.tables.describing import describe_table
from cumulet.services.dynamodb.tables.making import Birth
from cumulet.services.dynamodb.tables.views import TableViews, place_of

Request = Mapping[str, Any]
Place = tuple[str, str, str]
replace = msgspec.structs.replace


def backup_given(ctx: Context, request: Request) -> str:
    """The backup whose ARN a request gives."""
    given: str = request["BackupArn"]
    return given


def _restore_of_backup(ctx: Context, request: Request) -> list[str]:
    target = ctx.scope.arn("dynamodb", f"table/{request['TargetTableName']}")
    return [request["BackupArn"], target]


def _restore_of_table(ctx: Context, request: Request) -> list[str]:
    target = ctx.scope.arn("dynamodb", f"table/{request['TargetTableName']}")
    source = request.get("SourceTableArn") or request.get("SourceTableName")
    if source is None:
        return [target]
    account, region, name = place_of(ctx, source)
    return [Scope(account, region).arn("dynamodb", f"table/{name}"), target]


async def own_table(tx: Transaction, place: Place) -> Table:
    """The table of a backup operation. Raises TableNotFoundException."""
    account, region, name = place
    table = await load_table(tx, Scope(account, region), name)
    if table is None:
        raise TableNotFoundException(f"Table not found: {name}")
    return table


@operation(
    "CreateBackup",
    resource=permissions.table,
    resource_policy=permissions.policy_of_table,
    conditions=permissions.table_keys,
)
async def create_backup(ctx: Context, request: Request) -> dict[str, Any]:
    """Copy a table as it is now, while it is being written."""
    backup = await ctx.transact(
        _create_backup,
        place_of(ctx, request["TableName"]),
        request["BackupName"],
        ctx.clock.now(),
        new_hex(ctx.clock, 8),
        (ctx.clock.random_bytes(DATA_BYTES), ctx.clock.random_bytes(DATA_BYTES)),
    )
    return {"BackupDetails": backup_details(backup)}


async def _create_backup(
    tx: Transaction,
    scope: Scope,
    place: Place,
    name: str,
    now: float,
    suffix: str,
    fresh: tuple[bytes, bytes],
) -> Backup:
    table = await own_table(tx, place)
    if table.filling:
        raise TableInUseException(f"Table is being created: {table.name}")
    backup_id = f"{round(now * 1000):014d}-{suffix}"
    backup = Backup(table.account, table.region, backup_id, name, table, fresh[0], now)
    job = Job(
        account=table.account,
        region=table.region,
        kind="backup",
        id=backup_id,
        table=table.name,
        table_id=table.id,
        started=now,
        moment=moment_of(now),
        target=backup_id,
    )
    await BACKUPS.save(tx, NOWHERE, backup)
    await begin_copy(tx, table, job, fresh[1])
    return backup


def _backup_key(arn: str) -> tuple[str, str, str, str]:
    """Account, region, table and id of a backup's ARN. Raises ValidationException."""
    parts = arn.split(":", 5)
    words = parts[5].split("/") if len(parts) == 6 else []
    if len(words) != 4 or parts[2] != "dynamodb" or (words[0], words[2]) != ("table", "backup"):
        raise ValidationException(f"Invalid BackupArn: {arn}")
    return parts[4], parts[3], words[1], words[3]


async def _load_backup(tx: Transaction, scope: Scope, arn: str) -> Backup:
    key = _backup_key(arn)
    found = await BACKUPS.load(tx, NOWHERE, *key) if key[:2] == tuple(scope) else None
    if found is None:
        raise BackupNotFoundException(f"Backup not found: {arn}")
    return found


@operation("DescribeBackup", resource=backup_given)
async def describe_backup(ctx: Context, request: Request) -> dict[str, Any]:
    """Show a backup, and the table that it was made of."""
    found = await ctx.transact(_load_backup, request["BackupArn"])
    return {"BackupDescription": backup_description(found)}


@operation("DeleteBackup", resource=backup_given)
async def delete_backup(ctx: Context, request: Request) -> dict[str, Any]:
    """Remove a backup."""
    found = await ctx.transact(_delete_backup, request["BackupArn"])
    shown = backup_description(found)
    shown["BackupDetails"]["BackupStatus"] = "DELETED"
    return {"BackupDescription": shown}


async def _delete_backup(tx: Transaction, scope: Scope, arn: str) -> Backup:
    found = await _load_backup(tx, scope, arn)
    if not found.is_whole or found.restores:
        raise BackupInUseException(f"Backup is being created or restored: {arn}")
    drop_items(tx, found.scope, found.data)
    await BACKUPS.drop(tx, NOWHERE, *_backup_key(arn))
    return found


@operation("ListBackups", resource=permissions.everything)
async def list_backups(ctx: Context, request: Request) -> dict[str, Any]:
    """The account's backups, or those of one table, in pages."""
    limit = request.get("Limit") or BACKUPS_LISTED_MAX
    table = request.get("TableName")
    name = None if table is None else place_of(ctx, table)[2]
    after = request.get("ExclusiveStartBackupArn")
    key = None if after is None else _backup_key(after)
    found = await ctx.transact(_list, name, key, request, limit + 1)
    answer: dict[str, Any] = {"BackupSummaries": [backup_summary(one) for one in found[:limit]]}
    if len(found) > limit:
        answer["LastEvaluatedBackupArn"] = found[limit - 1].arn
    return answer


async def _list(
    tx: Transaction,
    scope: Scope,
    name: str | None,
    after: tuple[str, str, str, str] | None,
    request: Request,
    limit: int,
) -> list[Backup]:
    wanted = tuple(scope) if name is None else (*scope, name)
    found: list[Backup] = []
    while len(found) < limit:
        page = await BACKUPS.scan(tx, NOWHERE, *wanted, limit=BACKUPS_LISTED_MAX, after=after)
        found += [one for one in page if _is_listed(one, request)]
        if len(page) < BACKUPS_LISTED_MAX:
            break
        last = page[-1]
        after = (last.account, last.region, last.table.name, last.id)
    return found[:limit]


def _is_listed(backup: Backup, request: Request) -> bool:
    kind = request.get("BackupType") or "ALL"
    low, high = request.get("TimeRangeLowerBound"), request.get("TimeRangeUpperBound")
    if kind != "ALL" and kind != ("SYSTEM" if backup.expires else "USER"):
        return False
    return (low is None or backup.created >= low) and (high is None or backup.created < high)


def _birth(ctx: Context) -> Birth:
    return Birth(
        new_uuid(ctx.clock), ctx.clock.random_bytes(DATA_BYTES), fresh_of(ctx), new_uuid(ctx.clock)
    )


@operation("RestoreTableFromBackup", resource=_restore_of_backup)
async def restore_table_from_backup(ctx: Context, request: Request) -> dict[str, Any]:
    """Make a table of a backup; it is there when all items are."""
    table = await ctx.transact(_restore_backup, request, _birth(ctx), new_uuid(ctx.clock))
    return {"TableDescription": describe_table(table, {})}


async def _restore_backup(
    tx: Transaction, scope: Scope, request: Request, birth: Birth, job_id: str
) -> Table:
    backup = await _load_backup(tx, scope, request["BackupArn"])
    if not backup.is_whole:
        raise BackupInUseException(f"Backup is being created: {backup.arn}")
    origin = Restored(backup.table.arn, backup.created, backup.arn)
    table = restored_table(scope, backup.table, request, birth, origin, job_id)
    await _insert(tx, table)
    await BACKUPS.save(tx, NOWHERE, replace(backup, restores=backup.restores + 1))
    await JOBS.save(
        tx,
        NOWHERE,
        Job(
            account=backup.account,
            region=backup.region,
            kind="restore",
            id=job_id,
            table=backup.table.name,
            table_id=backup.table.id,
            started=birth.fresh.now,
            target=table.name,
            settings={"backup": backup.id},
        ),
    )
    return table


async def _insert(tx: Transaction, table: Table) -> None:
    if not await TABLES.insert(tx, NOWHERE, table):
        raise TableAlreadyExistsException(f"Table already exists: {table.name}")


@operation("RestoreTableToPointInTime", resource=_restore_of_table)
async def restore_table_to_point_in_time(ctx: Context, request: Request) -> dict[str, Any]:
    """Make a table of what another was at a moment within its recovery period."""
    given = request.get("SourceTableArn") or request.get("SourceTableName")
    if given is None:
        raise ValidationException("SourceTableArn or SourceTableName must be given")
    wants_latest = bool(request.get("UseLatestRestorableTime"))
    if wants_latest == (request.get("RestoreDateTime") is not None):
        raise ValidationException(
            "Exactly one of UseLatestRestorableTime and RestoreDateTime must be given"
        )
    table = await ctx.transact(
        _restore_moment,
        place_of(ctx, given),
        request,
        _birth(ctx),
        new_uuid(ctx.clock),
        ctx.clock.random_bytes(DATA_BYTES),
    )
    return {"TableDescription": describe_table(table, {})}


async def _restore_moment(
    tx: Transaction,
    scope: Scope,
    place: Place,
    request: Request,
    birth: Birth,
    job_id: str,
    fresh: bytes,
) -> Table:
    if place[:2] != tuple(scope):
        raise ValidationException("A table is restored in its own account and region")
    source = await own_table(tx, place)
    now = birth.fresh.now
    if source.recovery is None:
        raise PointInTimeRecoveryUnavailableException(
            f"Point in time recovery is not enabled for table: {source.name}"
        )
    at = float(request["RestoreDateTime"]) if request.get("RestoreDateTime") is not None else now
    if not earliest(source.recovery, now) <= at <= now:
        raise InvalidRestoreTimeException(
            "RestoreDateTime must be between EarliestRestorableDateTime and "
            "LatestRestorableDateTime"
        )
    table = restored_table(scope, source, request, birth, Restored(source.arn, at), job_id)
    await _insert(tx, table)
    job = Job(
        account=source.account,
        region=source.region,
        kind="restore",
        id=job_id,
        table=source.name,
        table_id=source.id,
        started=now,
        moment=moment_of(at) + (at < now),
        target=table.name,
    )
    await begin_copy(tx, source, job, fresh)
    return table


@operation(
    "UpdateContinuousBackups",
    resource=permissions.table,
    resource_policy=permissions.policy_of_table,
    conditions=permissions.table_keys,
)
async def update_continuous_backups(ctx: Context, request: Request) -> dict[str, Any]:
    """Turn point-in-time recovery on or off; off forgets all that was before."""
    given = request["PointInTimeRecoverySpecification"]
    table = await ctx.transact(
        _update,
        place_of(ctx, request["TableName"]),
        bool(given["PointInTimeRecoveryEnabled"]),
        given.get("RecoveryPeriodInDays"),
        ctx.clock.now(),
        ctx.clock.random_bytes(DATA_BYTES),
    )
    return {"ContinuousBackupsDescription": recovery_description(table.recovery, ctx.clock.now())}


async def _update(
    tx: Transaction,
    scope: Scope,
    place: Place,
    enabled: bool,
    days: int | None,
    now: float,
    fresh: bytes,
) -> Table:
    table = await own_table(tx, place)
    if not enabled and days is not None:
        raise ValidationException(
            "RecoveryPeriodInDays can only be given when point in time recovery is enabled"
        )
    if table.filling:
        raise TableInUseException(f"Table is being created: {table.name}")
    changed = replace(table, recovery=None)
    if enabled:
        since = now if table.recovery is None else table.recovery.since
        recovery = Recovery(since, days or RECOVERY_DAYS_MAX)
        changed = replace(table, recovery=recovery, history=table.history or fresh)
    elif table.history and not table.copies:
        drop_history(tx, table.scope, table.history)
        changed = replace(changed, history=b"")
    await save_table(tx, changed)
    return changed


@operation(
    "DescribeContinuousBackups",
    resource=permissions.table,
    resource_policy=permissions.policy_of_table,
    conditions=permissions.table_keys,
)
async def describe_continuous_backups(ctx: Context, request: Request) -> dict[str, Any]:
    """Whether a table can be restored to earlier times, and to which."""
    place = place_of(ctx, request["TableName"])
    view = await ctx.need(TableViews).find(place)
    if view is None:
        raise TableNotFoundException(f"Table not found: {place[2]}")
    return {
        "ContinuousBackupsDescription": recovery_description(view.record.recovery, ctx.clock.now())
    }
