"""Second step: who calls, and whether the API's policy, the caller's own and the authorizer let it
through.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.context import Context, Platform
from cumulet.core.identity import ANONYMOUS, Principal
from cumulet.services.apigateway.pipeline.authorize import policies
from cumulet.services.apigateway.pipeline.authorize.function import authorize_by_function
from cumulet.services.apigateway.pipeline.authorize.pool import authorize_by_pool
from cumulet.services.apigateway.pipeline.authorize.signed import identify_signer
from cumulet.services.apigateway.pipeline.match import Matched


class Authorized(msgspec.Struct, frozen=True):
    """A request that may go on, and who sent it.

    `authorizer` is what an authorizer said, as `$context.authorizer` has it; `usage_key` is the
    value of the caller's API key by its word, or empty.
    """

    matched: Matched
    caller: Principal
    authorizer: Mapping[str, Any] | None = None
    usage_key: str = ""


async def authorize(platform: Platform, ctx: Context, matched: Matched) -> Authorized:
    """Check the resource policy, the signature and the authorizer. Raises GatewayFault.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
    """
    kind = matched.method.authorization_type
    if kind == "AWS_IAM":
        caller = await identify_signer(platform, matched)
        await policies.check_signer(platform, ctx.acting_as(caller), matched)
        return Authorized(matched, caller)
    is_welcome = True
    if matched.stage.policies:
        # What a Lambda authorizer says may stand in for a resource policy that is silent.
        is_welcome = policies.check_anyone(ctx, matched, may_be_silent=kind == "CUSTOM")
    if kind == "NONE":
        return Authorized(matched, ANONYMOUS)
    if kind == "CUSTOM":
        has_policy = bool(matched.stage.policies)
        said, usage_key = await authorize_by_function(
            ctx, matched, is_welcome=has_policy and is_welcome
        )
        return Authorized(matched, ANONYMOUS, said, usage_key)
    return Authorized(matched, ANONYMOUS, await authorize_by_pool(platform, ctx, matched))
