"""AWS::ApiGateway::Deployment and AWS::ApiGateway::Stage.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-stage.html
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
    PartlyMade,
    Props,
    Provisioned,
    ResourceType,
    map_of,
    struct,
)
from cumulet.services.apigateway.resources.stage_settings import (
    STAGE_DESCRIPTION,
    STAGE_MEMBERS,
    canary_of,
    canary_patches,
    map_patches,
    patch_stage,
    settings_patches,
    with_whole_stage,
)
from cumulet.services.apigateway.resources.told import (
    SERVICE,
    changes,
    members,
    tags_of,
    unless_gone,
    update_tags,
)

_DESCRIBED = {
    "Description": "stageDescription",
    "Variables": "variables",
    "TracingEnabled": "tracingEnabled",
    "CacheClusterEnabled": "cacheClusterEnabled",
    "CacheClusterSize": "cacheClusterSize",
}


async def _create_deployment(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    api_id, name = props["RestApiId"], props.get("StageName")
    stage: Props = props.get("StageDescription") or {}
    request = members(props, {"Description": "description", "StageName": "stageName"})
    request |= members(stage, _DESCRIBED)
    if props.get("DeploymentCanarySettings"):
        request["canarySettings"] = canary_of(props["DeploymentCanarySettings"])
    made = await ctx.call(SERVICE, "CreateDeployment", restApiId=api_id, **request)
    deployed = Provisioned(made["id"], {"DeploymentId": made["id"]})
    if name is None:
        return deployed
    operations = settings_patches({}, with_whole_stage(stage), {})
    try:
        await patch_stage(ctx, api_id, name, operations)
        if tags := tags_of(stage):
            arn = f"arn:aws:apigateway:{ctx.scope.region}::/restapis/{api_id}/stages/{name}"
            await ctx.call(SERVICE, "TagResource", resourceArn=arn, tags=tags)
    except AwsError as error:
        raise PartlyMade(deployed.physical_id, deployed.attributes) from error
    return deployed


async def _update_deployment(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    operations = changes(old, new, {"Description": "/description"})
    if operations:
        await ctx.call(
            SERVICE,
            "UpdateDeployment",
            restApiId=new["RestApiId"],
            deploymentId=physical_id,
            patchOperations=operations,
        )
    return Provisioned(physical_id, {"DeploymentId": physical_id})


async def _delete_deployment(ctx: Context, physical_id: str, props: Props) -> None:
    """Remove it, with the stage that it made by name.

    One that another stage still serves stays: it goes with the API.
    """
    api_id = props["RestApiId"]
    stage = props.get("StageName")
    if stage is not None:
        found = await unless_gone(ctx.call(SERVICE, "GetStage", restApiId=api_id, stageName=stage))
        if found is not None and found["deploymentId"] == physical_id:
            await unless_gone(ctx.call(SERVICE, "DeleteStage", restApiId=api_id, stageName=stage))
    try:
        await unless_gone(
            ctx.call(SERVICE, "DeleteDeployment", restApiId=api_id, deploymentId=physical_id)
        )
    except AwsError as error:
        if error.code != "BadRequestException":
            raise


DEPLOYMENT = ResourceType(
    "AWS::ApiGateway::Deployment",
    struct(
        {
            "RestApiId": TEXT,
            "Description": TEXT,
            "StageName": TEXT,
            "DeploymentCanarySettings": struct(
                {
                    "PercentTraffic": NUMBER,
                    "StageVariableOverrides": map_of(TEXT),
                    "UseStageCache": FLAG,
                }
            ),
            "StageDescription": STAGE_DESCRIPTION,
        },
        "RestApiId",
    ),
    create=_create_deployment,
    update=_update_deployment,
    delete=_delete_deployment,
    replace_on=frozenset(
        {"RestApiId", "StageName", "StageDescription", "DeploymentCanarySettings"}
    ),
    attributes=frozenset({"DeploymentId"}),
)


async def _create_stage(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    name = props.get("StageName") or draft.name(128).replace("-", "_")
    api_id = props["RestApiId"]
    request: dict[str, Any] = {
        "restApiId": api_id,
        "stageName": name,
        "deploymentId": props["DeploymentId"],
        **members(props, _MEMBERS),
    }
    if props.get("CanarySetting"):
        request["canarySettings"] = canary_of(props["CanarySetting"])
    if tags := tags_of(props):
        request["tags"] = tags
    try:
        await ctx.call(SERVICE, "CreateStage", **request)
    except AwsError as error:
        if error.code != "ConflictException":
            raise
        # A stage of this deployment was made by this step before a kill.
        found = await ctx.call(SERVICE, "GetStage", restApiId=api_id, stageName=name)
        if found["deploymentId"] != props["DeploymentId"]:
            raise
    try:
        await patch_stage(ctx, api_id, name, settings_patches({}, props, {}))
    except AwsError as error:
        raise PartlyMade(name) from error
    return Provisioned(name)


_MEMBERS = {
    "Description": "description",
    "Variables": "variables",
    "TracingEnabled": "tracingEnabled",
    "CacheClusterEnabled": "cacheClusterEnabled",
    "CacheClusterSize": "cacheClusterSize",
    "DocumentationVersion": "documentationVersion",
}
_PATCHED = {name: f"/{member}" for name, member in _MEMBERS.items() if name != "Variables"}


async def _update_stage(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    api_id = new["RestApiId"]
    operations = changes(old, new, {"DeploymentId": "/deploymentId", **_PATCHED})
    operations += map_patches("/variables", old.get("Variables"), new.get("Variables"))
    found = await ctx.call(SERVICE, "GetStage", restApiId=api_id, stageName=physical_id)
    operations += canary_patches(old.get("CanarySetting"), new.get("CanarySetting"), found)
    operations += settings_patches(old, new, found.get("methodSettings") or {})
    await patch_stage(ctx, api_id, physical_id, operations)
    await update_tags(ctx, f"/restapis/{api_id}/stages/{physical_id}", old, new)
    return Provisioned(physical_id)


async def _delete_stage(ctx: Context, physical_id: str, props: Props) -> None:
    await unless_gone(
        ctx.call(SERVICE, "DeleteStage", restApiId=props["RestApiId"], stageName=physical_id)
    )


async def _read_stage(ctx: Context, physical_id: str, props: Props) -> Props | None:
    found = await unless_gone(
        ctx.call(SERVICE, "GetStage", restApiId=props["RestApiId"], stageName=physical_id)
    )
    if found is None:
        return None
    names = {member: name for name, member in _MEMBERS.items()}
    return members(
        found,
        {**names, "deploymentId": "DeploymentId", "clientCertificateId": "ClientCertificateId"},
    )


STAGE = ResourceType(
    "AWS::ApiGateway::Stage",
    struct(
        {"RestApiId": TEXT, "DeploymentId": TEXT, "StageName": TEXT, **STAGE_MEMBERS},
        "RestApiId",
        "DeploymentId",
    ),
    create=_create_stage,
    update=_update_stage,
    delete=_delete_stage,
    read=_read_stage,
    replace_on=frozenset({"RestApiId", "StageName"}),
)
