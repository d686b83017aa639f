"""AWS::ApiGateway::DocumentationPart and AWS::ApiGateway::DocumentationVersion.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-documentationpart.html
"""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import TEXT, Draft, Props, Provisioned, ResourceType, struct
from cumulet.services.apigateway.resources.told import SERVICE, changes, members, patch, unless_gone

_LOCATION = {
    "Type": "type",
    "Path": "path",
    "Method": "method",
    "StatusCode": "statusCode",
    "Name": "name",
}


async def _create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    location = members(props["Location"], _LOCATION)
    try:
        made = await ctx.call(
            SERVICE,
            "CreateDocumentationPart",
            restApiId=props["RestApiId"],
            location=location,
            properties=props["Properties"],
        )
    except AwsError as error:
        if error.code != "ConflictException" or not draft.resumed:
            raise
        made = await _same(ctx, props["RestApiId"], location)
    return _made(made["id"])


async def _same(ctx: Context, api_id: str, location: dict[str, Any]) -> dict[str, Any]:
    """The part of this location; what the location leaves open, it has by default."""
    listed = await ctx.call(
        SERVICE, "GetDocumentationParts", restApiId=api_id, type=location["type"], limit=500
    )
    found: dict[str, Any] = next(
        one for one in listed["items"] if location.items() <= one["location"].items()
    )
    return found


def _made(part_id: str) -> Provisioned:
    return Provisioned(part_id, {"DocumentationPartId": part_id})


async def _update(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    if new["Properties"] != old["Properties"]:
        await ctx.call(
            SERVICE,
            "UpdateDocumentationPart",
            restApiId=new["RestApiId"],
            documentationPartId=physical_id,
            patchOperations=[patch("replace", "/properties", new["Properties"])],
        )
    return _made(physical_id)


async def _delete(ctx: Context, physical_id: str, props: Props) -> None:
    await unless_gone(
        ctx.call(
            SERVICE,
            "DeleteDocumentationPart",
            restApiId=props["RestApiId"],
            documentationPartId=physical_id,
        )
    )


PART = ResourceType(
    "AWS::ApiGateway::DocumentationPart",
    struct(
        {
            "RestApiId": TEXT,
            "Location": struct(dict.fromkeys(_LOCATION, TEXT), "Type"),
            "Properties": TEXT,
        },
        "RestApiId",
        "Location",
        "Properties",
    ),
    create=_create,
    update=_update,
    delete=_delete,
    replace_on=frozenset({"RestApiId", "Location"}),
    attributes=frozenset({"DocumentationPartId"}),
)


async def _create_version(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    try:
        await ctx.call(
            SERVICE,
            "CreateDocumentationVersion",
            restApiId=props["RestApiId"],
            documentationVersion=props["DocumentationVersion"],
            **members(props, {"Description": "description"}),
        )
    except AwsError as error:
        if error.code != "ConflictException" or not draft.resumed:
            raise
    return Provisioned(props["DocumentationVersion"])


async def _update_version(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    if operations := changes(old, new, {"Description": "/description"}):
        await ctx.call(
            SERVICE,
            "UpdateDocumentationVersion",
            restApiId=new["RestApiId"],
            documentationVersion=physical_id,
            patchOperations=operations,
        )
    return Provisioned(physical_id)


async def _delete_version(ctx: Context, physical_id: str, props: Props) -> None:
    await unless_gone(
        ctx.call(
            SERVICE,
            "DeleteDocumentationVersion",
            restApiId=props["RestApiId"],
            documentationVersion=physical_id,
        )
    )


VERSION = ResourceType(
    "AWS::ApiGateway::DocumentationVersion",
    struct(
        {"RestApiId": TEXT, "DocumentationVersion": TEXT, "Description": TEXT},
        "RestApiId",
        "DocumentationVersion",
    ),
    create=_create_version,
    update=_update_version,
    delete=_delete_version,
    replace_on=frozenset({"RestApiId", "DocumentationVersion"}),
)
