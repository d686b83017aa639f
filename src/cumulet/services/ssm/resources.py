"""The CloudFormation type of parameters.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-parameter.html
"""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import (
    TEXT,
    Draft,
    Props,
    Provisioned,
    ResourceType,
    map_of,
    struct,
)
from cumulet.services.ssm.errors import ValidationException

_STACK_TAG = "aws:cloudformation:stack-id"
_LOGICAL_TAG = "aws:cloudformation:logical-id"


async def _create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    name = props.get("Name") or draft.name(64)
    tags = {
        **props.get("Tags", {}),
        _STACK_TAG: draft.stack_id,
        _LOGICAL_TAG: draft.logical_id,
    }
    try:
        await ctx.call(
            "ssm",
            "PutParameter",
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            **_request(name, props),
        )
    except AwsError as error:
        if error.code != "ParameterAlreadyExists" or not await _is_ours(ctx, name, draft):
            raise
    return _made(name, props)


def _made(name: str, props: Props) -> Provisioned:
    return Provisioned(name, {"Type": props["Type"], "Value": props["Value"]})


def _request(name: str, props: Props) -> dict[str, Any]:
    if props["Type"] not in ("String", "StringList"):
        raise ValidationException(
            f"A stack can make parameters of type String and StringList, not {props['Type']}."
        )
    given = {key: value for key, value in props.items() if key not in ("Name", "Tags")}
    return {**given, "Name": name}


async def _is_ours(ctx: Context, name: str, draft: Draft) -> bool:
    found = await ctx.call("ssm", "ListTagsForResource", ResourceType="Parameter", ResourceId=name)
    tags = {tag["Key"]: tag["Value"] for tag in found["TagList"]}
    return (tags.get(_STACK_TAG), tags.get(_LOGICAL_TAG)) == (draft.stack_id, draft.logical_id)


async def _update(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    changed = {key: value for key, value in new.items() if key != "Tags"}
    if changed != {key: value for key, value in old.items() if key != "Tags"}:
        cleared = {key: "" for key in ("Description", "AllowedPattern") if key in old}
        await ctx.call(
            "ssm", "PutParameter", Overwrite=True, **{**cleared, **_request(physical_id, new)}
        )
    before, after = old.get("Tags", {}), new.get("Tags", {})
    who = {"ResourceType": "Parameter", "ResourceId": physical_id}
    if gone := [key for key in before if key not in after]:
        await ctx.call("ssm", "RemoveTagsFromResource", TagKeys=gone, **who)
    if after and after != before:
        tags = [{"Key": key, "Value": value} for key, value in after.items()]
        await ctx.call("ssm", "AddTagsToResource", Tags=tags, **who)
    return _made(physical_id, new)


async def _delete(ctx: Context, physical_id: str, props: Props) -> None:
    try:
        await ctx.call("ssm", "DeleteParameter", Name=physical_id)
    except AwsError as error:
        if error.code != "ParameterNotFound":
            raise


async def _read(ctx: Context, physical_id: str, props: Props) -> Props | None:
    filters = [{"Key": "Name", "Values": [physical_id]}]
    found = (await ctx.call("ssm", "DescribeParameters", ParameterFilters=filters))["Parameters"]
    if not found:
        return None
    value = await ctx.call("ssm", "GetParameter", Name=physical_id)
    who = {"ResourceType": "Parameter", "ResourceId": physical_id}
    tags = (await ctx.call("ssm", "ListTagsForResource", **who))["TagList"]
    live = {
        key: found[0][key]
        for key in ("Name", "Type", "Tier", "DataType", "Description", "AllowedPattern")
        if key in found[0]
    }
    own = {tag["Key"]: tag["Value"] for tag in tags if not tag["Key"].startswith("aws:")}
    return {**live, "Value": value["Parameter"]["Value"], "Tags": own}


RESOURCES = (
    ResourceType(
        "AWS::SSM::Parameter",
        struct(
            {
                "Name": TEXT,
                "Type": TEXT,
                "Value": TEXT,
                "Description": TEXT,
                "AllowedPattern": TEXT,
                "DataType": TEXT,
                "Tier": TEXT,
                "Tags": map_of(TEXT),
            },
            "Type",
            "Value",
        ),
        create=_create,
        update=_update,
        delete=_delete,
        read=_read,
        replace_on=frozenset({"Name"}),
        attributes=frozenset({"Type", "Value"}),
    ),
)
