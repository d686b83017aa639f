"""AWS::ApiGateway::DomainName and AWS::ApiGateway::BasePathMapping.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-domainname.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import (
    TAGS,
    TEXT,
    Draft,
    Props,
    Provisioned,
    ResourceType,
    list_of,
    struct,
)
from cumulet.services.apigateway.resources.told import (
    SERVICE,
    members,
    patch,
    tags_of,
    unless_gone,
    update_tags,
)

_MUTUAL = struct({"TruststoreUri": TEXT, "TruststoreVersion": TEXT})
_NONE = "(none)"


def _attributes(domain: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "RegionalDomainName": domain.get("regionalDomainName", ""),
        "RegionalHostedZoneId": domain.get("regionalHostedZoneId", ""),
        "DistributionDomainName": domain.get("distributionDomainName", ""),
        "DistributionHostedZoneId": domain.get("distributionHostedZoneId", ""),
        "DomainNameArn": domain["domainNameArn"],
    }


async def _create(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    request = members(
        props,
        {
            "DomainName": "domainName",
            "CertificateArn": "certificateArn",
            "RegionalCertificateArn": "regionalCertificateArn",
            "OwnershipVerificationCertificateArn": "ownershipVerificationCertificateArn",
            "SecurityPolicy": "securityPolicy",
        },
    )
    if endpoint := props.get("EndpointConfiguration"):
        request["endpointConfiguration"] = members(
            endpoint, {"Types": "types", "IpAddressType": "ipAddressType"}
        )
    if mutual := props.get("MutualTlsAuthentication"):
        request["mutualTlsAuthentication"] = members(mutual, _MUTUAL_MEMBERS)
    if tags := tags_of(props):
        request["tags"] = tags
    try:
        made = await ctx.call(SERVICE, "CreateDomainName", **request)
    except AwsError as error:
        if not draft.resumed or "already exists" not in error.message:
            raise
        made = await ctx.call(SERVICE, "GetDomainName", domainName=props["DomainName"])
    return Provisioned(made["domainName"], _attributes(made))


_MUTUAL_MEMBERS = {
    "TruststoreUri": "truststoreUri",
    "TruststoreVersion": "truststoreVersion",
}


async def _update(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    operations = [
        patch("replace", path, new[name])
        for name, path in {
            "CertificateArn": "/certificateArn",
            "RegionalCertificateArn": "/regionalCertificateArn",
            "SecurityPolicy": "/securityPolicy",
            "OwnershipVerificationCertificateArn": "/ownershipVerificationCertificateArn",
        }.items()
        if new.get(name) and new.get(name) != old.get(name)
    ]
    owner = "OwnershipVerificationCertificateArn"
    if old.get(owner) and not new.get(owner):
        operations.append(patch("remove", "/ownershipVerificationCertificateArn"))
    operations += _endpoint_patches(old, new) + _mutual_patches(old, new)
    if operations:
        await ctx.call(
            SERVICE, "UpdateDomainName", domainName=physical_id, patchOperations=operations
        )
    await update_tags(ctx, f"/domainnames/{physical_id}", old, new)
    found = await ctx.call(SERVICE, "GetDomainName", domainName=physical_id)
    return Provisioned(physical_id, _attributes(found))


def _endpoint_patches(old: Props, new: Props) -> list[dict[str, str]]:
    (before, old_address), (after, new_address) = _endpoint(old), _endpoint(new)
    found = []
    if before != after:
        found.append(patch("replace", f"/endpointConfiguration/types/{before}", after))
    if old_address != new_address:
        found.append(patch("replace", "/endpointConfiguration/ipAddressType", new_address))
    return found


def _endpoint(props: Props) -> tuple[str, str]:
    """The type and the kind of addresses, with their defaults."""
    endpoint = props.get("EndpointConfiguration") or {}
    types = endpoint.get("Types")
    return str(types[0]) if types else "EDGE", endpoint.get("IpAddressType") or "ipv4"


def _mutual_patches(old: Props, new: Props) -> list[dict[str, str]]:
    before, after = old.get("MutualTlsAuthentication"), new.get("MutualTlsAuthentication")
    if before == after:
        return []
    wanted = after or {}
    return [
        patch("replace", f"/mutualTlsAuthentication/{path}", wanted.get(name) or "")
        for name, path in _MUTUAL_MEMBERS.items()
    ]


async def _delete(ctx: Context, physical_id: str, props: Props) -> None:
    await unless_gone(ctx.call(SERVICE, "DeleteDomainName", domainName=physical_id))


async def _read(ctx: Context, physical_id: str, props: Props) -> Props | None:
    found = await unless_gone(ctx.call(SERVICE, "GetDomainName", domainName=physical_id))
    if found is None:
        return None
    return members(
        found,
        {
            "domainName": "DomainName",
            "certificateArn": "CertificateArn",
            "regionalCertificateArn": "RegionalCertificateArn",
            "securityPolicy": "SecurityPolicy",
        },
    )


DOMAIN_NAME = ResourceType(
    "AWS::ApiGateway::DomainName",
    struct(
        {
            "DomainName": TEXT,
            "CertificateArn": TEXT,
            "RegionalCertificateArn": TEXT,
            "OwnershipVerificationCertificateArn": TEXT,
            "SecurityPolicy": TEXT,
            "EndpointConfiguration": struct({"Types": list_of(TEXT), "IpAddressType": TEXT}),
            "MutualTlsAuthentication": _MUTUAL,
            "Tags": TAGS,
        },
        "DomainName",
    ),
    create=_create,
    update=_update,
    delete=_delete,
    read=_read,
    replace_on=frozenset({"DomainName"}),
    attributes=frozenset(
        {
            "RegionalDomainName",
            "RegionalHostedZoneId",
            "DistributionDomainName",
            "DistributionHostedZoneId",
            "DomainNameArn",
        }
    ),
)


def _mapping_request(props: Props) -> dict[str, Any]:
    return {
        "domainName": props["DomainName"],
        **members(props, {"BasePath": "basePath", "RestApiId": "restApiId", "Stage": "stage"}),
    }


async def _create_mapping(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    base = props.get("BasePath") or _NONE
    try:
        await ctx.call(SERVICE, "CreateBasePathMapping", **_mapping_request(props))
    except AwsError as error:
        if error.code != "ConflictException" or not draft.resumed:
            raise
    return Provisioned(f"{props['DomainName']}|{base}")


async def _update_mapping(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    operations = [
        patch("replace", path, new.get(name) or "")
        for name, path in {"RestApiId": "/restapiId", "Stage": "/stage"}.items()
        if new.get(name) != old.get(name)
    ]
    if operations:
        await ctx.call(
            SERVICE,
            "UpdateBasePathMapping",
            domainName=new["DomainName"],
            basePath=new.get("BasePath") or _NONE,
            patchOperations=operations,
        )
    return Provisioned(physical_id)


async def _delete_mapping(ctx: Context, physical_id: str, props: Props) -> None:
    domain, _, base = physical_id.partition("|")
    await unless_gone(ctx.call(SERVICE, "DeleteBasePathMapping", domainName=domain, basePath=base))


BASE_PATH_MAPPING = ResourceType(
    "AWS::ApiGateway::BasePathMapping",
    struct(
        {"DomainName": TEXT, "BasePath": TEXT, "RestApiId": TEXT, "Stage": TEXT},
        "DomainName",
        "RestApiId",
    ),
    create=_create_mapping,
    update=_update_mapping,
    delete=_delete_mapping,
    replace_on=frozenset({"DomainName", "BasePath"}),
)
