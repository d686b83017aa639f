"""AWS::ApiGateway::Deployment and AWS::ApiGateway::Stage.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-stage.html
"""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import (
    FLAG,
    TAGS,
    TEXT,
    Draft,
    Props,
    Provisioned,
    ResourceType,
    map_of,
    struct,
)
from cumulet.services.apigateway.resources.told import (
    SERVICE,
    changes,
    escaped,
    members,
    patch,
    tags_of,
    unless_gone,
    update_tags,
)


async def _create_deployment(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    request = members(props, {"Description": "description", "StageName": "stageName"})
    request |= members(
        props.get("StageDescription") or {},
        {
            "Description": "stageDescription",
            "Variables": "variables",
            "TracingEnabled": "tracingEnabled",
        },
    )
    made = await ctx.call(SERVICE, "CreateDeployment", restApiId=props["RestApiId"], **request)
    return Provisioned(made["id"], {"DeploymentId": made["id"]})


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
            "StageDescription": struct(
                {"Description": TEXT, "Variables": map_of(TEXT), "TracingEnabled": FLAG}
            ),
        },
        "RestApiId",
    ),
    create=_create_deployment,
    update=_update_deployment,
    delete=_delete_deployment,
    replace_on=frozenset({"RestApiId", "StageName", "StageDescription"}),
    attributes=frozenset({"DeploymentId"}),
)


async def _create_stage(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    name = props.get("StageName") or draft.name(128).replace("-", "_")
    request: dict[str, Any] = {
        "restApiId": props["RestApiId"],
        "stageName": name,
        "deploymentId": props["DeploymentId"],
        **members(
            props,
            {
                "Description": "description",
                "Variables": "variables",
                "TracingEnabled": "tracingEnabled",
            },
        ),
    }
    if tags := tags_of(props):
        request["tags"] = tags
    try:
        await ctx.call(SERVICE, "CreateStage", **request)
    except AwsError as error:
        if error.code != "ConflictException":
            raise
        # A stage of this deployment was made by this step before a kill.
        found = await ctx.call(SERVICE, "GetStage", restApiId=props["RestApiId"], stageName=name)
        if found["deploymentId"] != props["DeploymentId"]:
            raise
    return Provisioned(name)


async def _update_stage(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    operations = changes(
        old,
        new,
        {
            "DeploymentId": "/deploymentId",
            "Description": "/description",
            "TracingEnabled": "/tracingEnabled",
        },
    )
    before, after = old.get("Variables") or {}, new.get("Variables") or {}
    for name in before.keys() - after.keys():
        operations.append(patch("remove", f"/variables/{escaped(name)}"))
    for name, value in after.items():
        if before.get(name) != value:
            operations.append(patch("add", f"/variables/{escaped(name)}", value))
    if operations:
        await ctx.call(
            SERVICE,
            "UpdateStage",
            restApiId=new["RestApiId"],
            stageName=physical_id,
            patchOperations=operations,
        )
    await update_tags(ctx, f"/restapis/{new['RestApiId']}/stages/{physical_id}", old, new)
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
    return members(
        found,
        {
            "deploymentId": "DeploymentId",
            "description": "Description",
            "variables": "Variables",
            "tracingEnabled": "TracingEnabled",
        },
    )


STAGE = ResourceType(
    "AWS::ApiGateway::Stage",
    struct(
        {
            "RestApiId": TEXT,
            "DeploymentId": TEXT,
            "StageName": TEXT,
            "Description": TEXT,
            "Variables": map_of(TEXT),
            "TracingEnabled": FLAG,
            "Tags": TAGS,
        },
        "RestApiId",
        "DeploymentId",
    ),
    create=_create_stage,
    update=_update_stage,
    delete=_delete_stage,
    read=_read_stage,
    replace_on=frozenset({"RestApiId", "StageName"}),
)
