"""CloudFormation types of what looks at log groups: filters and saved queries.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Logs.html
"""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import (
    FLAG,
    NUMBER,
    TEXT,
    Draft,
    Props,
    Provisioned,
    ResourceType,
    list_of,
    struct,
)

_DIMENSION = struct({"Key": TEXT, "Value": TEXT}, "Key", "Value")
_TRANSFORMATION = struct(
    {
        "MetricName": TEXT,
        "MetricNamespace": TEXT,
        "MetricValue": TEXT,
        "DefaultValue": NUMBER,
        "Dimensions": list_of(_DIMENSION),
        "Unit": TEXT,
    },
    "MetricName",
    "MetricNamespace",
    "MetricValue",
)


def _transformation(given: Props) -> dict[str, Any]:
    told = {key[0].lower() + key[1:]: value for key, value in given.items()}
    if "dimensions" in told:
        told["dimensions"] = {one["Key"]: one["Value"] for one in told["dimensions"]}
    return told


async def _put_metric_filter(ctx: Context, name: str, props: Props) -> Provisioned:
    more = {"applyOnTransformedLogs": True} if props.get("ApplyOnTransformedLogs") else {}
    await ctx.call(
        "logs",
        "PutMetricFilter",
        logGroupName=props["LogGroupName"],
        filterName=name,
        filterPattern=props["FilterPattern"],
        metricTransformations=[_transformation(one) for one in props["MetricTransformations"]],
        **more,
    )
    return Provisioned(name)


async def _create_metric_filter(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    return await _put_metric_filter(ctx, props.get("FilterName") or draft.name(512), props)


async def _update_metric_filter(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    return await _put_metric_filter(ctx, physical_id, new)


async def _delete_metric_filter(ctx: Context, physical_id: str, props: Props) -> None:
    await _drop(ctx, "DeleteMetricFilter", props["LogGroupName"], physical_id)


async def _drop(ctx: Context, operation: str, group: str, name: str) -> None:
    try:
        await ctx.call("logs", operation, logGroupName=group, filterName=name)
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise


async def _put_subscription(ctx: Context, name: str, props: Props) -> Provisioned:
    optional = {"RoleArn": "roleArn", "Distribution": "distribution"}
    more = {word: props[key] for key, word in optional.items() if key in props}
    if props.get("ApplyOnTransformedLogs"):
        more["applyOnTransformedLogs"] = True
    await ctx.call(
        "logs",
        "PutSubscriptionFilter",
        logGroupName=props["LogGroupName"],
        filterName=name,
        filterPattern=props["FilterPattern"],
        destinationArn=props["DestinationArn"],
        **more,
    )
    return Provisioned(name)


async def _create_subscription(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    return await _put_subscription(ctx, props.get("FilterName") or draft.name(512), props)


async def _update_subscription(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    return await _put_subscription(ctx, physical_id, new)


async def _delete_subscription(ctx: Context, physical_id: str, props: Props) -> None:
    await _drop(ctx, "DeleteSubscriptionFilter", props["LogGroupName"], physical_id)


async def _put_query(ctx: Context, props: Props, **more: Any) -> Provisioned:
    answer = await ctx.call(
        "logs",
        "PutQueryDefinition",
        name=props["Name"],
        queryString=props["QueryString"],
        logGroupNames=props.get("LogGroupNames") or [],
        **more,
    )
    uid = answer["queryDefinitionId"]
    return Provisioned(uid, {"QueryDefinitionId": uid})


async def _create_query(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    if draft.resumed:
        found = await ctx.call(
            "logs", "DescribeQueryDefinitions", queryDefinitionNamePrefix=props["Name"]
        )
        for one in found["queryDefinitions"]:
            if one["name"] == props["Name"]:
                return await _put_query(ctx, props, queryDefinitionId=one["queryDefinitionId"])
    return await _put_query(ctx, props)


async def _update_query(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    return await _put_query(ctx, new, queryDefinitionId=physical_id)


async def _delete_query(ctx: Context, physical_id: str, props: Props) -> None:
    try:
        await ctx.call("logs", "DeleteQueryDefinition", queryDefinitionId=physical_id)
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise


RESOURCES = (
    ResourceType(
        "AWS::Logs::QueryDefinition",
        struct(
            {"Name": TEXT, "QueryString": TEXT, "LogGroupNames": list_of(TEXT)},
            "Name",
            "QueryString",
        ),
        create=_create_query,
        update=_update_query,
        delete=_delete_query,
        attributes=frozenset({"QueryDefinitionId"}),
    ),
    ResourceType(
        "AWS::Logs::MetricFilter",
        struct(
            {
                "FilterName": TEXT,
                "FilterPattern": TEXT,
                "LogGroupName": TEXT,
                "MetricTransformations": list_of(_TRANSFORMATION),
                "ApplyOnTransformedLogs": FLAG,
            },
            "FilterPattern",
            "LogGroupName",
            "MetricTransformations",
        ),
        create=_create_metric_filter,
        update=_update_metric_filter,
        delete=_delete_metric_filter,
        replace_on=frozenset({"FilterName", "LogGroupName"}),
    ),
    ResourceType(
        "AWS::Logs::SubscriptionFilter",
        struct(
            {
                "FilterName": TEXT,
                "FilterPattern": TEXT,
                "LogGroupName": TEXT,
                "DestinationArn": TEXT,
                "RoleArn": TEXT,
                "Distribution": TEXT,
                "ApplyOnTransformedLogs": FLAG,
            },
            "FilterPattern",
            "LogGroupName",
            "DestinationArn",
        ),
        create=_create_subscription,
        update=_update_subscription,
        delete=_delete_subscription,
        replace_on=frozenset({"FilterName", "LogGroupName"}),
    ),
)
