"""Permissions that operations ask for besides their own."""

from __future__ import annotations

import re
from collections.abc import Iterable

from cumulet.core.context import Context
from cumulet.core.errors import AccessDenied
from cumulet.core.identity import parse_arn
from cumulet.services.apigateway.model import Method
from cumulet.services.apigateway.rules.methods import CALLERS_OWN
from cumulet.services.apigateway.rules.names import PRINCIPAL


async def check_pass_role(ctx: Context, credentials: str | None) -> None:
    """The caller must be allowed to give API Gateway this role. Raises AccessDenied.

    Where a stage variable stands in its ARN, the permission must cover whatever it may become.
    """
    if credentials and credentials != CALLERS_OWN:
        role = re.sub(r"\$\{[^}]*\}", "*", credentials)
        arn = parse_arn(role)
        if arn is not None and arn.account.isdigit() and arn.account != ctx.scope.account:
            raise AccessDenied("Cross-account pass role is not allowed.")
        await ctx.authorize("iam:PassRole", role, iam_PassedToService=PRINCIPAL)


async def check_pass_roles(ctx: Context, methods: Iterable[Method]) -> None:
    """The same for every integration of these methods."""
    roles = {
        method.method_integration.credentials
        for method in methods
        if method.method_integration is not None
    }
    for role in sorted(role for role in roles if role):
        await check_pass_role(ctx, role)
