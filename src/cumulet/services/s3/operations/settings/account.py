"""Block public access for all buckets of an account: the service `s3control`."""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AccessDenied
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.s3 import store
from cumulet.services.s3.errors import MissingConfiguration
from cumulet.services.s3.model import AccountBlock
from cumulet.services.s3.operations.bucket import PUBLIC_ACCESS_BLOCKS

Request = dict[str, Any]


def _own_account(ctx: Context, request: Request) -> str:
    if request["AccountId"] != ctx.scope.account:
        raise AccessDenied("Access Denied")
    return ctx.scope.account


@operation("PutPublicAccessBlock", action="s3:PutAccountPublicAccessBlock")
async def put_public_access_block(ctx: Context, request: Request) -> Request:
    """Say which ways to public access are shut for every bucket of the account."""
    account = _own_account(ctx, request)
    given = request["PublicAccessBlockConfiguration"]
    blocks = {name: bool(given.get(name, False)) for name in PUBLIC_ACCESS_BLOCKS}

    async def save(tx: Transaction, scope: Scope) -> None:
        await store.BLOCKS.save(tx, scope, AccountBlock(account, blocks))

    await ctx.transact(save)
    return {"ResponseMetadata": {"HTTPStatusCode": 201}}


@operation("GetPublicAccessBlock", action="s3:GetAccountPublicAccessBlock")
async def get_public_access_block(ctx: Context, request: Request) -> Request:
    """Which ways to public access are shut for every bucket of the account."""
    account = _own_account(ctx, request)

    async def load(tx: Transaction, scope: Scope) -> AccountBlock | None:
        return await store.BLOCKS.load(tx, scope, account)

    found = await ctx.transact(load)
    if found is None:
        raise MissingConfiguration(
            "The public access block configuration was not found",
            code="NoSuchPublicAccessBlockConfiguration",
            AccountId=account,
        )
    return {"PublicAccessBlockConfiguration": found.blocks}


@operation("DeletePublicAccessBlock", action="s3:PutAccountPublicAccessBlock")
async def delete_public_access_block(ctx: Context, request: Request) -> Request:
    """Leave it to the buckets."""
    account = _own_account(ctx, request)

    async def drop(tx: Transaction, scope: Scope) -> None:
        await store.BLOCKS.drop(tx, scope, account)

    await ctx.transact(drop)
    return {"ResponseMetadata": {"HTTPStatusCode": 204}}
