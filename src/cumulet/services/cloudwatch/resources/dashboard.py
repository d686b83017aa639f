"""The CloudFormation type of dashboards.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-dashboard.html
"""

from __future__ import annotations

import json

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import JSON, TEXT, Draft, Props, Provisioned, ResourceType, struct


async def _put(ctx: Context, name: str, props: Props) -> Provisioned:
    body = props["DashboardBody"]
    text = body if isinstance(body, str) else json.dumps(body)
    await ctx.call("cloudwatch", "PutDashboard", DashboardName=name, DashboardBody=text)
    return Provisioned(name)


async def _create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    return await _put(ctx, props.get("DashboardName") or draft.name(255), props)


async def _update(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    return await _put(ctx, physical_id, new)


async def _delete(ctx: Context, physical_id: str, props: Props) -> None:
    try:
        await ctx.call("cloudwatch", "DeleteDashboards", DashboardNames=[physical_id])
    except AwsError as error:
        if error.code != "DashboardNotFoundError":
            raise


RESOURCES = (
    ResourceType(
        "AWS::CloudWatch::Dashboard",
        struct({"DashboardName": TEXT, "DashboardBody": JSON}, "DashboardBody"),
        create=_create,
        update=_update,
        delete=_delete,
        replace_on=frozenset({"DashboardName"}),
    ),
)
