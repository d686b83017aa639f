"""What UpdateTable makes of a table: pure, but for the ids and times that it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from cumulet.services.dynamodb.errors import (
    LimitExceededException,
    ResourceInUseException,
    ResourceNotFoundException,
    ValidationException,
)
from cumulet.services.dynamodb.limits import GLOBAL_INDEXES_MAX
from cumulet.services.dynamodb.model import Index, Table
from cumulet.services.dynamodb.tables.schema import (
    WRONG,
    check_indexes,
    read_global_index,
    read_kinds,
    read_on_demand,
    read_throughput,
    read_warm,
    too_many_global,
)
from cumulet.services.dynamodb.tables.streaming import Fresh, change_stream

replace = msgspec.structs.replace


class Changed(NamedTuple):
    """The table after an update, with the index that is new and the one that is gone."""

    table: Table
    created: Index | None = None
    deleted: Index | None = None


_MEMBERS = (
    "BillingMode",
    "ProvisionedThroughput",
    "OnDemandThroughput",
    "WarmThroughput",
    "GlobalSecondaryIndexUpdates",
    "StreamSpecification",
    "SSESpecification",
    "TableClass",
    "DeletionProtectionEnabled",
)


def change_table(table: Table, request: Mapping[str, Any], fresh: Fresh) -> Changed:
    """The table with all changes of a request. Raises AwsError."""
    if all(request.get(name) in (None, []) for name in _MEMBERS):
        raise ValidationException(
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, "
            "GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required"
        )
    if table.filling or any(index.is_building for index in table.indexes):
        raise ResourceInUseException(
            f"Attempt to change a resource which is still in use: Table is being updated: "
            f"{table.name}"
        )
    table = _change_capacity(table, request, fresh.now)
    if request.get("DeletionProtectionEnabled") is not None:
        table = replace(table, is_protected=request["DeletionProtectionEnabled"])
    if request.get("TableClass") is not None:
        table = replace(table, table_class=request["TableClass"])
    if request.get("SSESpecification") is not None:
        table = replace(table, **read_sealing(request["SSESpecification"]))
    if request.get("StreamSpecification") is not None:
        table = change_stream(table, request["StreamSpecification"], fresh)
    updates = request.get("GlobalSecondaryIndexUpdates")
    if not updates:
        return Changed(table)
    return _change_indexes(table, updates, request)


def _change_capacity(table: Table, request: Mapping[str, Any], now: float) -> Table:
    billing = request.get("BillingMode") or table.billing
    given = request.get("ProvisionedThroughput")
    if billing != table.billing:
        throughput = read_throughput(given, billing)
        indexes = table.indexes
        if billing == "PAY_PER_REQUEST":
            indexes = tuple(replace(one, throughput=throughput) for one in indexes)
        table = replace(
            table, billing=billing, throughput=throughput, billing_changed=now, indexes=indexes
        )
    elif given is not None:
        throughput = read_throughput(given, billing)
        if throughput == table.throughput and len(request) == 2:
            raise ValidationException(
                "The provisioned throughput for the table will not change. The requested value "
                f"equals the current value. Current ReadCapacityUnits provisioned for the table: "
                f"{throughput.read}. Requested ReadCapacityUnits: {throughput.read}. Current "
                f"WriteCapacityUnits provisioned for the table: {throughput.write}. Requested "
                f"WriteCapacityUnits: {throughput.write}. Refer to the Amazon DynamoDB Developer "
                "Guide for current limits and how to request higher limits."
            )
        table = replace(table, throughput=throughput)
    if request.get("OnDemandThroughput") is not None:
        table = replace(table, on_demand=read_on_demand(request["OnDemandThroughput"], billing))
    if request.get("WarmThroughput") is not None:
        table = replace(table, warm=read_warm(request["WarmThroughput"]))
    return table


def read_sealing(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of encryption with a key of one's own. Raises ValidationException."""
    if not given.get("Enabled"):
        if given.get("KMSMasterKeyId") or given.get("SSEType"):
            raise ValidationException(
                f"{WRONG}SSEType and KMSMasterKeyId cannot be specified when SSE is disabled"
            )
        return {"is_sealed_by_key": False}
    if given.get("SSEType") == "AES256":
        raise ValidationException(f"{WRONG}SSEType AES256 is not supported")
    if given.get("KMSMasterKeyId"):
        raise ValidationException(
            f"{WRONG}KMSMasterKeyId is not supported in Cumulet, which keeps no keys of KMS"
        )
    return {"is_sealed_by_key": True}


def _change_indexes(
    table: Table, updates: list[Mapping[str, Any]], request: Mapping[str, Any]
) -> Changed:
    created: Index | None = None
    deleted: Index | None = None
    names = []
    if sum(update.get("Update") is None for update in updates) > 1:
        raise LimitExceededException(
            "Subscriber limit exceeded: Only 1 online index can be created or deleted "
            "simultaneously per table"
        )
    for update in updates:
        actions = [name for name, content in update.items() if content is not None]
        if len(actions) != 1:
            raise ValidationException(
                f"{WRONG}One and only one of the GlobalSecondaryIndexUpdate actions Create, Update "
                "and Delete may be given"
            )
        content = update[actions[0]]
        names.append(content["IndexName"])
        if actions[0] == "Create":
            table, created = _create_index(table, content, request)
        elif actions[0] == "Delete":
            table, deleted = _delete_index(table, content["IndexName"])
        else:
            table = _update_index(table, content)
    if len(set(names)) != len(names):
        raise ValidationException(
            f"{WRONG}Only one global secondary index update per index is allowed simultaneously. "
            f"Index: {names[0]}"
        )
    return Changed(table, created, deleted)


def _create_index(
    table: Table, given: Mapping[str, Any], request: Mapping[str, Any]
) -> tuple[Table, Index]:
    name = given["IndexName"]
    if any(index.name == name for index in table.indexes):
        raise ValidationException(f"Attempting to create an index which already exists: {name}")
    definitions = request.get("AttributeDefinitions")
    defined = read_kinds(definitions or ())
    for attribute, kind in defined.items():
        if table.kinds.get(attribute, kind) != kind:
            raise ValidationException(
                f"{WRONG}AttributeDefinitions: the attribute {attribute} cannot be redefined with "
                "another type"
            )
    kinds = {**table.kinds, **defined}
    index = read_global_index(given, defined, table.billing)
    index = replace(index, number=table.next_number, is_building=True)
    if sum(one.is_global for one in table.indexes) >= GLOBAL_INDEXES_MAX:
        raise too_many_global()
    indexes = (*table.indexes, index)
    check_indexes(indexes)
    used = {table.hash, table.range, *(n for one in indexes for n in (*one.hashes, *one.ranges))}
    unused = [attribute for attribute in defined if attribute not in used]
    if unused:
        raise ValidationException(
            f"{WRONG}Some AttributeDefinitions are not used. AttributeDefinitions: "
            f"[{', '.join(defined)}], keys used: [{', '.join(sorted(filter(None, used)))}]"
        )
    kept = {attribute: kind for attribute, kind in kinds.items() if attribute in used}
    table = replace(table, indexes=indexes, kinds=kept, next_number=table.next_number + 1)
    return table, index


def _find(table: Table, name: str) -> Index:
    for index in table.indexes:
        if index.name == name and index.is_global:
            return index
    raise ResourceNotFoundException(f"Requested resource not found: Index: {name} not found")


def _delete_index(table: Table, name: str) -> tuple[Table, Index]:
    index = _find(table, name)
    indexes = tuple(one for one in table.indexes if one.name != name)
    used = {table.hash, table.range, *(n for one in indexes for n in (*one.hashes, *one.ranges))}
    kinds = {attribute: kind for attribute, kind in table.kinds.items() if attribute in used}
    return replace(table, indexes=indexes, kinds=kinds), index


def _update_index(table: Table, given: Mapping[str, Any]) -> Table:
    index = _find(table, given["IndexName"])
    changed = index
    if given.get("ProvisionedThroughput") is not None:
        units = read_throughput(given["ProvisionedThroughput"], table.billing, index=index.name)
        changed = replace(changed, throughput=units)
    if given.get("OnDemandThroughput") is not None:
        bounds = read_on_demand(given["OnDemandThroughput"], table.billing)
        changed = replace(changed, on_demand=bounds)
    if given.get("WarmThroughput") is not None:
        changed = replace(changed, warm=read_warm(given["WarmThroughput"]))
    return replace(table, indexes=tuple(changed if one is index else one for one in table.indexes))
