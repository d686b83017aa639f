"""Backups as the operations show them, and tables as a restore makes them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.identity import Scope
from cumulet.services.dynamodb.copies.model import Backup
from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.model import Index, Recovery, Restored, Table
from cumulet.services.dynamodb.tables.changing import read_sealing
from cumulet.services.dynamodb.tables.describing import describe_table
from cumulet.services.dynamodb.tables.making import Birth
from cumulet.services.dynamodb.tables.schema import WRONG, read_on_demand, read_throughput

_INDEX_MEMBERS = ("IndexName", "KeySchema", "Projection")
_SOURCE_MEMBERS = (
    "TableName",
    "TableId",
    "TableArn",
    "KeySchema",
    "OnDemandThroughput",
)


def backup_details(backup: Backup) -> dict[str, Any]:
    """`BackupDetails`."""
    shown: dict[str, Any] = {
        "BackupArn": backup.arn,
        "BackupName": backup.name,
        "BackupSizeBytes": backup.size,
        "BackupStatus": "AVAILABLE" if backup.is_whole else "CREATING",
        "BackupType": "SYSTEM" if backup.expires else "USER",
        "BackupCreationDateTime": backup.created,
    }
    if backup.expires:
        shown["BackupExpiryDateTime"] = backup.expires
    return shown


def backup_summary(backup: Backup) -> dict[str, Any]:
    """A backup in a list."""
    table = backup.table
    source = {"TableName": table.name, "TableId": table.id, "TableArn": table.arn}
    return {**source, **backup_details(backup)}


def backup_description(backup: Backup) -> dict[str, Any]:
    """`BackupDescription`."""
    table = backup.table
    whole = describe_table(table, {0: (backup.items, backup.size)})
    source: dict[str, Any] = {name: whole[name] for name in _SOURCE_MEMBERS if name in whole}
    source |= {
        "TableCreationDateTime": table.created,
        "TableSizeBytes": backup.size,
        "ItemCount": backup.items,
        "BillingMode": table.billing,
        "ProvisionedThroughput": {
            "ReadCapacityUnits": table.throughput.read,
            "WriteCapacityUnits": table.throughput.write,
        },
    }
    features: dict[str, Any] = {}
    for kind in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
        if kind in whole:
            features[kind] = [
                {name: index[name] for name in _INDEX_MEMBERS} for index in whole[kind]
            ]
    if "StreamSpecification" in whole:
        features["StreamDescription"] = whole["StreamSpecification"]
    if table.expiry is not None:
        features["TimeToLiveDescription"] = {
            "TimeToLiveStatus": "ENABLED",
            "AttributeName": table.expiry.attribute,
        }
    if "SSEDescription" in whole:
        features["SSEDescription"] = whole["SSEDescription"]
    return {
        "BackupDetails": backup_details(backup),
        "SourceTableDetails": source,
        "SourceTableFeatureDetails": features,
    }


def restored_table(
    scope: Scope,
    source: Table,
    request: Mapping[str, Any],
    birth: Birth,
    origin: Restored,
    job_id: str,
) -> Table:
    """The table that a restore makes, without what AWS does not restore either: its stream, expiry,
    tags, policy and point-in-time recovery. Raises ValidationException.
    """
    if request.get("VectorIndexOverride") is not None:
        raise ValidationException(f"{WRONG}VectorIndexOverride is not supported in Cumulet")
    billing = request.get("BillingModeOverride") or source.billing
    throughput = source.throughput
    given = request.get("ProvisionedThroughputOverride")
    if given is not None or billing != source.billing:
        throughput = read_throughput(given, billing)
    on_demand = source.on_demand if billing == "PAY_PER_REQUEST" else None
    if request.get("OnDemandThroughputOverride") is not None:
        on_demand = read_on_demand(request["OnDemandThroughputOverride"], billing)
    indexes = tuple(
        msgspec.structs.replace(index, is_building=False)
        for index in source.indexes
        if _is_kept(index, request)
    )
    if billing != source.billing and billing == "PROVISIONED":
        indexes = tuple(
            msgspec.structs.replace(index, throughput=throughput) if index.is_global else index
            for index in indexes
        )
    used = {source.hash, source.range, *(n for one in indexes for n in (*one.hashes, *one.ranges))}
    table = Table(
        account=scope.account,
        region=scope.region,
        name=request["TargetTableName"],
        id=birth.id,
        data=birth.data,
        created=birth.fresh.now,
        kinds={name: kind for name, kind in source.kinds.items() if name in used},
        hash=source.hash,
        range=source.range,
        indexes=indexes,
        next_number=source.next_number,
        billing=billing,
        throughput=throughput,
        on_demand=on_demand,
        table_class=source.table_class,
        is_sealed_by_key=source.is_sealed_by_key,
        filling=job_id,
        restored=origin,
    )
    if request.get("SSESpecificationOverride") is not None:
        table = msgspec.structs.replace(table, **read_sealing(request["SSESpecificationOverride"]))
    _check_overrides(source, request)
    return table


_OVERRIDES = {True: "GlobalSecondaryIndexOverride", False: "LocalSecondaryIndexOverride"}


def _is_kept(index: Index, request: Mapping[str, Any]) -> bool:
    """Without an override all indexes are restored, with one those that it names."""
    given = request.get(_OVERRIDES[index.is_global])
    return given is None or any(one["IndexName"] == index.name for one in given)


def _check_overrides(source: Table, request: Mapping[str, Any]) -> None:
    """An override may leave indexes out, and make none that were not there."""
    for is_global, member in _OVERRIDES.items():
        names = {index.name for index in source.indexes if index.is_global == is_global}
        for one in request.get(member) or ():
            if one["IndexName"] not in names:
                raise ValidationException(
                    f"{WRONG}{member}: the table had no index {one['IndexName']}"
                )


def earliest(recovery: Recovery, now: float) -> float:
    """The first moment to which a table can be restored."""
    return max(recovery.since, now - recovery.days * 86_400)


def recovery_description(recovery: Recovery | None, now: float) -> dict[str, Any]:
    """`ContinuousBackupsDescription`. On-demand backups are possible for every table."""
    if recovery is None:
        point: dict[str, Any] = {"PointInTimeRecoveryStatus": "DISABLED"}
    else:
        point = {
            "PointInTimeRecoveryStatus": "ENABLED",
            "RecoveryPeriodInDays": recovery.days,
            "EarliestRestorableDateTime": earliest(recovery, now),
            "LatestRestorableDateTime": now,
        }
    return {"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": point}
