"""AWS::ApiGatewayV2::Route, Integration, Authorizer and Model.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-route.html
"""

from __future__ import annotations

import json
from typing import Any

from cumulet.core.context import Context
from cumulet.kit.resources import (
    FLAG,
    JSON,
    NUMBER,
    TEXT,
    Draft,
    Kind,
    Props,
    Provisioned,
    ResourceType,
    list_of,
    map_of,
    struct,
)
from cumulet.services.apigateway.v2.resources.told import Part, chosen

_OWNER = ("ApiId",)
PARAMETERS = map_of(struct({"Required": FLAG}, "Required"))


def typed(name: str, part: Part, kinds: dict[str, Kind], *required: str) -> ResourceType:
    """The type of a part that is told as it is."""
    return ResourceType(
        name,
        struct(kinds, *required),
        create=part.create,
        update=part.update,
        delete=part.delete,
        read=part.read,
        replace_on=frozenset(part.owners),
        attributes=frozenset({part.id_name}),
    )


_ROUTE_KINDS: dict[str, Kind] = {
    "ApiId": TEXT,
    "ApiKeyRequired": FLAG,
    "AuthorizationScopes": list_of(TEXT),
    "AuthorizationType": TEXT,
    "AuthorizerId": TEXT,
    "ModelSelectionExpression": TEXT,
    "OperationName": TEXT,
    "RequestModels": map_of(TEXT),
    "RequestParameters": PARAMETERS,
    "RouteKey": TEXT,
    "RouteResponseSelectionExpression": TEXT,
    "Target": TEXT,
}
_ROUTE = Part(
    "Route",
    _OWNER,
    tuple(name for name in _ROUTE_KINDS if name != "ApiId"),
    {
        "ApiKeyRequired": False,
        "AuthorizationScopes": [],
        "AuthorizationType": "NONE",
        "RequestModels": {},
    },
    ("RouteKey",),
)
ROUTE = typed("AWS::ApiGatewayV2::Route", _ROUTE, _ROUTE_KINDS, "ApiId", "RouteKey")

_AUTHORIZER_KINDS: dict[str, Kind] = {
    "ApiId": TEXT,
    "AuthorizerCredentialsArn": TEXT,
    "AuthorizerPayloadFormatVersion": TEXT,
    "AuthorizerResultTtlInSeconds": NUMBER,
    "AuthorizerType": TEXT,
    "AuthorizerUri": TEXT,
    "EnableSimpleResponses": FLAG,
    "IdentitySource": list_of(TEXT),
    "IdentityValidationExpression": TEXT,
    "JwtConfiguration": struct({"Audience": list_of(TEXT), "Issuer": TEXT}),
    "Name": TEXT,
}
_AUTHORIZER = Part(
    "Authorizer",
    _OWNER,
    tuple(name for name in _AUTHORIZER_KINDS if name != "ApiId"),
    {"AuthorizerResultTtlInSeconds": 0, "EnableSimpleResponses": False, "IdentitySource": []},
    ("Name",),
)


async def _create_authorizer(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    return await _AUTHORIZER.create(ctx, {"IdentitySource": [], **props}, draft)


AUTHORIZER = ResourceType(
    "AWS::ApiGatewayV2::Authorizer",
    struct(_AUTHORIZER_KINDS, "ApiId", "AuthorizerType", "Name"),
    create=_create_authorizer,
    update=_AUTHORIZER.update,
    delete=_AUTHORIZER.delete,
    read=_AUTHORIZER.read,
    replace_on=frozenset({"ApiId"}),
    attributes=frozenset({"AuthorizerId"}),
)

_INTEGRATION_KINDS: dict[str, Kind] = {
    "ApiId": TEXT,
    "ConnectionType": TEXT,
    "ContentHandlingStrategy": TEXT,
    "CredentialsArn": TEXT,
    "Description": TEXT,
    "IntegrationMethod": TEXT,
    "IntegrationSubtype": TEXT,
    "IntegrationType": TEXT,
    "IntegrationUri": TEXT,
    "PassthroughBehavior": TEXT,
    "PayloadFormatVersion": TEXT,
    "RequestParameters": map_of(TEXT),
    "RequestTemplates": map_of(TEXT),
    "ResponseParameters": map_of(
        struct(
            {
                "ResponseParameters": list_of(
                    struct({"Destination": TEXT, "Source": TEXT}, "Destination", "Source")
                )
            }
        )
    ),
    "TemplateSelectionExpression": TEXT,
    "TimeoutInMillis": NUMBER,
}
_INTEGRATION = Part(
    "Integration",
    _OWNER,
    tuple(name for name in _INTEGRATION_KINDS if name != "ApiId"),
    {"RequestTemplates": {}, "TimeoutInMillis": 0},
    (
        "IntegrationType",
        "IntegrationUri",
        "IntegrationSubtype",
        "Description",
        "RequestParameters",
        "RequestTemplates",
    ),
)


def _as_members(props: Props) -> dict[str, Any]:
    """The properties with the response parameters as the operations have them."""
    given = dict(props)
    if "ResponseParameters" in given:
        given["ResponseParameters"] = {
            status: {
                one["Destination"]: one["Source"] for one in listed.get("ResponseParameters") or ()
            }
            for status, listed in given["ResponseParameters"].items()
        }
    return given


async def _create_integration(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    return await _INTEGRATION.create(ctx, _as_members(props), draft)


async def _update_integration(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    before, after = _as_members(old), _as_members(new)
    gone = set(before.get("ResponseParameters") or {}) - set(after.get("ResponseParameters") or {})
    if gone or "ResponseParameters" in after:
        after["ResponseParameters"] = {
            **{status: {} for status in gone},
            **(after.get("ResponseParameters") or {}),
        }
    if before.get("RequestParameters") and "RequestParameters" not in after:
        after["RequestParameters"] = {}
    return await _INTEGRATION.update(ctx, physical_id, before, after, draft)


async def _read_integration(ctx: Context, physical_id: str, props: Props) -> Props | None:
    found = await _INTEGRATION.read(ctx, physical_id, props)
    if found is None:
        return None
    shown = dict(found)
    if "ResponseParameters" in shown:
        shown["ResponseParameters"] = {
            status: {
                "ResponseParameters": [
                    {"Destination": name, "Source": text} for name, text in changes.items()
                ]
            }
            for status, changes in shown["ResponseParameters"].items()
        }
    return shown


INTEGRATION = ResourceType(
    "AWS::ApiGatewayV2::Integration",
    struct(_INTEGRATION_KINDS, "ApiId", "IntegrationType"),
    create=_create_integration,
    update=_update_integration,
    delete=_INTEGRATION.delete,
    read=_read_integration,
    replace_on=frozenset({"ApiId"}),
    attributes=frozenset({"IntegrationId"}),
)

_MODEL_NAMES = ("ContentType", "Description", "Name", "Schema")
_MODEL = Part("Model", _OWNER, _MODEL_NAMES, {"ContentType": "application/json"}, ("Name",))


def _with_text(props: Props) -> dict[str, Any]:
    return {**props, "Schema": json.dumps(props.get("Schema") or {})}


async def _create_model(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    return await _MODEL.create(ctx, _with_text(props), draft)


async def _update_model(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    return await _MODEL.update(ctx, physical_id, _with_text(old), _with_text(new), draft)


async def _read_model(ctx: Context, physical_id: str, props: Props) -> Props | None:
    found = await _MODEL.read(ctx, physical_id, props)
    return None if found is None else chosen(found, ("ContentType", "Description", "Name"))


MODEL = ResourceType(
    "AWS::ApiGatewayV2::Model",
    struct(
        {"ApiId": TEXT, "ContentType": TEXT, "Description": TEXT, "Name": TEXT, "Schema": JSON},
        "ApiId",
        "Name",
        "Schema",
    ),
    create=_create_model,
    update=_update_model,
    delete=_MODEL.delete,
    read=_read_model,
    replace_on=frozenset({"ApiId"}),
    attributes=frozenset({"ModelId"}),
)
