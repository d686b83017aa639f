"""AWS::ApiGatewayV2::Stage and Deployment.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-stage.html
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
    map_of,
    struct,
)
from cumulet.services.apigateway.resources.told import unless_gone
from cumulet.services.apigateway.v2.limits import THROTTLE_BURST, THROTTLE_RATE
from cumulet.services.apigateway.v2.resources.told import (
    SERVICE,
    chosen,
    emptied,
    is_conflict,
    update_tags,
)

_SETTINGS = struct(
    {
        "DataTraceEnabled": FLAG,
        "DetailedMetricsEnabled": FLAG,
        "LoggingLevel": TEXT,
        "ThrottlingBurstLimit": NUMBER,
        "ThrottlingRateLimit": NUMBER,
    }
)
_NAMES = (
    "AccessLogSettings",
    "AutoDeploy",
    "DefaultRouteSettings",
    "DeploymentId",
    "Description",
    "RouteSettings",
    "StageVariables",
)
_USUAL_SETTINGS = {
    "DataTraceEnabled": False,
    "DetailedMetricsEnabled": False,
    "LoggingLevel": "OFF",
    "ThrottlingBurstLimit": THROTTLE_BURST,
    "ThrottlingRateLimit": THROTTLE_RATE,
}
"""What a setting is that a template no longer gives."""


def _place(props: Props) -> dict[str, str]:
    return {"ApiId": props["ApiId"], "StageName": props["StageName"]}


async def _create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    request = chosen(props, (*_NAMES, "Tags"))
    try:
        await ctx.call(SERVICE, "CreateStage", **_place(props), **request)
    except AwsError as error:
        if not (draft.resumed and is_conflict(error)):
            raise
        return await _update(ctx, props["StageName"], {}, props, draft)
    return Provisioned(props["StageName"])


async def _update(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    place, request = _place(new), chosen(new, _NAMES)
    request["StageVariables"] = emptied(old.get("StageVariables"), new.get("StageVariables"))
    before = old.get("DefaultRouteSettings") or {}
    after = new.get("DefaultRouteSettings") or {}
    gone = {name: _USUAL_SETTINGS[name] for name in before if name not in after}
    request["DefaultRouteSettings"] = {**gone, **after}
    if "AutoDeploy" in old and "AutoDeploy" not in request:
        request["AutoDeploy"] = False
    if "Description" in old and "Description" not in request:
        request["Description"] = ""
    for key in set(old.get("RouteSettings") or {}) - set(new.get("RouteSettings") or {}):
        await unless_gone(ctx.call(SERVICE, "DeleteRouteSettings", **place, RouteKey=key))
    if old.get("AccessLogSettings") and not new.get("AccessLogSettings"):
        await ctx.call(SERVICE, "DeleteAccessLogSettings", **place)
    await ctx.call(SERVICE, "UpdateStage", **place, **request)
    await update_tags(ctx, f"/apis/{new['ApiId']}/stages/{physical_id}", old, new)
    return Provisioned(physical_id)


async def _delete(ctx: Context, physical_id: str, props: Props) -> None:
    await unless_gone(ctx.call(SERVICE, "DeleteStage", **_place(props)))


async def _read(ctx: Context, physical_id: str, props: Props) -> Props | None:
    found = await unless_gone(ctx.call(SERVICE, "GetStage", **_place(props)))
    return None if found is None else chosen(found, (*_NAMES, "Tags"))


STAGE = ResourceType(
    "AWS::ApiGatewayV2::Stage",
    struct(
        {
            "AccessLogSettings": struct({"DestinationArn": TEXT, "Format": TEXT}),
            "ApiId": TEXT,
            "AutoDeploy": FLAG,
            "DefaultRouteSettings": _SETTINGS,
            "DeploymentId": TEXT,
            "Description": TEXT,
            "RouteSettings": map_of(_SETTINGS),
            "StageName": TEXT,
            "StageVariables": map_of(TEXT),
            "Tags": map_of(TEXT),
        },
        "ApiId",
        "StageName",
    ),
    create=_create,
    update=_update,
    delete=_delete,
    read=_read,
    replace_on=frozenset({"ApiId", "StageName"}),
)


async def _create_deployment(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    request = chosen(props, ("Description", "StageName"))
    made = await ctx.call(SERVICE, "CreateDeployment", ApiId=props["ApiId"], **request)
    return _told(made)


def _told(deployment: dict[str, Any]) -> Provisioned:
    made_id = deployment["DeploymentId"]
    return Provisioned(made_id, {"DeploymentId": made_id})


async def _update_deployment(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    changed = await ctx.call(
        SERVICE,
        "UpdateDeployment",
        ApiId=new["ApiId"],
        DeploymentId=physical_id,
        Description=new.get("Description") or "",
    )
    if new.get("StageName") and new.get("StageName") != old.get("StageName"):
        place = {"ApiId": new["ApiId"], "StageName": new["StageName"]}
        await ctx.call(SERVICE, "UpdateStage", **place, DeploymentId=physical_id)
    return _told(changed)


async def _delete_deployment(ctx: Context, physical_id: str, props: Props) -> None:
    """Remove it, unless a stage that the stack leaves alone still serves it."""
    place = {"ApiId": props["ApiId"], "DeploymentId": physical_id}
    try:
        await unless_gone(ctx.call(SERVICE, "DeleteDeployment", **place))
    except AwsError as error:
        if "Active stages" not in error.message or not props.get("StageName"):
            raise


DEPLOYMENT = ResourceType(
    "AWS::ApiGatewayV2::Deployment",
    struct({"ApiId": TEXT, "Description": TEXT, "StageName": TEXT}, "ApiId"),
    create=_create_deployment,
    update=_update_deployment,
    delete=_delete_deployment,
    replace_on=frozenset({"ApiId"}),
    attributes=frozenset({"DeploymentId"}),
)
