"""Custom domain names, as v1 knows them: create, list, change, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.kit.service import operation
from cumulet.services.apigateway.admission.domains import store
from cumulet.services.apigateway.admission.domains.changes import (
    Imported,
    Wish,
    change_domain,
    make_domain,
    need_domain,
    no_domain,
)
from cumulet.services.apigateway.admission.domains.model import DomainName
from cumulet.services.apigateway.admission.domains.views import first_view
from cumulet.services.apigateway.errors import BadRequestException, not_yet
from cumulet.services.apigateway.operations.rest_api import page, page_of
from cumulet.services.apigateway.rules.names import at
from cumulet.services.apigateway.rules.patch import (
    ADD_REMOVE,
    ALL,
    Operations,
    Rule,
    apply_patches,
    terse,
)

Request = Mapping[str, Any]

_PLAIN_ROUTING = "BASE_PATH_MAPPING_ONLY"
_MATERIAL = ("certificateBody", "certificatePrivateKey", "certificateChain")


@operation("CreateDomainName", action="POST", resource=at("/domainnames"))
async def create_domain_name(ctx: Context, request: Request) -> dict[str, Any]:
    """Make a custom domain."""
    refuse_unserved(request)
    given = request.get("endpointConfiguration") or {}
    kind = _endpoint_type(given.get("types"))
    arn_member, name_member = _certificate_members(kind)
    other_arn, _ = _certificate_members("EDGE" if kind == "REGIONAL" else "REGIONAL")
    if request.get(other_arn):
        raise BadRequestException(
            f"{other_arn} cannot be used with the endpoint type {kind}; use {arn_member}."
        )
    imported = _imported(request)
    if imported is not None and request.get(arn_member):
        raise BadRequestException("Cannot specify both a certificate ARN and a certificate body.")
    mutual = request.get("mutualTlsAuthentication") or {}
    wish = Wish(
        endpoint_type=kind,
        ip_address_type=given.get("ipAddressType") or "ipv4",
        security_policy=request.get("securityPolicy") or "TLS_1_2",
        certificate_arn=request.get(arn_member) or "",
        certificate_name=request.get(name_member) or request.get("certificateName") or "",
        ownership_arn=request.get("ownershipVerificationCertificateArn") or "",
        truststore_uri=mutual.get("truststoreUri") or "",
        truststore_version=mutual.get("truststoreVersion") or "",
    )
    made = await make_domain(
        ctx, request["domainName"], wish, dict(request.get("tags") or {}), imported
    )
    return first_view(ctx, made)


def refuse_unserved(request: Request) -> None:
    """Refuse what AWS has and Cumulet does not. Raises BadRequestException."""
    if request.get("policy"):
        raise not_yet("Private custom domain names are")
    if request.get("endpointAccessMode"):
        raise not_yet("The endpointAccessMode of a domain name is")
    if (request.get("routingMode") or _PLAIN_ROUTING) != _PLAIN_ROUTING:
        raise not_yet("Routing rules are")


def _endpoint_type(types: Any) -> str:
    if not types:
        return "EDGE"
    if len(types) > 1:
        raise BadRequestException("Cannot create a domain name with multiple Endpoint Types.")
    return str(types[0])


def _certificate_members(kind: str) -> tuple[str, str]:
    if kind == "EDGE":
        return "certificateArn", "certificateName"
    return "regionalCertificateArn", "regionalCertificateName"


def _imported(request: Request) -> Imported | None:
    if not any(request.get(member) for member in _MATERIAL):
        return None
    if not request.get("certificateBody") or not request.get("certificatePrivateKey"):
        raise BadRequestException(
            "An imported certificate needs both certificateBody and certificatePrivateKey."
        )
    return Imported(
        request["certificateBody"],
        request["certificatePrivateKey"],
        request.get("certificateChain") or "",
    )


@operation("GetDomainName", action="GET", resource=at("/domainnames/{domainName}"))
async def get_domain_name(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe one custom domain."""
    return first_view(ctx, await ctx.transact(need_domain, request["domainName"]))


@operation("GetDomainNames", action="GET", resource=at("/domainnames"))
async def get_domain_names(ctx: Context, request: Request) -> dict[str, Any]:
    """List the account's custom domains, a page at a time."""
    if (request.get("resourceOwner") or "SELF") != "SELF":
        raise not_yet("Custom domain names of other accounts are")
    after, limit = page_of(request)
    found = await ctx.transact(store.scan_domains, after, limit + 1)
    return page([(one.name, first_view(ctx, one)) for one in found], limit)


@operation("UpdateDomainName", action="PATCH", resource=at("/domainnames/{domainName}"))
async def update_domain_name(ctx: Context, request: Request) -> dict[str, Any]:
    """Change a domain's certificate, endpoint type or trust store."""
    old = await ctx.transact(need_domain, request["domainName"])
    operations = request.get("patchOperations") or ()
    wish = _patched(old, operations)
    reread = any("/mutualTlsAuthentication/" in str(one.get("path")) for one in operations)
    return first_view(ctx, await change_domain(ctx, old, wish, reread=reread))


_RULES = (
    Rule("/certificateArn"),
    Rule("/certificateName"),
    Rule("/regionalCertificateArn"),
    Rule("/regionalCertificateName"),
    Rule("/ownershipVerificationCertificateArn", ALL),
    Rule("/securityPolicy"),
    Rule("/endpointConfiguration/ipAddressType"),
    Rule("/endpointConfiguration/types/{}", ALL, kind="set"),
    Rule("/mutualTlsAuthentication/truststoreUri", ALL),
    Rule("/mutualTlsAuthentication/truststoreVersion", ALL),
)


def _patched(old: DomainName, operations: Operations) -> Wish:
    before = Wish.of(old)
    arn_member, name_member = _certificate_members(old.endpoint_type)
    document: dict[str, Any] = {
        arn_member: before.certificate_arn,
        name_member: before.certificate_name,
        "ownershipVerificationCertificateArn": before.ownership_arn,
        "securityPolicy": before.security_policy,
        "endpointConfiguration": {
            "ipAddressType": before.ip_address_type,
            "types": [before.endpoint_type],
        },
        "mutualTlsAuthentication": {
            "truststoreUri": before.truststore_uri,
            "truststoreVersion": before.truststore_version,
        },
    }
    plain = [_plain_types(one) for one in operations]
    document = apply_patches(document, plain, _RULES, terse)
    types = document["endpointConfiguration"]["types"]
    if len(types) != 1:
        raise not_yet("Domain names with two endpoint types at once are")
    arn_member, name_member = _certificate_members(types[0])
    strange = {"certificateArn", "regionalCertificateArn"} - {arn_member}
    if types[0] == old.endpoint_type and any(document.get(one) for one in strange):
        raise BadRequestException(
            f"The certificate of a domain name with endpoint type {types[0]} is {arn_member}."
        )
    mutual = document["mutualTlsAuthentication"]
    uri = mutual.get("truststoreUri") or ""
    return Wish(
        endpoint_type=types[0],
        ip_address_type=document["endpointConfiguration"].get("ipAddressType") or "ipv4",
        security_policy=document.get("securityPolicy") or "TLS_1_2",
        certificate_arn=document.get(arn_member) or "",
        certificate_name=document.get(name_member) or "",
        ownership_arn=document.get("ownershipVerificationCertificateArn") or "",
        truststore_uri=uri,
        truststore_version=(mutual.get("truststoreVersion") or "") if uri else "",
    )


def _plain_types(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """`add /endpointConfiguration/types` with a value, in the form with the value in the path."""
    if given.get("path") == "/endpointConfiguration/types" and given.get("op") in ADD_REMOVE:
        return {**given, "path": f"/endpointConfiguration/types/{given.get('value')}"}
    return given


@operation("DeleteDomainName", action="DELETE", resource=at("/domainnames/{domainName}"))
async def delete_domain_name(ctx: Context, request: Request) -> None:
    """Remove a custom domain and its base paths."""
    if not await ctx.transact(store.drop_domain, request["domainName"].lower()):
        raise no_domain()
