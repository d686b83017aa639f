"""Tables as DescribeTable shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.kv.contract import Transaction
from cumulet.services.dynamodb.model import Index, Table, Throughput
from cumulet.services.dynamodb.store.records import read_counts

Counts = Mapping[int, tuple[int, int]]
"""Items and bytes by the number of the index; 0 is the table."""

WARM = Throughput(12_000, 4_000)
"""What an on-demand table is warm for when nothing is said."""


async def load_counts(tx: Transaction, table: Table) -> Counts:
    """The counters of a table and its indexes."""
    numbers = [0, *(index.number for index in table.indexes)]
    return {number: await read_counts(tx, table, number) for number in numbers}


def describe_table(table: Table, counts: Counts, status: str = "") -> dict[str, Any]:
    """The `TableDescription`; `status` is told instead of the true one."""
    items, size = counts.get(0, (0, 0))
    shown: dict[str, Any] = {
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind} for name, kind in table.kinds.items()
        ],
        "TableName": table.name,
        "KeySchema": _key_schema((table.hash,), tuple(filter(None, (table.range,)))),
        "TableStatus": status or status_of(table),
        "CreationDateTime": table.created,
        "ProvisionedThroughput": {"NumberOfDecreasesToday": 0, **_units(table.throughput)},
        "TableSizeBytes": size,
        "ItemCount": items,
        "TableArn": table.arn,
        "TableId": table.id,
        "DeletionProtectionEnabled": table.is_protected,
    }
    if table.billing == "PAY_PER_REQUEST" or table.billing_changed:
        shown["BillingModeSummary"] = {"BillingMode": table.billing}
        if table.billing == "PAY_PER_REQUEST":
            summary = shown["BillingModeSummary"]
            summary["LastUpdateToPayPerRequestDateTime"] = table.billing_changed or table.created
    for kind, is_global in (("Local", False), ("Global", True)):
        indexes = [index for index in table.indexes if index.is_global == is_global]
        if indexes:
            shown[f"{kind}SecondaryIndexes"] = [
                _index(table, index, counts.get(index.number, (0, 0)), status) for index in indexes
            ]
    if table.restored is not None:
        shown["RestoreSummary"] = {
            "SourceTableArn": table.restored.table,
            "RestoreDateTime": table.restored.at,
            "RestoreInProgress": bool(table.filling),
        }
        if table.restored.backup:
            shown["RestoreSummary"]["SourceBackupArn"] = table.restored.backup
    if table.stream_view:
        shown["StreamSpecification"] = {
            "StreamEnabled": True,
            "StreamViewType": table.stream_view,
        }
    if table.stream:
        shown["LatestStreamLabel"] = table.stream
        shown["LatestStreamArn"] = table.stream_arn
    if table.is_sealed_by_key:
        shown["SSEDescription"] = {"Status": "ENABLED", "SSEType": "KMS"}
    if table.table_class:
        shown["TableClassSummary"] = {"TableClass": table.table_class}
    if table.on_demand is not None:
        shown["OnDemandThroughput"] = _on_demand(table)
    warm = table.warm or _default_warm(table.throughput, table.billing)
    shown["WarmThroughput"] = _warm(warm)
    return shown


def describe_deleted(table: Table, counts: Counts) -> dict[str, Any]:
    """What is still told of a table when it is deleted: nothing of its keys and indexes."""
    whole = describe_table(table, counts, "DELETING")
    kept = (
        "TableName",
        "TableStatus",
        "TableId",
        "TableArn",
        "BillingModeSummary",
        "ProvisionedThroughput",
        "TableSizeBytes",
        "ItemCount",
        "DeletionProtectionEnabled",
    )
    return {name: whole[name] for name in kept if name in whole}


def status_of(table: Table) -> str:
    """ACTIVE, CREATING while its first items come, or UPDATING while an index is being filled."""
    if table.filling:
        return "CREATING"
    return "UPDATING" if any(index.is_building for index in table.indexes) else "ACTIVE"


def _key_schema(hashes: tuple[str, ...], ranges: tuple[str, ...]) -> list[dict[str, str]]:
    return [
        *({"AttributeName": name, "KeyType": "HASH"} for name in hashes),
        *({"AttributeName": name, "KeyType": "RANGE"} for name in ranges),
    ]


def _index(table: Table, index: Index, counts: tuple[int, int], status: str) -> dict[str, Any]:
    projection: dict[str, Any] = {"ProjectionType": index.projection}
    if index.attributes:
        projection["NonKeyAttributes"] = list(index.attributes)
    shown: dict[str, Any] = {
        "IndexName": index.name,
        "KeySchema": _key_schema(index.hashes, index.ranges),
        "Projection": projection,
        "IndexSizeBytes": counts[1],
        "ItemCount": counts[0],
        "IndexArn": f"{table.arn}/index/{index.name}",
    }
    if not index.is_global:
        return shown
    shown["IndexStatus"] = "CREATING" if index.is_building or status == "CREATING" else "ACTIVE"
    if status == "DELETING":
        shown["IndexStatus"] = "DELETING"
    if index.is_building:
        shown["Backfilling"] = True
    shown["ProvisionedThroughput"] = {"NumberOfDecreasesToday": 0, **_units(index.throughput)}
    if index.on_demand is not None:
        shown["OnDemandThroughput"] = _on_demand(index)
    shown["WarmThroughput"] = _warm(index.warm or _default_warm(index.throughput, table.billing))
    return shown


def _units(throughput: Throughput) -> dict[str, int]:
    return {"ReadCapacityUnits": throughput.read, "WriteCapacityUnits": throughput.write}


def _on_demand(of: Table | Index) -> dict[str, int]:
    assert of.on_demand is not None
    return {
        "MaxReadRequestUnits": of.on_demand.read,
        "MaxWriteRequestUnits": of.on_demand.write,
    }


def _default_warm(throughput: Throughput, billing: str) -> Throughput:
    return WARM if billing == "PAY_PER_REQUEST" else throughput


def _warm(throughput: Throughput) -> dict[str, Any]:
    return {
        "ReadUnitsPerSecond": throughput.read,
        "WriteUnitsPerSecond": throughput.write,
        "Status": "ACTIVE",
    }
