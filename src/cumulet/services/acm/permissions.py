"""Whom operations are asked for, and the one grant that Certificate Manager gives by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import parse_arn
from cumulet.kit.policy import parse_policy
from cumulet.kit.service import OwnedPolicies
from cumulet.services.acm.errors import no_certificate

GATEWAY = "apigateway.amazonaws.com"

_GRANT = parse_policy(
    "integrated services",
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": GATEWAY},
                "Action": "acm:ExportCertificate",
                "Resource": "*",
            }
        ],
    },
)
"""Services that terminate TLS get certificates with their keys."""


def any_certificate(ctx: Context, request: Mapping[str, Any]) -> str:
    """The ARN of certificates that are not there yet, or of the one that is replaced."""
    given = request.get("CertificateArn")
    return given or ctx.scope.arn("acm", "certificate/*")


def named_certificate(ctx: Context, request: Mapping[str, Any]) -> str:
    """The ARN that the request names."""
    return str(request["CertificateArn"])


async def for_services(ctx: Context, request: Mapping[str, Any]) -> OwnedPolicies:
    """The grant to services that use certificates."""
    arn = parse_arn(request["CertificateArn"])
    return OwnedPolicies(arn.account if arn else ctx.scope.account, (_GRANT,))


def certificate_id(ctx: Context, arn: str) -> str:
    """The id in an ARN of this account and region. Raises ResourceNotFoundException."""
    found = parse_arn(arn)
    kind, _, name = found.resource.partition("/") if found else ("", "", "")
    here = found is not None and (found.account, found.region) == tuple(ctx.scope)
    if not here or kind != "certificate":
        raise no_certificate(arn)
    return name
