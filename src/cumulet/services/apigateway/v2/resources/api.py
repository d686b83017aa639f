"""AWS::ApiGatewayV2::Api.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-api.html
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
    Props,
    Provisioned,
    ResourceType,
    list_of,
    map_of,
    struct,
)
from cumulet.services.apigateway.errors import BadRequestException
from cumulet.services.apigateway.operations.rest_api import ORIGIN_TAG
from cumulet.services.apigateway.resources.told import unless_gone
from cumulet.services.apigateway.v2.limits import DOCUMENT_BYTES_MAX
from cumulet.services.apigateway.v2.resources.told import SERVICE, chosen, update_tags

_SETTINGS = (
    "ApiKeySelectionExpression",
    "CorsConfiguration",
    "Description",
    "DisableExecuteApiEndpoint",
    "DisableSchemaValidation",
    "IpAddressType",
    "Name",
    "RouteSelectionExpression",
    "Version",
)
_QUICK = ("CredentialsArn", "RouteKey", "Target")
_ABSENT = {"DisableExecuteApiEndpoint": False, "DisableSchemaValidation": False}


async def _create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    body = await _body(ctx, props)
    tags = {**(props.get("Tags") or {}), ORIGIN_TAG: f"{draft.stack_id}/{draft.token}"}
    request = chosen(props, _SETTINGS if body is not None else (*_SETTINGS, *_QUICK))
    if body is None and not (props.get("Name") and props.get("ProtocolType")):
        raise BadRequestException("Name and ProtocolType, or Body, must be given")
    if props.get("ProtocolType", "HTTP") != "HTTP" and body is not None:
        raise BadRequestException("Body is supported only for HTTP APIs")
    # A document is read into an API that its name of the time being does not matter for.
    name = props.get("Name") or draft.name(128)
    protocol = props.get("ProtocolType") or "HTTP"
    given = {**request, "Name": name, "ProtocolType": protocol, "Tags": tags}
    made = await ctx.call(SERVICE, "CreateApi", **given)
    if body is not None:
        await _put(ctx, made["ApiId"], props, body)
        await _say_again(ctx, made["ApiId"], props)
    return _told(made)


def _told(api: dict[str, Any]) -> Provisioned:
    shown = {"ApiId": api["ApiId"], "ApiEndpoint": api["ApiEndpoint"]}
    return Provisioned(api["ApiId"], shown)


async def _body(ctx: Context, props: Props) -> str | None:
    """The OpenAPI document, from the template or from a bucket."""
    if props.get("Body"):
        return json.dumps(props["Body"])
    place = props.get("BodyS3Location")
    if not place:
        return None
    request = {"Bucket": place["Bucket"], "Key": place["Key"]}
    if place.get("Version"):
        request["VersionId"] = place["Version"]
    answer = await ctx.call("s3", "GetObject", **request)
    content = answer["Body"]
    if isinstance(content, bytes):
        return content.decode()
    parts: list[bytes] = []
    size = 0
    async for part in content:
        size += len(part)
        if size > DOCUMENT_BYTES_MAX:
            raise BadRequestException(f"The document is larger than {DOCUMENT_BYTES_MAX} bytes.")
        parts.append(part)
    return b"".join(parts).decode()


async def _put(ctx: Context, api_id: str, props: Props, body: str) -> None:
    request = {"Basepath": props["BasePath"]} if props.get("BasePath") else {}
    await ctx.call(
        SERVICE,
        "ReimportApi",
        ApiId=api_id,
        Body=body,
        FailOnWarnings=bool(props.get("FailOnWarnings")),
        **request,
    )


async def _say_again(ctx: Context, api_id: str, props: Props) -> None:
    """Let the properties of the template win over what the document says."""
    said = chosen(props, _SETTINGS)
    if said:
        await ctx.call(SERVICE, "UpdateApi", ApiId=api_id, **said)


async def _update(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    body = await _body(ctx, new)
    if body is not None:
        await _put(ctx, physical_id, new, body)
        await _say_again(ctx, physical_id, new)
    else:
        request = chosen(new, (*_SETTINGS, *_QUICK))
        for name in _SETTINGS:
            if name in old and name not in request and name not in ("CorsConfiguration", "Name"):
                request[name] = _ABSENT.get(name, "")
        for name in _QUICK:
            if old.get(name) == new.get(name):
                request.pop(name, None)
        await ctx.call(SERVICE, "UpdateApi", ApiId=physical_id, **request)
        if old.get("CorsConfiguration") and not new.get("CorsConfiguration"):
            await ctx.call(SERVICE, "DeleteCorsConfiguration", ApiId=physical_id)
    await update_tags(ctx, f"/apis/{physical_id}", old, new)
    return _told(await ctx.call(SERVICE, "GetApi", ApiId=physical_id))


async def _delete(ctx: Context, physical_id: str, props: Props) -> None:
    await unless_gone(ctx.call(SERVICE, "DeleteApi", ApiId=physical_id))


async def _read(ctx: Context, physical_id: str, props: Props) -> Props | None:
    found = await unless_gone(ctx.call(SERVICE, "GetApi", ApiId=physical_id))
    return None if found is None else chosen(found, (*_SETTINGS, "ProtocolType", "Tags"))


API = ResourceType(
    "AWS::ApiGatewayV2::Api",
    struct(
        {
            "ApiKeySelectionExpression": TEXT,
            "BasePath": TEXT,
            "Body": JSON,
            "BodyS3Location": struct(
                {"Bucket": TEXT, "Etag": TEXT, "Key": TEXT, "Version": TEXT}, "Bucket", "Key"
            ),
            "CorsConfiguration": struct(
                {
                    "AllowCredentials": FLAG,
                    "AllowHeaders": list_of(TEXT),
                    "AllowMethods": list_of(TEXT),
                    "AllowOrigins": list_of(TEXT),
                    "ExposeHeaders": list_of(TEXT),
                    "MaxAge": NUMBER,
                }
            ),
            "CredentialsArn": TEXT,
            "Description": TEXT,
            "DisableExecuteApiEndpoint": FLAG,
            "DisableSchemaValidation": FLAG,
            "FailOnWarnings": FLAG,
            "IpAddressType": TEXT,
            "Name": TEXT,
            "ProtocolType": TEXT,
            "RouteKey": TEXT,
            "RouteSelectionExpression": TEXT,
            "Tags": map_of(TEXT),
            "Target": TEXT,
            "Version": TEXT,
        }
    ),
    create=_create,
    update=_update,
    delete=_delete,
    read=_read,
    replace_on=frozenset({"ProtocolType"}),
    attributes=frozenset({"ApiId", "ApiEndpoint"}),
)
