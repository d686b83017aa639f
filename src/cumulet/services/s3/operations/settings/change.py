"""Reading and replacing one configuration of a bucket."""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.services.s3 import store
from cumulet.services.s3.errors import MissingConfiguration, no_bucket
from cumulet.services.s3.operations.bucket import find_bucket


async def set_setting(ctx: Context, name: str, **settings: Any) -> None:
    """Replace configurations of a bucket; None removes one. Raises NoSuchBucket."""

    async def change(tx: Transaction, scope: Scope) -> bool:
        bucket = await store.BUCKETS.load(tx, scope, name)
        if bucket is None:
            return False
        kept = {k: v for k, v in (bucket.settings | settings).items() if v is not None}
        await store.BUCKETS.save(tx, scope, msgspec.structs.replace(bucket, settings=kept))
        return True

    if not await ctx.transact(change):
        raise no_bucket(name)


async def change_bucket(ctx: Context, name: str, **changes: Any) -> None:
    """Change fields of a bucket's record. Raises NoSuchBucket."""
    if await ctx.transact(store.change_bucket, name, changes) is None:
        raise no_bucket(name)


async def get_setting(ctx: Context, name: str, setting: str, code: str, message: str) -> Any:
    """A configuration. Raises MissingConfiguration, under `code`, when there is none."""
    bucket = await find_bucket(ctx, name)
    found = bucket.settings.get(setting)
    if found is None:
        raise MissingConfiguration(message, code=code, BucketName=name)
    return found
