"""CloudFormation types of CloudWatch Logs.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Logs.html
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import (
    FLAG,
    NUMBER,
    TAGS,
    TEXT,
    Draft,
    PartlyMade,
    Props,
    Provisioned,
    ResourceType,
    struct,
)
from cumulet.services.cloudwatch.model import group_arn


def _group(ctx: Context, name: str) -> Provisioned:
    return Provisioned(name, {"Arn": group_arn(ctx.scope, name)})


def _tags(props: Props) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in props.get("Tags", [])}


async def _create_group(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    name = props.get("LogGroupName") or draft.name(512)
    request: dict[str, Any] = {"logGroupName": name}
    if tags := _tags(props):
        request["tags"] = tags
    if "LogGroupClass" in props:
        request["logGroupClass"] = props["LogGroupClass"]
    if props.get("DeletionProtectionEnabled"):
        request["deletionProtectionEnabled"] = True
    try:
        await ctx.call("logs", "CreateLogGroup", **request)
    except AwsError as error:
        # What exists was made by this step before a kill, unless the template took its name.
        given = "LogGroupName" in props and not draft.resumed
        if error.code != "ResourceAlreadyExistsException" or given:
            raise
    made = _group(ctx, name)
    if days := props.get("RetentionInDays"):
        try:
            await ctx.call("logs", "PutRetentionPolicy", logGroupName=name, retentionInDays=days)
        except AwsError as error:
            raise PartlyMade(name, made.attributes) from error
    return made


async def _update_group(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    if days := new.get("RetentionInDays"):
        await ctx.call("logs", "PutRetentionPolicy", logGroupName=physical_id, retentionInDays=days)
    elif old.get("RetentionInDays"):
        await ctx.call("logs", "DeleteRetentionPolicy", logGroupName=physical_id)
    protected = bool(new.get("DeletionProtectionEnabled"))
    if protected != bool(old.get("DeletionProtectionEnabled")):
        await ctx.call(
            "logs",
            "PutLogGroupDeletionProtection",
            logGroupIdentifier=physical_id,
            deletionProtectionEnabled=protected,
        )
    arn = group_arn(ctx.scope, physical_id).removesuffix(":*")
    before, after = _tags(old), _tags(new)
    if gone := [key for key in before if key not in after]:
        await ctx.call("logs", "UntagResource", resourceArn=arn, tagKeys=gone)
    if after and after != before:
        await ctx.call("logs", "TagResource", resourceArn=arn, tags=after)
    return _group(ctx, physical_id)


async def _delete_group(ctx: Context, physical_id: str, props: Props) -> None:
    await _unless_gone(lambda: ctx.call("logs", "DeleteLogGroup", logGroupName=physical_id))


async def _read_group(ctx: Context, physical_id: str, props: Props) -> Props | None:
    found = await ctx.call("logs", "DescribeLogGroups", logGroupNamePrefix=physical_id)
    for group in found["logGroups"]:
        if group["logGroupName"] == physical_id:
            shown = {"LogGroupName": physical_id, "LogGroupClass": group["logGroupClass"]}
            if "retentionInDays" in group:
                shown["RetentionInDays"] = group["retentionInDays"]
            if "DeletionProtectionEnabled" in props:
                shown["DeletionProtectionEnabled"] = group["deletionProtectionEnabled"]
            arn = group["logGroupArn"]
            tags = (await ctx.call("logs", "ListTagsForResource", resourceArn=arn))["tags"]
            if tags:
                shown["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
            return shown
    return None


async def _create_stream(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    name = props.get("LogStreamName") or draft.name(512)
    try:
        await ctx.call(
            "logs", "CreateLogStream", logGroupName=props["LogGroupName"], logStreamName=name
        )
    except AwsError as error:
        given = "LogStreamName" in props and not draft.resumed
        if error.code != "ResourceAlreadyExistsException" or given:
            raise
    return Provisioned(name)


async def _delete_stream(ctx: Context, physical_id: str, props: Props) -> None:
    group = props["LogGroupName"]
    await _unless_gone(
        lambda: ctx.call("logs", "DeleteLogStream", logGroupName=group, logStreamName=physical_id)
    )


async def _unless_gone(act: Callable[[], Awaitable[Any]]) -> None:
    try:
        await act()
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise


RESOURCES = (
    ResourceType(
        "AWS::Logs::LogGroup",
        struct(
            {
                "LogGroupName": TEXT,
                "RetentionInDays": NUMBER,
                "LogGroupClass": TEXT,
                "DeletionProtectionEnabled": FLAG,
                "Tags": TAGS,
            }
        ),
        create=_create_group,
        update=_update_group,
        delete=_delete_group,
        read=_read_group,
        replace_on=frozenset({"LogGroupName", "LogGroupClass"}),
        attributes=frozenset({"Arn"}),
    ),
    ResourceType(
        "AWS::Logs::LogStream",
        struct({"LogGroupName": TEXT, "LogStreamName": TEXT}, "LogGroupName"),
        create=_create_stream,
        delete=_delete_stream,
        replace_on=frozenset({"LogGroupName", "LogStreamName"}),
    ),
)
