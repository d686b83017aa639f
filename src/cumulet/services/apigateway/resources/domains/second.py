"""AWS::ApiGatewayV2::DomainName and AWS::ApiGatewayV2::ApiMapping.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-domainname.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import (
    TEXT,
    Draft,
    Props,
    Provisioned,
    ResourceType,
    list_of,
    map_of,
    struct,
)
from cumulet.services.apigateway.resources.told import unless_gone

_SERVICE = "apigatewayv2"


def _attributes(domain: Mapping[str, Any]) -> dict[str, Any]:
    configuration = domain["DomainNameConfigurations"][0]
    return {
        "RegionalDomainName": configuration["ApiGatewayDomainName"],
        "RegionalHostedZoneId": configuration["HostedZoneId"],
        "DomainNameArn": domain["DomainNameArn"],
    }


def _settings(props: Props) -> dict[str, Any]:
    return {
        name: props[name]
        for name in ("DomainNameConfigurations", "MutualTlsAuthentication")
        if props.get(name)
    }


async def _create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    request = {"DomainName": props["DomainName"], **_settings(props)}
    if props.get("Tags"):
        request["Tags"] = props["Tags"]
    try:
        made = await ctx.call(_SERVICE, "CreateDomainName", **request)
    except AwsError as error:
        if not draft.resumed or "already exists" not in error.message:
            raise
        made = await ctx.call(_SERVICE, "GetDomainName", DomainName=props["DomainName"])
    return Provisioned(made["DomainName"], _attributes(made))


async def _update(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    settings = _settings(new)
    if "MutualTlsAuthentication" in old and "MutualTlsAuthentication" not in settings:
        settings["MutualTlsAuthentication"] = {"TruststoreUri": ""}
    changed = await ctx.call(_SERVICE, "UpdateDomainName", DomainName=physical_id, **settings)
    before, after = old.get("Tags") or {}, new.get("Tags") or {}
    arn = changed["DomainNameArn"]
    if gone := [key for key in before if key not in after]:
        await ctx.call(_SERVICE, "UntagResource", ResourceArn=arn, TagKeys=gone)
    if after and after != before:
        await ctx.call(_SERVICE, "TagResource", ResourceArn=arn, Tags=after)
    return Provisioned(physical_id, _attributes(changed))


async def _delete(ctx: Context, physical_id: str, props: Props) -> None:
    await unless_gone(ctx.call(_SERVICE, "DeleteDomainName", DomainName=physical_id))


V2_DOMAIN_NAME = ResourceType(
    "AWS::ApiGatewayV2::DomainName",
    struct(
        {
            "DomainName": TEXT,
            "DomainNameConfigurations": list_of(
                struct(
                    {
                        "CertificateArn": TEXT,
                        "CertificateName": TEXT,
                        "EndpointType": TEXT,
                        "IpAddressType": TEXT,
                        "OwnershipVerificationCertificateArn": TEXT,
                        "SecurityPolicy": TEXT,
                    }
                )
            ),
            "MutualTlsAuthentication": struct({"TruststoreUri": TEXT, "TruststoreVersion": TEXT}),
            "Tags": map_of(TEXT),
        },
        "DomainName",
    ),
    create=_create,
    update=_update,
    delete=_delete,
    replace_on=frozenset({"DomainName"}),
    attributes=frozenset({"RegionalDomainName", "RegionalHostedZoneId", "DomainNameArn"}),
)


def _mapping(props: Props) -> dict[str, Any]:
    names = ("DomainName", "ApiId", "Stage", "ApiMappingKey")
    return {name: props[name] for name in names if props.get(name) is not None}


async def _create_mapping(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    try:
        made = await ctx.call(_SERVICE, "CreateApiMapping", **_mapping(props))
        mapping_id = made["ApiMappingId"]
    except AwsError as error:
        if error.code != "ConflictException" or not draft.resumed:
            raise
        found = await ctx.call(_SERVICE, "GetApiMappings", DomainName=props["DomainName"])
        key = props.get("ApiMappingKey") or ""
        mapping_id = next(
            one["ApiMappingId"] for one in found["Items"] if one["ApiMappingKey"] == key
        )
    return Provisioned(mapping_id, {"ApiMappingId": mapping_id})


async def _update_mapping(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    request = {"ApiMappingKey": "", **_mapping(new)}
    await ctx.call(_SERVICE, "UpdateApiMapping", ApiMappingId=physical_id, **request)
    return Provisioned(physical_id, {"ApiMappingId": physical_id})


async def _delete_mapping(ctx: Context, physical_id: str, props: Props) -> None:
    await unless_gone(
        ctx.call(
            _SERVICE,
            "DeleteApiMapping",
            DomainName=props["DomainName"],
            ApiMappingId=physical_id,
        )
    )


API_MAPPING = ResourceType(
    "AWS::ApiGatewayV2::ApiMapping",
    struct(
        {"DomainName": TEXT, "ApiId": TEXT, "Stage": TEXT, "ApiMappingKey": TEXT},
        "DomainName",
        "ApiId",
        "Stage",
    ),
    create=_create_mapping,
    update=_update_mapping,
    delete=_delete_mapping,
    replace_on=frozenset({"DomainName"}),
    attributes=frozenset({"ApiMappingId"}),
)
