"""What AWS charges for requests to S3: by their class, and the bytes that leave the region.

https://aws.amazon.com/s3/pricing/
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

from cumulet.core.context import Context, Platform
from cumulet.core.identity import Scope
from cumulet.core.usage import GIB, S3_OUT, S3_STORAGE, S3_TIER1, S3_TIER2, Dimension, Holding
from cumulet.kit.ports import Usage
from cumulet.kit.service import Operation
from cumulet.kv.contract import Store, Transaction
from cumulet.kv.transact import transact
from cumulet.services.s3.model import Bucket, bucket_arn
from cumulet.services.s3.store import BUCKETS, load_bytes
from cumulet.services.s3.store.known import Buckets

Request = Mapping[str, Any]

_EVERYWHERE = Scope("", "")
_PAGE = 100
_TIER1 = ("Put", "Copy", "Post", "List", "Create", "Upload", "Complete", "Restore")
_FREE = ("Delete", "Abort")


def charged(operations: Mapping[str, Operation]) -> dict[str, Operation]:
    """The same operations; each request that is answered is counted."""
    return {name: _charged(operation) for name, operation in operations.items()}


def _class(name: str) -> Dimension | None:
    if name.startswith(_FREE):
        return None
    return S3_TIER1 if name.startswith(_TIER1) else S3_TIER2


def _charged(operation: Operation) -> Operation:
    inner, kind = operation.run, _class(operation.name)
    if kind is None:
        return operation

    async def run(ctx: Context, request: Request) -> Any:
        answer = await inner(ctx, request)
        scope, arn = ctx.scope, ""
        if name := request.get("Bucket"):
            arn = bucket_arn(name)
            if (known := await ctx.need(Buckets).get(name)) is not None:
                scope = Scope(known.bucket.account, known.bucket.region)
        used = ctx.need(Usage).used
        used(scope, arn, kind, 1.0, ctx.trace)
        if operation.name == "GetObject" and _leaves(ctx) and answer.get("ContentLength"):
            used(scope, arn, S3_OUT, answer["ContentLength"] / GIB, ctx.trace)
        return answer

    return replace(operation, run=run)


def _leaves(ctx: Context) -> bool:
    """Whether the bytes leave the region: functions, which act as roles, are taken to be in it."""
    return ctx.request is not None and ctx.caller.kind not in ("role", "service")


async def holdings(platform: Platform) -> AsyncIterator[Holding]:
    """The bytes of every bucket's objects and versions."""
    kv = platform.need(Store)
    after: tuple[str, ...] | None = None
    while page := await transact(kv, _sizes, after):
        for bucket, size in page:
            scope = Scope(bucket.account, bucket.region)
            yield Holding(scope, bucket_arn(bucket.name), S3_STORAGE, size / GIB)
        after = (page[-1][0].name,)


async def _sizes(tx: Transaction, after: tuple[str, ...] | None) -> list[tuple[Bucket, int]]:
    found = await BUCKETS.scan(tx, _EVERYWHERE, limit=_PAGE, after=after)
    return [(one, await load_bytes(tx, one.name)) for one in found]
