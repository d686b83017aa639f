"""AWS::ApiGateway::GatewayResponse.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-gatewayresponse.html
"""

from __future__ import annotations

from cumulet.core.context import Context
from cumulet.kit.resources import TEXT, Draft, Props, Provisioned, ResourceType, map_of, struct
from cumulet.services.apigateway.resources.told import SERVICE, members, unless_gone

_MEMBERS = {
    "StatusCode": "statusCode",
    "ResponseParameters": "responseParameters",
    "ResponseTemplates": "responseTemplates",
}


async def _put(ctx: Context, props: Props) -> Provisioned:
    api_id, kind = props["RestApiId"], props["ResponseType"]
    await ctx.call(
        SERVICE,
        "PutGatewayResponse",
        restApiId=api_id,
        responseType=kind,
        **members(props, _MEMBERS),
    )
    return Provisioned(f"{api_id}|{kind}", {"Id": f"{api_id}|{kind}"})


async def _create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    return await _put(ctx, props)


async def _update(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    return await _put(ctx, new)


async def _delete(ctx: Context, physical_id: str, props: Props) -> None:
    await unless_gone(
        ctx.call(
            SERVICE,
            "DeleteGatewayResponse",
            restApiId=props["RestApiId"],
            responseType=props["ResponseType"],
        )
    )


async def _read(ctx: Context, physical_id: str, props: Props) -> Props | None:
    found = await unless_gone(
        ctx.call(
            SERVICE,
            "GetGatewayResponse",
            restApiId=props["RestApiId"],
            responseType=props["ResponseType"],
        )
    )
    if found is None or found["defaultResponse"]:
        return None
    return members(found, {to: name for name, to in _MEMBERS.items()})


GATEWAY_RESPONSE = ResourceType(
    "AWS::ApiGateway::GatewayResponse",
    struct(
        {
            "ResponseParameters": map_of(TEXT),
            "ResponseTemplates": map_of(TEXT),
            "ResponseType": TEXT,
            "RestApiId": TEXT,
            "StatusCode": TEXT,
        },
        "ResponseType",
        "RestApiId",
    ),
    create=_create,
    update=_update,
    delete=_delete,
    read=_read,
    replace_on=frozenset({"RestApiId", "ResponseType"}),
    attributes=frozenset({"Id"}),
)
