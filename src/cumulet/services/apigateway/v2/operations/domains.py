"""Custom domains and their API mappings as v2 knows them; v1 shows the same ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway.admission.domains import store
from cumulet.services.apigateway.admission.domains.changes import (
    Wish,
    change_domain,
    make_domain,
    need_domain,
    no_domain,
)
from cumulet.services.apigateway.admission.domains.limits import DOMAINS_MAX
from cumulet.services.apigateway.admission.domains.mappings import protocol_of, put_mapping
from cumulet.services.apigateway.admission.domains.model import ApiMapping, DomainName
from cumulet.services.apigateway.admission.domains.rules import parse_mapping_key
from cumulet.services.apigateway.admission.domains.views import second_mapping, second_view
from cumulet.services.apigateway.errors import BadRequestException, NotFoundException, not_yet
from cumulet.services.apigateway.rules.names import at
from cumulet.services.apigateway.v2.rules.words import page

Request = Mapping[str, Any]

_DOMAINS = at("/domainnames")
_DOMAIN = at("/domainnames/{DomainName}")
_MAPPINGS = at("/domainnames/{DomainName}/apimappings")
_MAPPING = at("/domainnames/{DomainName}/apimappings/{ApiMappingId}")
_NEW = Wish("REGIONAL", "ipv4", "TLS_1_2", "", "", "", "", "")
_MEMBERS = {
    "EndpointType": "endpoint_type",
    "IpAddressType": "ip_address_type",
    "SecurityPolicy": "security_policy",
    "CertificateArn": "certificate_arn",
    "CertificateName": "certificate_name",
    "OwnershipVerificationCertificateArn": "ownership_arn",
}
"""What can be said of a domain's configuration; the other members are answers only."""


def _wish(before: Wish, request: Request) -> Wish:
    """What the request asks for, over what was there. Raises BadRequestException."""
    if (request.get("RoutingMode") or "API_MAPPING_ONLY") != "API_MAPPING_ONLY":
        raise not_yet("Routing rules are")
    configurations = request.get("DomainNameConfigurations") or ()
    if len(configurations) > 1:
        raise BadRequestException("A domain name can have one DomainNameConfiguration only.")
    said = {
        field: configurations[0][member]
        for member, field in _MEMBERS.items()
        if configurations and configurations[0].get(member) is not None
    }
    mutual = request.get("MutualTlsAuthentication")
    if mutual is not None:
        uri = mutual.get("TruststoreUri", before.truststore_uri) or ""
        said["truststore_uri"] = uri
        version = mutual.get("TruststoreVersion", before.truststore_version) or ""
        said["truststore_version"] = version if uri else ""
    return replace(before, **said)


@operation("CreateDomainName", action="POST", resource=_DOMAINS)
async def create_domain_name(ctx: Context, request: Request) -> dict[str, Any]:
    """Make a custom domain."""
    if not request.get("DomainNameConfigurations"):
        raise BadRequestException("DomainNameConfigurations is required.")
    tags = dict(request.get("Tags") or {})
    made = await make_domain(ctx, request["DomainName"], _wish(_NEW, request), tags)
    return second_view(ctx, made)


@operation("GetDomainName", action="GET", resource=_DOMAIN)
async def get_domain_name(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe one custom domain."""
    return second_view(ctx, await ctx.transact(need_domain, request["DomainName"]))


@operation("GetDomainNames", action="GET", resource=_DOMAINS)
async def get_domain_names(ctx: Context, request: Request) -> dict[str, Any]:
    """List the account's custom domains, a page at a time."""
    found = await ctx.transact(store.scan_domains, None, DOMAINS_MAX)
    return page([(one.name, second_view(ctx, one)) for one in found], request)


@operation("UpdateDomainName", action="PATCH", resource=_DOMAIN)
async def update_domain_name(ctx: Context, request: Request) -> dict[str, Any]:
    """Change a domain's certificate, endpoint type or trust store."""
    old = await ctx.transact(need_domain, request["DomainName"])
    wish = _wish(Wish.of(old), request)
    reread = "MutualTlsAuthentication" in request
    return second_view(ctx, await change_domain(ctx, old, wish, reread=reread))


@operation("DeleteDomainName", action="DELETE", resource=_DOMAIN)
async def delete_domain_name(ctx: Context, request: Request) -> None:
    """Remove a custom domain and its mappings."""
    if not await ctx.transact(store.drop_domain, request["DomainName"].lower()):
        raise no_domain()


@operation("CreateApiMapping", action="POST", resource=_MAPPINGS)
async def create_api_mapping(ctx: Context, request: Request) -> Mapping[str, Any]:
    """Let a path of a domain lead to a stage of an API of any kind."""
    key = parse_mapping_key(request.get("ApiMappingKey"))
    mapping_id, api_id, stage = new_label(ctx.clock, 6), request["ApiId"], request["Stage"]

    async def create(tx: Transaction, scope: Scope) -> ApiMapping:
        domain = await need_domain(tx, scope, request["DomainName"])
        kind = await protocol_of(tx, scope, api_id, stage, only_rest=False)
        made = ApiMapping(
            domain=domain.name, key=key, id=mapping_id, api_id=api_id, protocol=kind, stage=stage
        )
        await put_mapping(tx, scope, domain, None, made)
        return made

    return second_mapping(await ctx.transact(create))


async def _need(tx: Transaction, scope: Scope, request: Request) -> tuple[DomainName, ApiMapping]:
    domain = await need_domain(tx, scope, request["DomainName"])
    found = await store.find_mapping(tx, scope, domain.name, request["ApiMappingId"])
    if found is None:
        raise NotFoundException("Invalid API mapping identifier specified")
    return domain, found


@operation("GetApiMapping", action="GET", resource=_MAPPING)
async def get_api_mapping(ctx: Context, request: Request) -> Mapping[str, Any]:
    """Describe one mapping."""
    return second_mapping((await ctx.transact(_need, request))[1])


@operation("GetApiMappings", action="GET", resource=_MAPPINGS)
async def get_api_mappings(ctx: Context, request: Request) -> dict[str, Any]:
    """List a domain's mappings, a page at a time."""

    async def scan(tx: Transaction, scope: Scope) -> list[ApiMapping]:
        domain = await need_domain(tx, scope, request["DomainName"])
        return await store.scan_mappings(tx, scope, domain.name)

    found = sorted(await ctx.transact(scan), key=lambda one: one.id)
    return page([(one.id, dict(second_mapping(one))) for one in found], request)


@operation("UpdateApiMapping", action="PATCH", resource=_MAPPING)
async def update_api_mapping(ctx: Context, request: Request) -> Mapping[str, Any]:
    """Change a mapping's path, API or stage."""

    async def update(tx: Transaction, scope: Scope) -> ApiMapping:
        domain, old = await _need(tx, scope, request)
        stage = request.get("Stage") or old.stage
        key = request.get("ApiMappingKey")
        new = msgspec.structs.replace(
            old,
            key=old.key if key is None else parse_mapping_key(key),
            api_id=request["ApiId"],
            stage=stage,
            protocol=await protocol_of(tx, scope, request["ApiId"], stage, only_rest=False),
        )
        await put_mapping(tx, scope, domain, old, new)
        return new

    return second_mapping(await ctx.transact(update))


@operation("DeleteApiMapping", action="DELETE", resource=_MAPPING)
async def delete_api_mapping(ctx: Context, request: Request) -> None:
    """Remove a mapping."""

    async def delete(tx: Transaction, scope: Scope) -> None:
        domain, old = await _need(tx, scope, request)
        await store.drop_mapping(tx, scope, domain, old.key)

    await ctx.transact(delete)
