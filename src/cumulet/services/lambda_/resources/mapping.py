"""The CloudFormation type of event source mappings.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html
"""

from __future__ import annotations

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

_SETTINGS = {
    "BatchSize": NUMBER,
    "BisectBatchOnFunctionError": FLAG,
    "DestinationConfig": struct({"OnFailure": struct({"Destination": TEXT})}),
    "Enabled": FLAG,
    "FilterCriteria": struct({"Filters": list_of(struct({"Pattern": TEXT}))}),
    "FunctionName": TEXT,
    "FunctionResponseTypes": list_of(TEXT),
    "MaximumBatchingWindowInSeconds": NUMBER,
    "MaximumRecordAgeInSeconds": NUMBER,
    "MaximumRetryAttempts": NUMBER,
    "ParallelizationFactor": NUMBER,
    "ScalingConfig": struct({"MaximumConcurrency": NUMBER}),
    "TumblingWindowInSeconds": NUMBER,
}
_CLEARED: dict[str, Any] = {
    "BisectBatchOnFunctionError": False,
    "DestinationConfig": {"OnFailure": {}},
    "Enabled": True,
    "FilterCriteria": {},
    "FunctionResponseTypes": [],
    "MaximumBatchingWindowInSeconds": 0,
    "MaximumRecordAgeInSeconds": -1,
    "MaximumRetryAttempts": -1,
    "ParallelizationFactor": 1,
    "ScalingConfig": {},
    "TumblingWindowInSeconds": 0,
}
_STACK_TAG = "aws:cloudformation:stack-id"
_LOGICAL_TAG = "aws:cloudformation:logical-id"


def _made(ctx: Context, uuid: str) -> Provisioned:
    arn = ctx.scope.arn("lambda", f"event-source-mapping:{uuid}")
    return Provisioned(uuid, {"Id": uuid, "EventSourceMappingArn": arn})


async def _create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    own = {_STACK_TAG: draft.stack_id, _LOGICAL_TAG: draft.logical_id}
    tags = {tag["Key"]: tag["Value"] for tag in props.get("Tags", [])}
    request = {key: value for key, value in props.items() if key != "Tags"}
    try:
        made = await ctx.call("lambda", "CreateEventSourceMapping", **request, Tags={**tags, **own})
    except AwsError as error:
        if error.code != "ResourceConflictException" or not draft.resumed:
            raise
        # An earlier try of this step made it, and was cut off before it could say so.
        return _made(ctx, error.message.rpartition(" ")[2])
    return _made(ctx, made["UUID"])


async def _update(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    gone = {key: value for key, value in _CLEARED.items() if key in old and key not in new}
    changed = {key: value for key, value in new.items() if key in _SETTINGS}
    await ctx.call("lambda", "UpdateEventSourceMapping", UUID=physical_id, **gone, **changed)
    return _made(ctx, physical_id)


async def _delete(ctx: Context, physical_id: str, props: Props) -> None:
    try:
        await ctx.call("lambda", "DeleteEventSourceMapping", UUID=physical_id)
    except AwsError as error:
        if error.code != "ResourceNotFoundException":
            raise


async def _read(ctx: Context, physical_id: str, props: Props) -> Props | None:
    try:
        found = await ctx.call("lambda", "GetEventSourceMapping", UUID=physical_id)
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            return None
        raise
    live = {key: found[key] for key in (*_SETTINGS, "EventSourceArn") if key in found}
    return {**live, "Enabled": found["State"] == "Enabled"}


RESOURCE = ResourceType(
    "AWS::Lambda::EventSourceMapping",
    struct(
        {**_SETTINGS, "EventSourceArn": TEXT, "StartingPosition": TEXT, "Tags": TAGS},
        "FunctionName",
        "EventSourceArn",
    ),
    create=_create,
    update=_update,
    delete=_delete,
    read=_read,
    replace_on=frozenset({"EventSourceArn", "StartingPosition", "Tags"}),
    attributes=frozenset({"Id", "EventSourceMappingArn"}),
)
