"""CloudFormation types of alarms.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_CloudWatch.html
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
    Props,
    Provisioned,
    ResourceType,
    list_of,
    struct,
)
from cumulet.services.cloudwatch.alarms.model import alarm_arn

_DIMENSIONS = list_of(struct({"Name": TEXT, "Value": TEXT}, "Name", "Value"))
_METRIC = struct({"Namespace": TEXT, "MetricName": TEXT, "Dimensions": _DIMENSIONS})
_STAT = struct(
    {"Metric": _METRIC, "Period": NUMBER, "Stat": TEXT, "Unit": TEXT}, "Metric", "Period", "Stat"
)
_QUERY = struct(
    {
        "Id": TEXT,
        "MetricStat": _STAT,
        "Expression": TEXT,
        "Label": TEXT,
        "ReturnData": FLAG,
        "Period": NUMBER,
        "AccountId": TEXT,
    },
    "Id",
)
_ACTIONS = {
    "ActionsEnabled": FLAG,
    "AlarmActions": list_of(TEXT),
    "OKActions": list_of(TEXT),
    "InsufficientDataActions": list_of(TEXT),
    "AlarmDescription": TEXT,
    "AlarmName": TEXT,
    "Tags": TAGS,
}


def _request(name: str, props: Props) -> dict[str, Any]:
    request = {key: value for key, value in props.items() if key not in ("AlarmName", "Tags")}
    return {**request, "AlarmName": name}


async def _put_metric(ctx: Context, name: str, props: Props, **more: Any) -> None:
    await ctx.call("cloudwatch", "PutMetricAlarm", **_request(name, props), **more)


async def _put_composite(ctx: Context, name: str, props: Props, **more: Any) -> None:
    await ctx.call("cloudwatch", "PutCompositeAlarm", **_request(name, props), **more)


def _made(ctx: Context, name: str) -> Provisioned:
    return Provisioned(name, {"Arn": alarm_arn(ctx.scope, name)})


def _verbs(kind: str, put: Callable[..., Awaitable[None]]) -> dict[str, Any]:
    """The four verbs of an alarm's type."""

    async def create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
        name = props.get("AlarmName") or draft.name(255)
        if not draft.resumed and await _find(ctx, name, kind) is not None:
            raise AwsError(f"{name} already exists in stack", code="AlreadyExists")
        tags = props.get("Tags")
        await put(ctx, name, props, **({"Tags": tags} if tags else {}))
        return _made(ctx, name)

    async def update(
        ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
    ) -> Provisioned:
        await put(ctx, physical_id, new)
        await _retag(ctx, physical_id, old, new)
        return _made(ctx, physical_id)

    async def delete(ctx: Context, physical_id: str, props: Props) -> None:
        try:
            await ctx.call("cloudwatch", "DeleteAlarms", AlarmNames=[physical_id])
        except AwsError as error:
            if error.code != "ResourceNotFound":
                raise

    async def read(ctx: Context, physical_id: str, props: Props) -> Props | None:
        found = await _find(ctx, physical_id, kind)
        if found is None:
            return None
        return {key: found[key] for key in props if key in found}

    return {"create": create, "update": update, "delete": delete, "read": read}


async def _find(ctx: Context, name: str, kind: str) -> dict[str, Any] | None:
    answer = await ctx.call("cloudwatch", "DescribeAlarms", AlarmNames=[name], AlarmTypes=[kind])
    found: list[dict[str, Any]] = answer[f"{kind}s"]
    return found[0] if found else None


async def _retag(ctx: Context, name: str, old: Props, new: Props) -> None:
    before = {tag["Key"]: tag["Value"] for tag in old.get("Tags", [])}
    after = {tag["Key"]: tag["Value"] for tag in new.get("Tags", [])}
    arn = alarm_arn(ctx.scope, name)
    if gone := [key for key in before if key not in after]:
        await ctx.call("cloudwatch", "UntagResource", ResourceARN=arn, TagKeys=gone)
    if after and after != before:
        await ctx.call("cloudwatch", "TagResource", ResourceARN=arn, Tags=new["Tags"])


RESOURCES = (
    ResourceType(
        "AWS::CloudWatch::Alarm",
        struct(
            {
                **_ACTIONS,
                "ComparisonOperator": TEXT,
                "DatapointsToAlarm": NUMBER,
                "Dimensions": _DIMENSIONS,
                "EvaluateLowSampleCountPercentile": TEXT,
                "EvaluationPeriods": NUMBER,
                "ExtendedStatistic": TEXT,
                "MetricName": TEXT,
                "Metrics": list_of(_QUERY),
                "Namespace": TEXT,
                "Period": NUMBER,
                "Statistic": TEXT,
                "Threshold": NUMBER,
                "ThresholdMetricId": TEXT,
                "TreatMissingData": TEXT,
                "Unit": TEXT,
            },
            "ComparisonOperator",
        ),
        replace_on=frozenset({"AlarmName"}),
        attributes=frozenset({"Arn"}),
        **_verbs("MetricAlarm", _put_metric),
    ),
    ResourceType(
        "AWS::CloudWatch::CompositeAlarm",
        struct(
            {
                **_ACTIONS,
                "AlarmRule": TEXT,
                "ActionsSuppressor": TEXT,
                "ActionsSuppressorWaitPeriod": NUMBER,
                "ActionsSuppressorExtensionPeriod": NUMBER,
            },
            "AlarmRule",
        ),
        replace_on=frozenset({"AlarmName"}),
        attributes=frozenset({"Arn"}),
        **_verbs("CompositeAlarm", _put_composite),
    ),
)
