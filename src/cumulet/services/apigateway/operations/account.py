"""API Gateway's settings of an account in a region."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.identity import Scope, service_principal
from cumulet.kit.policy import Question, decide
from cumulet.kit.ports import Credentials, Policies
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.apigateway import store
from cumulet.services.apigateway.admission.limits import ACCOUNT_BURST, ACCOUNT_RATE
from cumulet.services.apigateway.errors import BadRequestException
from cumulet.services.apigateway.model import Account, shown
from cumulet.services.apigateway.rules.access import check_pass_role
from cumulet.services.apigateway.rules.names import PRINCIPAL, at
from cumulet.services.apigateway.rules.patch import ALL, Rule, apply_patches, optional_text, terse

Request = Mapping[str, Any]

_RULES = (Rule("/cloudwatchRoleArn", ALL, optional_text),)


@operation("GetAccount", action="GET", resource=at("/account"))
async def get_account(ctx: Context, request: Request) -> dict[str, Any]:
    """Describe the settings."""
    return _view(await ctx.transact(_load))


async def _load(tx: Transaction, scope: Scope) -> Account:
    return await store.ACCOUNTS.load(tx, scope, "settings") or Account()


def _view(account: Account) -> dict[str, Any]:
    return {
        **shown(account),
        "throttleSettings": {"burstLimit": ACCOUNT_BURST, "rateLimit": ACCOUNT_RATE},
        "features": ["UsagePlans"],
        "apiKeyVersion": "4",
    }


@operation("UpdateAccount", action="PATCH", resource=at("/account"))
async def update_account(ctx: Context, request: Request) -> dict[str, Any]:
    """Change the settings; a role is tried before it is kept."""
    operations = request.get("patchOperations")
    old = await ctx.transact(_load)
    wanted = msgspec.convert(
        apply_patches(msgspec.to_builtins(old), operations, _RULES, terse), Account
    )
    if wanted.cloudwatch_role_arn and wanted.cloudwatch_role_arn != old.cloudwatch_role_arn:
        await _try_role(ctx, wanted.cloudwatch_role_arn)

    async def update(tx: Transaction, scope: Scope) -> None:
        await store.ACCOUNTS.save(tx, scope, wanted)

    await ctx.transact(update)
    return _view(wanted)


async def _try_role(ctx: Context, role: str) -> None:
    """Raise unless the gateway may take the role, and write logs with it."""
    await check_pass_role(ctx, role)
    gateway = ctx.acting_as(service_principal(PRINCIPAL, ctx.scope.account))
    try:
        made = await gateway.call("sts", "AssumeRole", RoleArn=role, RoleSessionName="apigateway")
    except AwsError as cause:
        raise _unfit() from cause
    keys = made["Credentials"]
    found = await ctx.need(Credentials).find(keys["AccessKeyId"], keys["SessionToken"])
    if found is None:
        raise _unfit()
    identity = await ctx.need(Policies).of(found.principal)
    group = "log-group:API-Gateway-Execution-Logs_api/stage"
    for action in _NEEDED:
        place = f"{group}:log-stream:stream" if action == "logs:PutLogEvents" else f"{group}:*"
        question = Question(found.principal, action, ctx.scope.arn("logs", place), {})
        if not decide(question, identity, (), ctx.scope.account).allowed:
            raise _unfit()


_NEEDED = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")


def _unfit() -> BadRequestException:
    return BadRequestException(
        "The role ARN does not have required permissions configured. Please grant trust "
        "permission for API Gateway and add the required role policy."
    )
