"""Certificates as DescribeCertificate and ListCertificates show them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography import x509

from cumulet.core.context import Context
from cumulet.services.acm.limits import RENEW_DAYS, SUMMARY_NAMES_MAX
from cumulet.services.acm.material import extended_usages, facts, usages
from cumulet.services.acm.model import IMPORTED, Certificate

_DAY_SECONDS = 86_400
_EXTENDED_FILTER = {
    "1.3.6.1.5.5.7.3.1": "TLS_WEB_SERVER_AUTHENTICATION",
    "1.3.6.1.5.5.7.3.2": "TLS_WEB_CLIENT_AUTHENTICATION",
}
_KEY_TYPES_SHOWN = ("RSA_1024", "RSA_2048")
"""What ListCertificates gives when no filter names key types."""


def status(ctx: Context, one: Certificate) -> str:
    """Whether the certificate is good today."""
    return "ISSUED" if ctx.clock.now() <= one.not_after else "EXPIRED"


def detail(ctx: Context, one: Certificate, users: Sequence[str]) -> dict[str, Any]:
    """A certificate as DescribeCertificate shows it."""
    view: dict[str, Any] = {
        "CertificateArn": one.arn(ctx.scope),
        "DomainName": one.domain,
        "SubjectAlternativeNames": list(one.names),
        "Status": status(ctx, one),
        "Type": one.type,
        "KeyAlgorithm": one.key_algorithm,
        "NotBefore": one.not_before,
        "NotAfter": one.not_after,
        "CreatedAt": one.created,
        "InUseBy": list(users),
        "RenewalEligibility": "INELIGIBLE",
        "Options": {"CertificateTransparencyLoggingPreference": "DISABLED"},
        **facts(one.body),
    }
    if one.type == IMPORTED:
        view["ImportedAt"] = one.renewed or one.created
        return view
    view["IssuedAt"] = one.renewed or one.created
    view["RenewalEligibility"] = "ELIGIBLE" if users else "INELIGIBLE"
    view["Options"] = {
        "CertificateTransparencyLoggingPreference": one.logging,
        "Export": "DISABLED",
    }
    view["DomainValidationOptions"] = [_validation(one, name) for name in one.names]
    return view


def _validation(one: Certificate, name: str) -> dict[str, Any]:
    view: dict[str, Any] = {
        "DomainName": name,
        "ValidationDomain": name,
        "ValidationStatus": "SUCCESS",
        "ValidationMethod": one.validation,
    }
    plain = name.removeprefix("*.")
    if one.validation == "DNS":
        # The record that AWS would look for. Here nothing is looked up: see the compatibility page.
        mark = hashlib.sha256(f"{one.id}/{plain}".encode()).hexdigest()
        view["ResourceRecord"] = {
            "Name": f"_{mark[:32]}.{plain}.",
            "Type": "CNAME",
            "Value": f"_{mark[32:]}.acm-validations.aws.",
        }
    elif one.validation == "EMAIL":
        view["ValidationEmails"] = []
    return view


def summary(ctx: Context, one: Certificate) -> dict[str, Any]:
    """A certificate as ListCertificates shows it."""
    own = x509.load_pem_x509_certificate(one.body.encode())
    view: dict[str, Any] = {
        "CertificateArn": one.arn(ctx.scope),
        "DomainName": one.domain,
        "SubjectAlternativeNameSummaries": list(one.names[:SUMMARY_NAMES_MAX]),
        "HasAdditionalSubjectAlternativeNames": len(one.names) > SUMMARY_NAMES_MAX,
        "Status": status(ctx, one),
        "Type": one.type,
        "KeyAlgorithm": one.key_algorithm,
        "KeyUsages": usages(own),
        "ExtendedKeyUsages": [_EXTENDED_FILTER.get(oid, "CUSTOM") for oid in extended_usages(own)],
        "NotBefore": one.not_before,
        "NotAfter": one.not_after,
        "CreatedAt": one.created,
    }
    view["ImportedAt" if one.type == IMPORTED else "IssuedAt"] = one.renewed or one.created
    return view


def is_wanted(ctx: Context, one: Certificate, request: Mapping[str, Any]) -> bool:
    """Whether the filters of ListCertificates let the certificate through."""
    statuses = request.get("CertificateStatuses")
    if statuses and status(ctx, one) not in statuses:
        return False
    filters = request.get("Includes") or {}
    if one.key_algorithm not in (filters.get("keyTypes") or _KEY_TYPES_SHOWN):
        return False
    if filters.get("managedBy") or filters.get("exportOption") == "ENABLED":
        return False
    own = x509.load_pem_x509_certificate(one.body.encode())
    wanted = set(filters.get("keyUsage") or ())
    if wanted and "ANY" not in wanted and not wanted & set(usages(own)):
        return False
    extended = set(filters.get("extendedKeyUsage") or ())
    found = {_EXTENDED_FILTER.get(oid, "CUSTOM") for oid in extended_usages(own)}
    return not extended or "ANY" in extended or bool(extended & found)


def is_due(one: Certificate, now: float) -> bool:
    """Whether a requested certificate ends soon."""
    return one.type != IMPORTED and one.not_after - now < RENEW_DAYS * _DAY_SECONDS
