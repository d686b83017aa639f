"""Who uses a certificate: the custom domains of API Gateway in the same region."""

from __future__ import annotations

from cumulet.core.context import Context
from cumulet.core.identity import root_principal

_PAGE = 500
_MEMBERS = ("certificateArn", "regionalCertificateArn", "ownershipVerificationCertificateArn")


async def users_of(ctx: Context, arn: str) -> list[str]:
    """The ARNs of what uses the certificate."""
    own = ctx.acting_as(root_principal(ctx.scope.account))
    found = await own.call("apigateway", "GetDomainNames", limit=_PAGE)
    return [
        domain["domainNameArn"]
        for domain in found["items"]
        if any(domain.get(member) == arn for member in _MEMBERS)
    ]
