"""The CloudFormation type of global tables, as far as one region goes: a table with one replica.

It is the form that CDK's TableV2 and SAM write for a table in its own region. Follows
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.kit.resources import (
    FLAG,
    JSON,
    NUMBER,
    TAGS,
    TEXT,
    Draft,
    Props,
    Provisioned,
    ResourceType,
    list_of,
    struct,
)
from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.resources.insights import INSIGHTS, INSIGHTS_SPECIFICATION
from cumulet.services.dynamodb.resources.table import (
    LOCAL_INDEX,
    PROPERTIES,
    create_table,
    delete_table,
    read_table,
    update_table,
)

_OF_REPLICA = (
    INSIGHTS,
    "DeletionProtectionEnabled",
    "PointInTimeRecoverySpecification",
    "ResourcePolicy",
    "TableClass",
    "Tags",
)
_OF_TABLE = (
    "AttributeDefinitions",
    "BillingMode",
    "KeySchema",
    "LocalSecondaryIndexes",
    "SSESpecification",
    "StreamSpecification",
    "TableName",
    "TimeToLiveSpecification",
    "WarmThroughput",
)


def as_table(ctx: Context, props: Props) -> dict[str, Any]:
    """The same table as AWS::DynamoDB::Table has it. Raises ValidationException."""
    replicas = props["Replicas"]
    if [one["Region"] for one in replicas] != [ctx.scope.region]:
        raise ValidationException(
            f"Replicas: Cumulet has one region at a time, so there must be one replica, in "
            f"{ctx.scope.region}"
        )
    if props.get("BillingMode") != "PAY_PER_REQUEST":
        raise ValidationException(
            "BillingMode: a global table must be PAY_PER_REQUEST in Cumulet, as provisioned "
            "capacity needs automatic scaling here, which there is not"
        )
    replica: Mapping[str, Any] = replicas[0]
    made = {name: props[name] for name in _OF_TABLE if name in props}
    made |= {name: replica[name] for name in _OF_REPLICA if name in replica}
    if bounds := _bounds(props, replica):
        made["OnDemandThroughput"] = bounds
    if "GlobalSecondaryIndexes" in props:
        of_replica = {one["IndexName"]: one for one in replica.get("GlobalSecondaryIndexes") or ()}
        made["GlobalSecondaryIndexes"] = [
            _index(one, of_replica.get(one["IndexName"], {}))
            for one in props["GlobalSecondaryIndexes"]
        ]
    return made


def _index(given: Mapping[str, Any], of_replica: Mapping[str, Any]) -> dict[str, Any]:
    made = {name: given[name] for name in (*LOCAL_INDEX, "WarmThroughput") if name in given}
    if bounds := _bounds(given, of_replica):
        made["OnDemandThroughput"] = bounds
    if INSIGHTS in of_replica:
        made[INSIGHTS] = of_replica[INSIGHTS]
    return made


def _bounds(write: Mapping[str, Any], read: Mapping[str, Any]) -> dict[str, Any]:
    """The most units of reads, which a replica has, and of writes, which all have together."""
    return {
        **(read.get("ReadOnDemandThroughputSettings") or {}),
        **(write.get("WriteOnDemandThroughputSettings") or {}),
    }


async def _create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    return await _told(ctx, await create_table(ctx, as_table(ctx, props), draft))


async def _update(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    before, after = as_table(ctx, old), as_table(ctx, new)
    return await _told(ctx, await update_table(ctx, physical_id, before, after, draft))


async def _told(ctx: Context, made: Provisioned) -> Provisioned:
    found = await ctx.call("dynamodb", "DescribeTable", TableName=made.physical_id)
    return Provisioned(made.physical_id, {**made.attributes, "TableId": found["Table"]["TableId"]})


async def _delete(ctx: Context, physical_id: str, props: Props) -> None:
    await delete_table(ctx, physical_id, props)


async def _read(ctx: Context, physical_id: str, props: Props) -> Props | None:
    live = await read_table(ctx, physical_id, as_table(ctx, props))
    if live is None:
        return None
    replica = {**props["Replicas"][0]}
    replica |= {name: live[name] for name in _OF_REPLICA if name in live}
    told = {name: live[name] for name in _OF_TABLE if name in live}
    return {**told, "Replicas": [replica]}


_READS = struct({"MaxReadRequestUnits": NUMBER})
_WRITES = struct({"MaxWriteRequestUnits": NUMBER})
_REPLICA = {
    "Region": TEXT,
    INSIGHTS: INSIGHTS_SPECIFICATION,
    "DeletionProtectionEnabled": FLAG,
    "GlobalSecondaryIndexes": list_of(
        struct(
            {
                "IndexName": TEXT,
                "ReadOnDemandThroughputSettings": _READS,
                INSIGHTS: INSIGHTS_SPECIFICATION,
            },
            "IndexName",
        )
    ),
    "PointInTimeRecoverySpecification": PROPERTIES["PointInTimeRecoverySpecification"],
    "ReadOnDemandThroughputSettings": _READS,
    "ResourcePolicy": struct({"PolicyDocument": JSON}, "PolicyDocument"),
    "TableClass": TEXT,
    "Tags": TAGS,
}
_PROPERTIES = {
    **{name: PROPERTIES[name] for name in _OF_TABLE},
    "GlobalSecondaryIndexes": list_of(
        struct(
            {
                **LOCAL_INDEX,
                "WarmThroughput": PROPERTIES["WarmThroughput"],
                "WriteOnDemandThroughputSettings": _WRITES,
            },
            *LOCAL_INDEX,
        )
    ),
    "Replicas": list_of(struct(_REPLICA, "Region")),
    "WriteOnDemandThroughputSettings": _WRITES,
}

GLOBAL_TABLE = ResourceType(
    "AWS::DynamoDB::GlobalTable",
    struct(_PROPERTIES, "AttributeDefinitions", "KeySchema", "Replicas"),
    create=_create,
    update=_update,
    delete=_delete,
    read=_read,
    replace_on=frozenset({"TableName", "KeySchema", "LocalSecondaryIndexes"}),
    attributes=frozenset({"Arn", "StreamArn", "TableId"}),
)
