"""AWS::ApiGateway::Resource, Method, Model and RequestValidator.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-method.html
"""

from __future__ import annotations

import json
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import (
    FLAG,
    JSON,
    NUMBER,
    TEXT,
    Draft,
    Props,
    Provisioned,
    ResourceType,
    list_of,
    map_of,
    struct,
)
from cumulet.services.apigateway.limits import PAGE_MAX
from cumulet.services.apigateway.resources.told import (
    SERVICE,
    changes,
    members,
    patch,
    unless_gone,
)


async def _create_resource(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    api_id, parent, part = props["RestApiId"], props["ParentId"], props["PathPart"]
    try:
        made = await ctx.call(
            SERVICE, "CreateResource", restApiId=api_id, parentId=parent, pathPart=part
        )
    except AwsError as error:
        found = await _unused_resource(ctx, api_id, parent, part)
        if error.code != "ConflictException" or found is None:
            raise
        made = found
    return Provisioned(made["id"], {"ResourceId": made["id"]})


async def _unused_resource(
    ctx: Context, api_id: str, parent: str, part: str
) -> dict[str, Any] | None:
    """What an earlier try of this step made: nothing can be on it yet."""
    found = await ctx.call(SERVICE, "GetResources", restApiId=api_id, limit=PAGE_MAX)
    taken = {node.get("parentId") for node in found["items"]}
    for node in found["items"]:
        is_same = (node.get("parentId"), node.get("pathPart")) == (parent, part)
        if is_same and node["id"] not in taken and not node.get("resourceMethods"):
            return dict(node)
    return None


async def _delete_resource(ctx: Context, physical_id: str, props: Props) -> None:
    await unless_gone(
        ctx.call(SERVICE, "DeleteResource", restApiId=props["RestApiId"], resourceId=physical_id)
    )


async def _read_resource(ctx: Context, physical_id: str, props: Props) -> Props | None:
    found = await unless_gone(
        ctx.call(SERVICE, "GetResource", restApiId=props["RestApiId"], resourceId=physical_id)
    )
    return (
        None if found is None else members(found, {"pathPart": "PathPart", "parentId": "ParentId"})
    )


RESOURCE = ResourceType(
    "AWS::ApiGateway::Resource",
    struct(
        {"ParentId": TEXT, "PathPart": TEXT, "RestApiId": TEXT}, "ParentId", "PathPart", "RestApiId"
    ),
    create=_create_resource,
    delete=_delete_resource,
    read=_read_resource,
    attributes=frozenset({"ResourceId"}),
)


def _place(props: Props) -> dict[str, Any]:
    return {
        "restApiId": props["RestApiId"],
        "resourceId": props["ResourceId"],
        "httpMethod": props["HttpMethod"],
    }


async def _put_method(ctx: Context, props: Props) -> None:
    """Make the method anew, as the template says."""
    place = _place(props)
    await unless_gone(ctx.call(SERVICE, "DeleteMethod", **place))
    await ctx.call(
        SERVICE,
        "PutMethod",
        **place,
        authorizationType=props.get("AuthorizationType") or "NONE",
        **members(
            props,
            {
                "ApiKeyRequired": "apiKeyRequired",
                "AuthorizerId": "authorizerId",
                "AuthorizationScopes": "authorizationScopes",
                "OperationName": "operationName",
                "RequestModels": "requestModels",
                "RequestParameters": "requestParameters",
                "RequestValidatorId": "requestValidatorId",
            },
        ),
    )
    for response in props.get("MethodResponses") or ():
        given = members(
            response,
            {"ResponseModels": "responseModels", "ResponseParameters": "responseParameters"},
        )
        await ctx.call(
            SERVICE, "PutMethodResponse", **place, statusCode=response["StatusCode"], **given
        )
    if props.get("Integration"):
        await _put_integration(ctx, place, props["Integration"])


_INTEGRATION = {
    "IntegrationHttpMethod": "integrationHttpMethod",
    "Uri": "uri",
    "Credentials": "credentials",
    "RequestParameters": "requestParameters",
    "RequestTemplates": "requestTemplates",
    "PassthroughBehavior": "passthroughBehavior",
    "ContentHandling": "contentHandling",
    "TimeoutInMillis": "timeoutInMillis",
    "CacheKeyParameters": "cacheKeyParameters",
    "CacheNamespace": "cacheNamespace",
    "ConnectionType": "connectionType",
    "ConnectionId": "connectionId",
    "ResponseTransferMode": "responseTransferMode",
}
_RESPONSE = {
    "SelectionPattern": "selectionPattern",
    "ResponseParameters": "responseParameters",
    "ResponseTemplates": "responseTemplates",
    "ContentHandling": "contentHandling",
}


async def _put_integration(ctx: Context, place: dict[str, Any], given: Props) -> None:
    await ctx.call(
        SERVICE, "PutIntegration", **place, type=given["Type"], **members(given, _INTEGRATION)
    )
    for response in given.get("IntegrationResponses") or ():
        await ctx.call(
            SERVICE,
            "PutIntegrationResponse",
            **place,
            statusCode=response["StatusCode"],
            **members(response, _RESPONSE),
        )


async def _create_method(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    await _put_method(ctx, props)
    return Provisioned(f"{props['RestApiId']}|{props['ResourceId']}|{props['HttpMethod']}")


async def _update_method(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    await _put_method(ctx, new)
    return Provisioned(physical_id)


async def _delete_method(ctx: Context, physical_id: str, props: Props) -> None:
    await unless_gone(ctx.call(SERVICE, "DeleteMethod", **_place(props)))


async def _read_method(ctx: Context, physical_id: str, props: Props) -> Props | None:
    found = await unless_gone(ctx.call(SERVICE, "GetMethod", **_place(props)))
    if found is None:
        return None
    return members(
        found,
        {
            "authorizationType": "AuthorizationType",
            "authorizerId": "AuthorizerId",
            "authorizationScopes": "AuthorizationScopes",
            "apiKeyRequired": "ApiKeyRequired",
            "operationName": "OperationName",
        },
    )


METHOD = ResourceType(
    "AWS::ApiGateway::Method",
    struct(
        {
            "ApiKeyRequired": FLAG,
            "AuthorizationType": TEXT,
            "AuthorizerId": TEXT,
            "AuthorizationScopes": list_of(TEXT),
            "HttpMethod": TEXT,
            "Integration": struct(
                {
                    "Type": TEXT,
                    **dict.fromkeys(_INTEGRATION, TEXT),
                    "RequestParameters": map_of(TEXT),
                    "RequestTemplates": map_of(TEXT),
                    "CacheKeyParameters": list_of(TEXT),
                    "TimeoutInMillis": NUMBER,
                    "IntegrationResponses": list_of(
                        struct(
                            {
                                "StatusCode": TEXT,
                                **dict.fromkeys(_RESPONSE, TEXT),
                                "ResponseParameters": map_of(TEXT),
                                "ResponseTemplates": map_of(TEXT),
                            },
                            "StatusCode",
                        )
                    ),
                },
                "Type",
            ),
            "MethodResponses": list_of(
                struct(
                    {
                        "StatusCode": TEXT,
                        "ResponseModels": map_of(TEXT),
                        "ResponseParameters": map_of(FLAG),
                    },
                    "StatusCode",
                )
            ),
            "OperationName": TEXT,
            "RequestModels": map_of(TEXT),
            "RequestParameters": map_of(FLAG),
            "RequestValidatorId": TEXT,
            "ResourceId": TEXT,
            "RestApiId": TEXT,
        },
        "HttpMethod",
        "ResourceId",
        "RestApiId",
    ),
    create=_create_method,
    update=_update_method,
    delete=_delete_method,
    read=_read_method,
    replace_on=frozenset({"HttpMethod", "ResourceId", "RestApiId"}),
)


async def _create_model(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    name = props.get("Name") or draft.name(64).replace("-", "")
    request = {
        "restApiId": props["RestApiId"],
        "name": name,
        "contentType": props.get("ContentType") or "application/json",
        "schema": json.dumps(props.get("Schema") or {}),
        **members(props, {"Description": "description"}),
    }
    try:
        await ctx.call(SERVICE, "CreateModel", **request)
    except AwsError as error:
        # A name of ours that exists was made by this step before a kill; a given one was not.
        if error.code != "ConflictException" or "Name" in props:
            raise
    return Provisioned(name)


async def _update_model(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    operations = changes(old, new, {"Description": "/description"})
    if new.get("Schema") != old.get("Schema"):
        operations.append(patch("replace", "/schema", json.dumps(new.get("Schema") or {})))
    await ctx.call(
        SERVICE,
        "UpdateModel",
        restApiId=new["RestApiId"],
        modelName=physical_id,
        patchOperations=operations,
    )
    return Provisioned(physical_id)


async def _delete_model(ctx: Context, physical_id: str, props: Props) -> None:
    await unless_gone(
        ctx.call(SERVICE, "DeleteModel", restApiId=props["RestApiId"], modelName=physical_id)
    )


MODEL = ResourceType(
    "AWS::ApiGateway::Model",
    struct(
        {
            "RestApiId": TEXT,
            "Name": TEXT,
            "ContentType": TEXT,
            "Schema": JSON,
            "Description": TEXT,
        },
        "RestApiId",
    ),
    create=_create_model,
    update=_update_model,
    delete=_delete_model,
    replace_on=frozenset({"RestApiId", "Name", "ContentType"}),
)


async def _create_validator(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    name = props.get("Name") or draft.name(64)
    made = await ctx.call(
        SERVICE,
        "CreateRequestValidator",
        restApiId=props["RestApiId"],
        name=name,
        validateRequestBody=bool(props.get("ValidateRequestBody")),
        validateRequestParameters=bool(props.get("ValidateRequestParameters")),
    )
    return Provisioned(made["id"], {"RequestValidatorId": made["id"]})


async def _update_validator(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    paths = {
        "ValidateRequestBody": "/validateRequestBody",
        "ValidateRequestParameters": "/validateRequestParameters",
    }
    await ctx.call(
        SERVICE,
        "UpdateRequestValidator",
        restApiId=new["RestApiId"],
        requestValidatorId=physical_id,
        patchOperations=changes(old, new, paths),
    )
    return Provisioned(physical_id, {"RequestValidatorId": physical_id})


async def _delete_validator(ctx: Context, physical_id: str, props: Props) -> None:
    await unless_gone(
        ctx.call(
            SERVICE,
            "DeleteRequestValidator",
            restApiId=props["RestApiId"],
            requestValidatorId=physical_id,
        )
    )


VALIDATOR = ResourceType(
    "AWS::ApiGateway::RequestValidator",
    struct(
        {
            "RestApiId": TEXT,
            "Name": TEXT,
            "ValidateRequestBody": FLAG,
            "ValidateRequestParameters": FLAG,
        },
        "RestApiId",
    ),
    create=_create_validator,
    update=_update_validator,
    delete=_delete_validator,
    replace_on=frozenset({"RestApiId", "Name"}),
    attributes=frozenset({"RequestValidatorId"}),
)
