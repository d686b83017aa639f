"""AWS::ApiGateway::RestApi and AWS::ApiGateway::Account.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-restapi.html
"""

from __future__ import annotations

import json
from typing import Any

from cumulet.core.context import Context
from cumulet.kit.resources import (
    FLAG,
    JSON,
    NUMBER,
    TAGS,
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
from cumulet.services.apigateway.limits import DOCUMENT_BYTES_MAX
from cumulet.services.apigateway.operations.rest_api import ORIGIN_TAG
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

_PATHS = {
    "Name": "/name",
    "Description": "/description",
    "ApiKeySourceType": "/apiKeySource",
    "DisableExecuteApiEndpoint": "/disableExecuteApiEndpoint",
    "MinimumCompressionSize": "/minimumCompressionSize",
    "Policy": "/policy",
}


async def _create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    body = await _body(ctx, props)
    name = props.get("Name") or _title(body)
    if not name:
        raise BadRequestException("Name or Body must be given")
    request = members(
        props,
        {
            "Description": "description",
            "CloneFrom": "cloneFrom",
            "BinaryMediaTypes": "binaryMediaTypes",
            "MinimumCompressionSize": "minimumCompressionSize",
            "ApiKeySourceType": "apiKeySource",
            "DisableExecuteApiEndpoint": "disableExecuteApiEndpoint",
        },
    )
    if props.get("Policy"):
        request["policy"] = json.dumps(props["Policy"])
    if "EndpointConfiguration" in props:
        request["endpointConfiguration"] = _endpoint(props)
    request["tags"] = {**tags_of(props), ORIGIN_TAG: f"{draft.stack_id}/{draft.token}"}
    api = await ctx.call(SERVICE, "CreateRestApi", name=name, **request)
    if body is not None:
        await _put(ctx, api["id"], props, body)
        await _correct(ctx, api["id"], {}, props)
    return _told(api)


def _told(api: dict[str, Any]) -> Provisioned:
    return Provisioned(api["id"], {"RootResourceId": api["rootResourceId"], "RestApiId": api["id"]})


def _endpoint(props: Props) -> dict[str, Any]:
    return members(
        props["EndpointConfiguration"], {"Types": "types", "IpAddressType": "ipAddressType"}
    )


async def _body(ctx: Context, props: Props) -> bytes | None:
    """The OpenAPI document, from the template or from a bucket."""
    if props.get("Body"):
        return json.dumps(props["Body"]).encode()
    place = props.get("BodyS3Location")
    if not place:
        return None
    request = members(place, {"Bucket": "Bucket", "Key": "Key", "Version": "VersionId"})
    answer = await ctx.call("s3", "GetObject", **request)
    content = answer["Body"]
    if isinstance(content, bytes):
        return content
    parts: list[bytes] = []
    size = 0
    async for part in content:
        size += len(part)
        if size > DOCUMENT_BYTES_MAX:
            raise BadRequestException(f"The document is larger than {DOCUMENT_BYTES_MAX} bytes.")
        parts.append(part)
    return b"".join(parts)


def _title(body: bytes | None) -> str | None:
    try:
        document = json.loads(body or b"{}")
    except ValueError:
        return "imported"
    info = document.get("info") if isinstance(document, dict) else None
    return info.get("title") if isinstance(info, dict) else None


async def _put(ctx: Context, api_id: str, props: Props, body: bytes) -> None:
    await ctx.call(
        SERVICE,
        "PutRestApi",
        restApiId=api_id,
        mode=props.get("Mode") or "overwrite",
        failOnWarnings=bool(props.get("FailOnWarnings")),
        parameters=dict(props.get("Parameters") or {}),
        body=body,
    )


async def _correct(ctx: Context, api_id: str, old: Props, new: Props) -> None:
    """Let the properties of the template win over what the document says."""
    shown = {**new, "Policy": json.dumps(new["Policy"]) if new.get("Policy") else None}
    before = {**old, "Policy": json.dumps(old["Policy"]) if old.get("Policy") else None}
    operations = changes(before, shown, _PATHS)
    api = await ctx.call(SERVICE, "GetRestApi", restApiId=api_id)
    wanted = list(new.get("BinaryMediaTypes") or ())
    present = list(api.get("binaryMediaTypes") or ())
    operations += [
        patch("add", f"/binaryMediaTypes/{escaped(kind)}") for kind in wanted if kind not in present
    ]
    operations += [
        patch("remove", f"/binaryMediaTypes/{escaped(kind)}")
        for kind in old.get("BinaryMediaTypes") or ()
        if kind not in wanted
    ]
    for kind in (new.get("EndpointConfiguration") or {}).get("Types") or ():
        if kind not in api["endpointConfiguration"]["types"]:
            operations.append(patch("replace", "/endpointConfiguration/types/0", kind))
    if operations:
        await ctx.call(SERVICE, "UpdateRestApi", restApiId=api_id, patchOperations=operations)


async def _update(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    body = await _body(ctx, new)
    if body is not None:
        await _put(ctx, physical_id, new, body)
        # The document has overwritten the settings, so all that the template says is said again.
        said = dict.fromkeys(new)
        await _correct(ctx, physical_id, {**old, **said}, new)
    else:
        await _correct(ctx, physical_id, old, new)
    await update_tags(ctx, f"/restapis/{physical_id}", old, new)
    return _told(await ctx.call(SERVICE, "GetRestApi", restApiId=physical_id))


async def _delete(ctx: Context, physical_id: str, props: Props) -> None:
    await unless_gone(ctx.call(SERVICE, "DeleteRestApi", restApiId=physical_id))


async def _read(ctx: Context, physical_id: str, props: Props) -> Props | None:
    api = await unless_gone(ctx.call(SERVICE, "GetRestApi", restApiId=physical_id))
    if api is None:
        return None
    return members(
        api,
        {
            "name": "Name",
            "description": "Description",
            "binaryMediaTypes": "BinaryMediaTypes",
            "minimumCompressionSize": "MinimumCompressionSize",
            "apiKeySource": "ApiKeySourceType",
            "disableExecuteApiEndpoint": "DisableExecuteApiEndpoint",
        },
    )


REST_API = ResourceType(
    "AWS::ApiGateway::RestApi",
    struct(
        {
            "ApiKeySourceType": TEXT,
            "BinaryMediaTypes": list_of(TEXT),
            "Body": JSON,
            "BodyS3Location": struct({"Bucket": TEXT, "Key": TEXT, "Version": TEXT, "ETag": TEXT}),
            "CloneFrom": TEXT,
            "Description": TEXT,
            "DisableExecuteApiEndpoint": FLAG,
            "EndpointConfiguration": struct({"Types": list_of(TEXT), "IpAddressType": TEXT}),
            "FailOnWarnings": FLAG,
            "MinimumCompressionSize": NUMBER,
            "Mode": TEXT,
            "Name": TEXT,
            "Parameters": map_of(TEXT),
            "Policy": JSON,
            "Tags": TAGS,
        }
    ),
    create=_create,
    update=_update,
    delete=_delete,
    read=_read,
    replace_on=frozenset({"CloneFrom"}),
    attributes=frozenset({"RootResourceId", "RestApiId"}),
)


async def _set_account(ctx: Context, role: str) -> None:
    await ctx.call(
        SERVICE, "UpdateAccount", patchOperations=[patch("replace", "/cloudwatchRoleArn", role)]
    )


async def _create_account(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    await _set_account(ctx, props.get("CloudWatchRoleArn") or "")
    return Provisioned(draft.name(), {"Id": draft.name()})


async def _update_account(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    await _set_account(ctx, new.get("CloudWatchRoleArn") or "")
    return Provisioned(physical_id, {"Id": physical_id})


async def _delete_account(ctx: Context, physical_id: str, props: Props) -> None:
    account = await ctx.call(SERVICE, "GetAccount")
    role = props.get("CloudWatchRoleArn")
    if role and account.get("cloudwatchRoleArn") == role:
        await _set_account(ctx, "")


ACCOUNT = ResourceType(
    "AWS::ApiGateway::Account",
    struct({"CloudWatchRoleArn": TEXT}),
    create=_create_account,
    update=_update_account,
    delete=_delete_account,
    attributes=frozenset({"Id"}),
)
