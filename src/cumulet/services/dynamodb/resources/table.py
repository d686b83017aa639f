"""The CloudFormation type of tables.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import (
    FLAG,
    JSON,
    NUMBER,
    TAGS,
    TEXT,
    Draft,
    PartlyMade,
    Props,
    Provisioned,
    ResourceType,
    list_of,
    struct,
)
from cumulet.services.dynamodb.resources.insights import (
    INSIGHTS,
    INSIGHTS_SPECIFICATION,
    set_insights,
)

_POLL_SECONDS = 0.2
_POLLS_MAX = 18_000
"""An hour for one index."""

_SAME = (
    "AttributeDefinitions",
    "BillingMode",
    "DeletionProtectionEnabled",
    "OnDemandThroughput",
    "ProvisionedThroughput",
    "TableClass",
    "WarmThroughput",
)
"""Properties that are spelt as the API's members."""


def _units(given: Mapping[str, Any] | None) -> dict[str, int] | None:
    return None if given is None else {name: int(value) for name, value in given.items()}


def _index(given: Mapping[str, Any]) -> dict[str, Any]:
    made = {name: value for name, value in given.items() if name != INSIGHTS}
    for name in ("ProvisionedThroughput", "OnDemandThroughput", "WarmThroughput"):
        if name in made:
            made[name] = _units(made[name])
    return made


def _request(props: Props) -> dict[str, Any]:
    """What CreateTable is asked."""
    asked: dict[str, Any] = {}
    for name in _SAME:
        if name in props:
            is_units = name.endswith("Throughput")
            asked[name] = _units(props[name]) if is_units else props[name]
    asked["KeySchema"] = props["KeySchema"]
    for name in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes"):
        if props.get(name):
            asked[name] = [_index(one) for one in props[name]]
    if "SSESpecification" in props:
        asked["SSESpecification"] = _sealing(props["SSESpecification"])
    if "StreamSpecification" in props:
        asked["StreamSpecification"] = _stream(props["StreamSpecification"])
    if "ResourcePolicy" in props:
        asked["ResourcePolicy"] = json.dumps(props["ResourcePolicy"]["PolicyDocument"])
    if props.get("Tags"):
        asked["Tags"] = list(props["Tags"])
    return asked


def _sealing(given: Mapping[str, Any]) -> dict[str, Any]:
    made = {name: value for name, value in given.items() if name != "SSEEnabled"}
    return {"Enabled": given["SSEEnabled"], **made}


def _stream(given: Mapping[str, Any] | None) -> dict[str, Any]:
    if given is None:
        return {"StreamEnabled": False}
    return {"StreamEnabled": True, "StreamViewType": given["StreamViewType"]}


async def create_table(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    """Make the table, or go on with one that was begun."""
    name = props.get("TableName") or draft.name(255)
    try:
        await ctx.call("dynamodb", "CreateTable", TableName=name, **_request(props))
    except AwsError as error:
        if error.code != "ResourceInUseException" or not draft.resumed:
            raise
    try:
        await _set_expiry(ctx, name, {}, props)
        await _set_backups(ctx, name, {}, props)
        await set_insights(ctx, name, {}, props)
    except AwsError as error:
        raise PartlyMade(name) from error
    return await _made(ctx, name)


async def _made(ctx: Context, name: str) -> Provisioned:
    table = (await ctx.call("dynamodb", "DescribeTable", TableName=name))["Table"]
    attributes = {"Arn": table["TableArn"]}
    if "LatestStreamArn" in table:
        attributes["StreamArn"] = table["LatestStreamArn"]
    return Provisioned(name, attributes)


async def _set_expiry(ctx: Context, name: str, old: Props, new: Props) -> None:
    """Turn time to live on or off, where it is not so already."""
    before, after = old.get("TimeToLiveSpecification"), new.get("TimeToLiveSpecification")
    if before == after:
        return
    found = await ctx.call("dynamodb", "DescribeTimeToLive", TableName=name)
    live = found["TimeToLiveDescription"]
    wanted = after["AttributeName"] if after is not None and after["Enabled"] else None
    present = live.get("AttributeName")
    for attribute, enabled in ((present, False), (wanted, True)):
        if attribute is not None and present != wanted:
            specification = {"AttributeName": attribute, "Enabled": enabled}
            await ctx.call(
                "dynamodb",
                "UpdateTimeToLive",
                TableName=name,
                TimeToLiveSpecification=specification,
            )


async def _set_backups(ctx: Context, name: str, old: Props, new: Props) -> None:
    before = old.get("PointInTimeRecoverySpecification") or {}
    after = new.get("PointInTimeRecoverySpecification") or {}
    enabled = bool(after.get("PointInTimeRecoveryEnabled"))
    if before == after or (not enabled and not before.get("PointInTimeRecoveryEnabled")):
        return
    asked: dict[str, Any] = {"PointInTimeRecoveryEnabled": enabled}
    if enabled and "RecoveryPeriodInDays" in after:
        asked["RecoveryPeriodInDays"] = int(after["RecoveryPeriodInDays"])
    await ctx.call(
        "dynamodb",
        "UpdateContinuousBackups",
        TableName=name,
        PointInTimeRecoverySpecification=asked,
    )


async def update_table(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    """Change the table from what it was to what it is to be."""
    await _change(ctx, physical_id, _plain_changes(old, new))
    before = {one["IndexName"]: one for one in old.get("GlobalSecondaryIndexes") or ()}
    after = {one["IndexName"]: one for one in new.get("GlobalSecondaryIndexes") or ()}
    live = await _live_indexes(ctx, physical_id)
    for name, index in before.items():
        is_other = name in after and not _is_same(index, after[name])
        if name in live and (name not in after or is_other):
            await _change_index(ctx, physical_id, {"Delete": {"IndexName": name}}, new)
            live.discard(name)
    for name, index in after.items():
        if name not in live:
            await _change_index(ctx, physical_id, {"Create": _index(index)}, new)
        elif (units := _throughputs(index)) and units != _throughputs(before.get(name, {})):
            await _change_index(ctx, physical_id, {"Update": {"IndexName": name, **units}}, new)
    if old.get("StreamSpecification") != new.get("StreamSpecification"):
        await _change_stream(ctx, physical_id, old, new)
    await _set_expiry(ctx, physical_id, old, new)
    await _set_backups(ctx, physical_id, old, new)
    await set_insights(ctx, physical_id, old, new)
    await _set_tags(ctx, physical_id, old, new)
    await _set_policy(ctx, physical_id, old, new)
    return await _made(ctx, physical_id)


def _plain_changes(old: Props, new: Props) -> dict[str, Any]:
    """What one UpdateTable can do besides indexes and the stream."""
    changes = {
        name: value
        for name, value in _request(new).items()
        if name in _SAME and name != "AttributeDefinitions" and value != old.get(name)
    }
    if "BillingMode" in changes and "ProvisionedThroughput" in new:
        changes["ProvisionedThroughput"] = _units(new["ProvisionedThroughput"])
    if "BillingMode" in old and "BillingMode" not in new and old["BillingMode"] != "PROVISIONED":
        changes["BillingMode"] = "PROVISIONED"
    if old.get("DeletionProtectionEnabled") and "DeletionProtectionEnabled" not in new:
        changes["DeletionProtectionEnabled"] = False
    if old.get("TableClass") and "TableClass" not in new:
        changes["TableClass"] = "STANDARD"
    sealing = new.get("SSESpecification", {"SSEEnabled": False})
    if old.get("SSESpecification", {"SSEEnabled": False}) != sealing:
        changes["SSESpecification"] = _sealing(sealing)
    return changes


async def _change(ctx: Context, name: str, changes: Mapping[str, Any]) -> None:
    if changes:
        await ctx.call("dynamodb", "UpdateTable", TableName=name, **changes)


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one.get(name) == other.get(name) for name in ("KeySchema", "Projection"))


def _throughputs(index: Mapping[str, Any]) -> dict[str, Any]:
    made = _index(index)
    names = ("ProvisionedThroughput", "OnDemandThroughput", "WarmThroughput")
    return {name: made[name] for name in names if name in made}


async def _live_indexes(ctx: Context, name: str) -> set[str]:
    table = (await ctx.call("dynamodb", "DescribeTable", TableName=name))["Table"]
    return {one["IndexName"] for one in table.get("GlobalSecondaryIndexes", ())}


async def _change_index(ctx: Context, name: str, change: dict[str, Any], new: Props) -> None:
    """One change of an index, and the wait until it is filled."""
    await ctx.call(
        "dynamodb",
        "UpdateTable",
        TableName=name,
        GlobalSecondaryIndexUpdates=[change],
        **({"AttributeDefinitions": _defined(change["Create"], new)} if "Create" in change else {}),
    )
    for _ in range(_POLLS_MAX):
        table = (await ctx.call("dynamodb", "DescribeTable", TableName=name))["Table"]
        if table["TableStatus"] == "ACTIVE":
            return
        await ctx.clock.sleep(_POLL_SECONDS)


def _defined(index: Mapping[str, Any], new: Props) -> list[Any]:
    names = {one["AttributeName"] for one in index["KeySchema"]}
    return [one for one in new["AttributeDefinitions"] if one["AttributeName"] in names]


async def _change_stream(ctx: Context, name: str, old: Props, new: Props) -> None:
    """A stream of another view is another stream: the old one is turned off first."""
    table = (await ctx.call("dynamodb", "DescribeTable", TableName=name))["Table"]
    live = table.get("StreamSpecification", {}).get("StreamViewType")
    wanted = (new.get("StreamSpecification") or {}).get("StreamViewType")
    if live is not None and live != wanted:
        await _change(ctx, name, {"StreamSpecification": {"StreamEnabled": False}})
    if wanted is not None and live != wanted:
        await _change(ctx, name, {"StreamSpecification": _stream(new["StreamSpecification"])})


async def _arn(ctx: Context, name: str) -> str:
    found = await ctx.call("dynamodb", "DescribeTable", TableName=name)
    return str(found["Table"]["TableArn"])


async def _set_tags(ctx: Context, name: str, old: Props, new: Props) -> None:
    before = {tag["Key"]: tag["Value"] for tag in old.get("Tags") or ()}
    after = {tag["Key"]: tag["Value"] for tag in new.get("Tags") or ()}
    if before == after:
        return
    arn = await _arn(ctx, name)
    if gone := [key for key in before if key not in after]:
        await ctx.call("dynamodb", "UntagResource", ResourceArn=arn, TagKeys=gone)
    if after:
        tags = [{"Key": key, "Value": value} for key, value in after.items()]
        await ctx.call("dynamodb", "TagResource", ResourceArn=arn, Tags=tags)


async def _set_policy(ctx: Context, name: str, old: Props, new: Props) -> None:
    before, after = old.get("ResourcePolicy"), new.get("ResourcePolicy")
    if before == after:
        return
    arn = await _arn(ctx, name)
    if after is None:
        await ctx.call("dynamodb", "DeleteResourcePolicy", ResourceArn=arn)
        return
    policy = json.dumps(after["PolicyDocument"])
    await ctx.call("dynamodb", "PutResourcePolicy", ResourceArn=arn, Policy=policy)


async def delete_table(ctx: Context, physical_id: str, props: Props) -> None:
    """Remove the table, if it is there."""
    try:
        await ctx.call("dynamodb", "DeleteTable", TableName=physical_id)
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise


_TELLABLE = ("AttributeDefinitions", "KeySchema", "DeletionProtectionEnabled")


async def read_table(ctx: Context, physical_id: str, props: Props) -> Props | None:
    """The table's properties as they are; None when it is gone."""
    try:
        table = (await ctx.call("dynamodb", "DescribeTable", TableName=physical_id))["Table"]
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            return None
        raise
    live: dict[str, Any] = {"TableName": physical_id}
    for name in _TELLABLE:
        if name in props:
            live[name] = table[name]
    if "BillingMode" in props:
        live["BillingMode"] = table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    if "StreamSpecification" in props:
        view = table.get("StreamSpecification", {}).get("StreamViewType")
        live["StreamSpecification"] = None if view is None else {"StreamViewType": view}
    if "ProvisionedThroughput" in props:
        units = table["ProvisionedThroughput"]
        live["ProvisionedThroughput"] = {
            name: units[name] for name in ("ReadCapacityUnits", "WriteCapacityUnits")
        }
    if "Tags" in props:
        arn = table["TableArn"]
        found = await ctx.call("dynamodb", "ListTagsOfResource", ResourceArn=arn)
        live["Tags"] = found["Tags"]
    return live


_KEYS = list_of(struct({"AttributeName": TEXT, "KeyType": TEXT}, "AttributeName", "KeyType"))
_PROJECTION = struct({"ProjectionType": TEXT, "NonKeyAttributes": list_of(TEXT)})
_PROVISIONED = struct(
    {"ReadCapacityUnits": NUMBER, "WriteCapacityUnits": NUMBER},
    "ReadCapacityUnits",
    "WriteCapacityUnits",
)
_ON_DEMAND = struct({"MaxReadRequestUnits": NUMBER, "MaxWriteRequestUnits": NUMBER})
_WARM = struct({"ReadUnitsPerSecond": NUMBER, "WriteUnitsPerSecond": NUMBER})
LOCAL_INDEX = {"IndexName": TEXT, "KeySchema": _KEYS, "Projection": _PROJECTION}
_GLOBAL = {
    **LOCAL_INDEX,
    "ProvisionedThroughput": _PROVISIONED,
    "OnDemandThroughput": _ON_DEMAND,
    "WarmThroughput": _WARM,
    INSIGHTS: INSIGHTS_SPECIFICATION,
}

PROPERTIES = {
    "AttributeDefinitions": list_of(
        struct({"AttributeName": TEXT, "AttributeType": TEXT}, "AttributeName", "AttributeType")
    ),
    "BillingMode": TEXT,
    INSIGHTS: INSIGHTS_SPECIFICATION,
    "DeletionProtectionEnabled": FLAG,
    "GlobalSecondaryIndexes": list_of(struct(_GLOBAL, *LOCAL_INDEX)),
    "KeySchema": _KEYS,
    "LocalSecondaryIndexes": list_of(struct(LOCAL_INDEX, *LOCAL_INDEX)),
    "OnDemandThroughput": _ON_DEMAND,
    "PointInTimeRecoverySpecification": struct(
        {"PointInTimeRecoveryEnabled": FLAG, "RecoveryPeriodInDays": NUMBER}
    ),
    "ProvisionedThroughput": _PROVISIONED,
    "ResourcePolicy": struct({"PolicyDocument": JSON}, "PolicyDocument"),
    "SSESpecification": struct(
        {"SSEEnabled": FLAG, "SSEType": TEXT, "KMSMasterKeyId": TEXT}, "SSEEnabled"
    ),
    "StreamSpecification": struct({"StreamViewType": TEXT}, "StreamViewType"),
    "TableClass": TEXT,
    "TableName": TEXT,
    "Tags": TAGS,
    "TimeToLiveSpecification": struct({"AttributeName": TEXT, "Enabled": FLAG}, "Enabled"),
    "WarmThroughput": _WARM,
}

TABLE = ResourceType(
    "AWS::DynamoDB::Table",
    struct(PROPERTIES, "KeySchema"),
    create=create_table,
    update=update_table,
    delete=delete_table,
    read=read_table,
    replace_on=frozenset({"TableName", "KeySchema", "LocalSecondaryIndexes"}),
    attributes=frozenset({"Arn", "StreamArn"}),
)
