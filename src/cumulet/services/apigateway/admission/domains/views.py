"""Custom domains as v1 and v2 show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.kit.tls.hosts import zone_of
from cumulet.services.apigateway.admission.domains.model import ApiMapping, DomainName
from cumulet.services.apigateway.admission.domains.rules import shown_base_path
from cumulet.services.apigateway.rules.names import control_arn

_DISTRIBUTION_ZONE = "Z2FDTNDATAQYW2"
"""The hosted zone of every CloudFront distribution."""

_REGIONAL_ZONE = "Z1UJRXOUMOOFQ8"


def target_name(ctx: Context, domain: DomainName) -> str:
    """The host name that DNS entries of the domain lead to: one of this cloud."""
    return f"d-{domain.label}.execute-api.{zone_of(ctx.endpoint).partition(':')[0]}"


def first_view(ctx: Context, domain: DomainName) -> dict[str, Any]:
    """A domain as v1 shows it."""
    view: dict[str, Any] = {
        "domainName": domain.name,
        "domainNameArn": control_arn(ctx.scope.region, f"/domainnames/{domain.name}"),
        "certificateUploadDate": int(domain.certificate_uploaded),
        "endpointConfiguration": {
            "types": [domain.endpoint_type],
            "ipAddressType": domain.ip_address_type,
        },
        "domainNameStatus": "AVAILABLE",
        "securityPolicy": domain.security_policy,
        "routingMode": "BASE_PATH_MAPPING_ONLY",
        "tags": domain.tags or {},
    }
    if domain.endpoint_type == "EDGE":
        view["distributionDomainName"] = target_name(ctx, domain)
        view["distributionHostedZoneId"] = _DISTRIBUTION_ZONE
        arn_member, name_member = "certificateArn", "certificateName"
    else:
        view["regionalDomainName"] = target_name(ctx, domain)
        view["regionalHostedZoneId"] = _REGIONAL_ZONE
        arn_member, name_member = "regionalCertificateArn", "regionalCertificateName"
    if domain.certificate_arn:
        view[arn_member] = domain.certificate_arn
    if domain.certificate_name:
        view[name_member] = domain.certificate_name
    if domain.ownership_arn:
        view["ownershipVerificationCertificateArn"] = domain.ownership_arn
    if (mutual := _mutual_tls(domain, str)) is not None:
        view["mutualTlsAuthentication"] = mutual
    return view


def second_view(ctx: Context, domain: DomainName) -> dict[str, Any]:
    """A domain as v2 shows it."""
    configuration: dict[str, Any] = {
        "ApiGatewayDomainName": target_name(ctx, domain),
        "CertificateUploadDate": int(domain.certificate_uploaded),
        "DomainNameStatus": "AVAILABLE",
        "EndpointType": domain.endpoint_type,
        "HostedZoneId": (_DISTRIBUTION_ZONE if domain.endpoint_type == "EDGE" else _REGIONAL_ZONE),
        "IpAddressType": domain.ip_address_type,
        "SecurityPolicy": domain.security_policy,
    }
    if domain.certificate_arn:
        configuration["CertificateArn"] = domain.certificate_arn
    if domain.certificate_name:
        configuration["CertificateName"] = domain.certificate_name
    if domain.ownership_arn:
        configuration["OwnershipVerificationCertificateArn"] = domain.ownership_arn
    view: dict[str, Any] = {
        "ApiMappingSelectionExpression": "$request.basepath",
        "DomainName": domain.name,
        "DomainNameArn": control_arn(ctx.scope.region, f"/domainnames/{domain.name}"),
        "DomainNameConfigurations": [configuration],
        "RoutingMode": "API_MAPPING_ONLY",
        "Tags": domain.tags or {},
    }
    if (mutual := _mutual_tls(domain, lambda name: name[0].upper() + name[1:])) is not None:
        view["MutualTlsAuthentication"] = mutual
    return view


def _mutual_tls(domain: DomainName, spelt: Any) -> dict[str, Any] | None:
    mutual = domain.mutual_tls
    if mutual is None:
        return None
    view: dict[str, Any] = {spelt("truststoreUri"): mutual.truststore_uri}
    if mutual.truststore_version:
        view[spelt("truststoreVersion")] = mutual.truststore_version
    if mutual.warnings:
        view[spelt("truststoreWarnings")] = list(mutual.warnings)
    return view


def first_mapping(mapping: ApiMapping) -> dict[str, Any]:
    """A mapping as v1 shows it."""
    view = {"basePath": shown_base_path(mapping.key), "restApiId": mapping.api_id}
    if mapping.stage is not None:
        view["stage"] = mapping.stage
    return view


def second_mapping(mapping: ApiMapping) -> Mapping[str, Any]:
    """A mapping as v2 shows it."""
    return {
        "ApiId": mapping.api_id,
        "ApiMappingId": mapping.id,
        "ApiMappingKey": mapping.key,
        "Stage": mapping.stage or "",
    }
