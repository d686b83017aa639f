"""Roles that EventBridge and the Scheduler take on for a target."""

from __future__ import annotations

from collections import OrderedDict

from cumulet.core.context import Context, Platform
from cumulet.core.errors import AccessDenied, AwsError
from cumulet.core.identity import Principal, Scope, parse_arn, service_principal
from cumulet.kit.ports import Credentials
from cumulet.services.events.limits import (
    ROLE_KNOWN_SECONDS,
    ROLE_SESSION_SECONDS,
    ROLES_KNOWN_MAX,
)


class Roles:
    """Sessions of roles, kept as long as they are fresh."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._known: OrderedDict[tuple[str, str, str], tuple[float, Principal]] = OrderedDict()

    async def take(self, role: str, service: str, source: str) -> Principal:
        """The role as `service` takes it on for `source`. Raises AccessDenied."""
        now = self._platform.clock.now()
        key = (role, service, source)
        known = self._known.get(key)
        if known is not None and 0 <= now - known[0] < ROLE_KNOWN_SECONDS:
            return known[1]
        principal = await self._assume(role, service, source)
        self._known[key] = (now, principal)
        if len(self._known) > ROLES_KNOWN_MAX:
            self._known.popitem(last=False)
        return principal

    async def _assume(self, role: str, service: str, source: str) -> Principal:
        arn, of = parse_arn(role), parse_arn(source)
        if arn is None or of is None:
            raise AccessDenied(f"The role {role} cannot be assumed by {service}.")
        said = {"aws:SourceArn": source, "aws:SourceAccount": of.account}
        caller = service_principal(service, arn.account, said)
        ctx = self._platform.context(Scope(arn.account, of.region), caller)
        try:
            answer = await ctx.call(
                "sts",
                "AssumeRole",
                RoleArn=role,
                RoleSessionName=service.partition(".")[0],
                DurationSeconds=ROLE_SESSION_SECONDS,
            )
        except AwsError as cause:
            raise AccessDenied(f"The role {role} cannot be assumed by {service}.") from cause
        keys = answer["Credentials"]
        credentials = self._platform.need(Credentials)
        found = await credentials.find(keys["AccessKeyId"], keys["SessionToken"])
        if found is None:
            raise AccessDenied(f"The role {role} cannot be assumed by {service}.")
        return found.principal


async def check_pass_role(ctx: Context, role: str, service: str) -> None:
    """The caller may give the role to the service. Raises AccessDenied."""
    await ctx.authorize("iam:PassRole", role, iam_PassedToService=service)
