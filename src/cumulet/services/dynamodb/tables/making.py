"""A table as CreateTable asks for it: pure, but for the ids and times that it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from cumulet.core.identity import Scope
from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.model import Table
from cumulet.services.dynamodb.tables.changing import read_sealing
from cumulet.services.dynamodb.tables.policies import check_policy
from cumulet.services.dynamodb.tables.schema import (
    WRONG,
    check_all_used,
    check_indexes,
    read_global_indexes,
    read_kinds,
    read_local_indexes,
    read_on_demand,
    read_simple_key,
    read_throughput,
    read_warm,
)
from cumulet.services.dynamodb.tables.streaming import Fresh, change_stream
from cumulet.services.dynamodb.tables.tagging import read_tags

REFUSED = (
    "GlobalTableSourceArn",
    "GlobalTableSettingsReplicationMode",
    "VectorIndexes",
    "ReplicaUpdates",
    "MultiRegionConsistency",
    "GlobalTableWitnessUpdates",
    "DisassociationProtectionEnabled",
    "VectorIndexUpdates",
)
"""Members of requests for what is not there yet."""


class Birth(NamedTuple):
    """What a new table is given: ids, the place of its items, and its stream's."""

    id: str
    data: bytes
    fresh: Fresh
    revision: str


def refuse_members(request: Mapping[str, Any]) -> None:
    """Raise ValidationException for a member that cannot be honoured."""
    for name in REFUSED:
        if request.get(name) is not None:
            raise ValidationException(f"{WRONG}{name} is not supported in Cumulet")


def make_table(scope: Scope, name: str, request: Mapping[str, Any], birth: Birth) -> Table:
    """A table's record. Raises ValidationException."""
    refuse_members(request)
    for member in ("AttributeDefinitions", "KeySchema"):
        if request.get(member) is None:
            spelt = member[0].lower() + member[1:]
            raise ValidationException(
                f"1 validation error detected: Value null at '{spelt}' failed to satisfy "
                "constraint: Member must not be null"
            )
    billing = request.get("BillingMode") or "PROVISIONED"
    throughput = read_throughput(request.get("ProvisionedThroughput"), billing)
    kinds = read_kinds(request["AttributeDefinitions"])
    key = read_simple_key(request["KeySchema"], kinds)
    indexes = [
        *read_local_indexes(request.get("LocalSecondaryIndexes"), kinds, key),
        *read_global_indexes(request.get("GlobalSecondaryIndexes"), kinds, billing),
    ]
    check_indexes(indexes)
    check_all_used(kinds, key, indexes)
    table = Table(
        account=scope.account,
        region=scope.region,
        name=name,
        id=birth.id,
        data=birth.data,
        created=birth.fresh.now,
        kinds=kinds,
        hash=key[0],
        range=key[1],
        indexes=tuple(
            msgspec.structs.replace(index, number=number) for number, index in enumerate(indexes, 1)
        ),
        next_number=len(indexes) + 1,
        billing=billing,
        throughput=throughput,
        on_demand=read_on_demand(request.get("OnDemandThroughput"), billing),
        warm=read_warm(request.get("WarmThroughput")),
        table_class=request.get("TableClass") or "",
        is_protected=bool(request.get("DeletionProtectionEnabled")),
        tags=read_tags(request.get("Tags") or ()),
    )
    if request.get("SSESpecification") is not None:
        table = msgspec.structs.replace(table, **read_sealing(request["SSESpecification"]))
    if request.get("StreamSpecification") is not None:
        table = change_stream(table, request["StreamSpecification"], birth.fresh)
    policy = request.get("ResourcePolicy")
    if policy:
        check_policy(policy, table.arn)
        table = msgspec.structs.replace(table, policy=policy, policy_revision=birth.revision)
    return table
