"""Who is calling, and whose key that is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import ConstraintViolation
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.iam import store
from cumulet.services.iam.model import account_in_key_id


@operation("GetCallerIdentity", access="open")
async def get_caller_identity(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Tell who signed the request. Needs no permission."""
    caller = ctx.caller
    return {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}


@operation("GetAccessKeyInfo")
async def get_access_key_info(ctx: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    """Tell the account of an access key id, whoever asks."""
    key_id = request["AccessKeyId"]

    async def read(tx: Transaction, scope: object) -> str | None:
        key = await store.ACCESS_KEYS.load(tx, store.EVERYWHERE, key_id)
        return None if key is None else key.account

    account = await ctx.transact(read)
    if account is None and key_id.startswith("ASIA"):
        account = account_in_key_id(key_id)
    if account is None:
        raise ConstraintViolation(f"Could not find the account of access key id {key_id}.")
    return {"Account": account}
