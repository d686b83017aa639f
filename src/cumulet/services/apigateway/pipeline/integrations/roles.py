"""In whose name an integration asks other services: a role's, its caller's, or the gateway's."""

from __future__ import annotations

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.identity import Principal, parse_arn
from cumulet.kit.ports import Credentials
from cumulet.services.apigateway.pipeline.faults import configuration_error
from cumulet.services.apigateway.pipeline.validate import Admitted
from cumulet.services.apigateway.rules.methods import CALLERS_OWN

SESSION_SECONDS = 300
"""How long a session of a role is used again; what the role may do is asked each time. Ours."""

SESSIONS_MAX = 1_000
_SESSION_NAME = "BackplaneAssumeRoleSession"


class RoleSessions:
    """Sessions of integrations' roles, kept for a while. A lifetime of the platform's."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], tuple[float, Principal]] = {}

    async def principal(self, gateway: Context, role: str) -> Principal:
        """The role's session, assumed by the gateway. Raises AwsError, GatewayFault."""
        arn = parse_arn(role)
        if arn is None or arn.account != gateway.scope.account:
            # A role that trusts API Gateway trusts it for its own account's APIs alone.
            raise configuration_error(f"{role!r} is no role of the API's account")
        source = str(gateway.caller.context.get("aws:SourceArn", ""))
        key = (gateway.scope.account, source, role)
        now = gateway.clock.now()
        kept = self._kept.get(key)
        if kept is not None and kept[0] > now:
            return kept[1]
        session = await gateway.call(
            "sts", "AssumeRole", RoleArn=role, RoleSessionName=_SESSION_NAME
        )
        keys = session["Credentials"]
        found = await gateway.need(Credentials).find(keys["AccessKeyId"], keys["SessionToken"])
        if found is None:
            raise configuration_error("the session of the integration's role is gone")
        self._kept.pop(key, None)
        self._kept[key] = (now + SESSION_SECONDS, found.principal)
        if len(self._kept) > SESSIONS_MAX:
            del self._kept[next(iter(self._kept))]
        return found.principal


async def on_behalf(ctx: Context, admitted: Admitted, region: str) -> Context:
    """The context in which the integration asks. Raises AwsError, GatewayFault.

    https://docs.aws.amazon.com/apigateway/latest/api/API_Integration.html (`credentials`)
    """
    method = admitted.authorized.matched.method
    if method.credentials == CALLERS_OWN:
        caller = admitted.authorized.caller
        if caller.kind in ("anonymous", "service"):
            raise configuration_error("the method's callers have no credentials of their own")
        return ctx.acting_as(caller, region=region)
    gateway = ctx.acting_as(method.gateway, region=region)
    if not method.credentials:
        return gateway
    role = await ctx.need(RoleSessions).principal(gateway, method.credentials)
    return gateway.acting_as(role, region=region)


def refusal_of(error: AwsError) -> str:
    """An error of another service for the operator's eyes."""
    return f"{error.code}: {error.message}"
