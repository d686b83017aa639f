"""Object lock: the bucket's configuration, retention and legal hold of versions."""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.s3 import store
from cumulet.services.s3.access import (
    bucket_policy,
    bucket_resource,
    object_resource,
    version_conditions,
)
from cumulet.services.s3.errors import (
    InvalidRequest,
    MissingConfiguration,
    malformed_xml,
    no_bucket,
    no_key,
)
from cumulet.services.s3.model import Lock, Stored
from cumulet.services.s3.operations.bucket import find_bucket
from cumulet.services.s3.operations.object import find_object
from cumulet.services.s3.rules.locks import (
    MODES,
    check_configuration,
    check_future,
    check_has_lock,
    retained,
    seconds_of,
)

Request = dict[str, Any]


@operation(
    "PutObjectLockConfiguration",
    action="s3:PutBucketObjectLockConfiguration",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def put_object_lock_configuration(ctx: Context, request: Request) -> Request:
    """Turn object lock on, or change the default retention; it can never be off again."""
    configuration = request.get("ObjectLockConfiguration") or {}
    check_configuration(configuration)
    name = request["Bucket"]

    async def change(tx: Transaction, scope: Scope) -> bool | None:
        bucket = await store.BUCKETS.load(tx, scope, name)
        if bucket is None:
            return None
        if bucket.versioning != "Enabled":
            return False
        settings = bucket.settings | {"ObjectLock": configuration}
        await store.BUCKETS.save(tx, scope, msgspec.structs.replace(bucket, settings=settings))
        return True

    done = await ctx.transact(change)
    if done is None:
        raise no_bucket(name)
    if not done:
        raise InvalidRequest(
            "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
            code="InvalidBucketState",
            http_status=409,
        )
    return {}


@operation(
    "GetObjectLockConfiguration",
    action="s3:GetBucketObjectLockConfiguration",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def get_object_lock_configuration(ctx: Context, request: Request) -> Request:
    """Whether versions can be locked, and the default retention."""
    bucket = await find_bucket(ctx, request["Bucket"])
    if "ObjectLock" not in bucket.settings:
        raise MissingConfiguration(
            "Object Lock configuration does not exist for this bucket",
            code="ObjectLockConfigurationNotFoundError",
            BucketName=bucket.name,
        )
    return {"ObjectLockConfiguration": bucket.settings["ObjectLock"]}


def _retaining(ctx: Context, request: Request) -> list[str]:
    actions = ["s3:PutObjectRetention"]
    if request.get("BypassGovernanceRetention"):
        actions.append("s3:BypassGovernanceRetention")
    return actions


@operation(
    "PutObjectRetention",
    action=_retaining,
    resource=object_resource,
    resource_policy=bucket_policy,
    conditions=version_conditions,
)
async def put_object_retention(ctx: Context, request: Request) -> Request:
    """Keep a version from being deleted until a time."""
    retention = request.get("Retention") or {}
    mode, until = retention.get("Mode") or "", seconds_of(retention.get("RetainUntilDate"))
    now = ctx.clock.now()
    bypass = bool(request.get("BypassGovernanceRetention"))
    check_has_lock(await find_bucket(ctx, request["Bucket"]))
    if bool(mode) != (until is not None) or (mode and mode not in MODES):
        raise malformed_xml()
    if until is not None:
        check_future(until, now)

    def change(lock: Lock | None) -> Lock:
        return retained(lock, mode, until, now, bypass)

    await _change_lock(ctx, request, change)
    return {}


@operation(
    "PutObjectLegalHold",
    resource=object_resource,
    resource_policy=bucket_policy,
    conditions=version_conditions,
)
async def put_object_legal_hold(ctx: Context, request: Request) -> Request:
    """Keep a version from being deleted until the hold is taken away, or take it away."""
    status = (request.get("LegalHold") or {}).get("Status")
    check_has_lock(await find_bucket(ctx, request["Bucket"]))
    if status not in ("ON", "OFF"):
        raise malformed_xml()

    def change(lock: Lock | None) -> Lock:
        return msgspec.structs.replace(lock or Lock(), is_held=status == "ON")

    await _change_lock(ctx, request, change)
    return {}


async def _change_lock(ctx: Context, request: Request, change: Any) -> None:
    bucket, stored, _ = await find_object(ctx, request)

    async def write(tx: Transaction, scope: Scope) -> bool:
        found = await store.load_object(tx, scope, bucket.name, stored.key, stored.version_id)
        if found is None:
            return False
        changes = {"lock": change(found.lock)}
        return await store.change_object(
            tx, scope, bucket.name, stored.key, stored.version_id, changes
        )

    if not await ctx.transact(write):
        raise no_key(stored.key)


@operation(
    "GetObjectRetention",
    resource=object_resource,
    resource_policy=bucket_policy,
    conditions=version_conditions,
)
async def get_object_retention(ctx: Context, request: Request) -> Request:
    """Until when a version is kept."""
    stored = await _locked(ctx, request)
    if stored.lock is None or not stored.lock.mode:
        raise _no_lock()
    return {"Retention": {"Mode": stored.lock.mode, "RetainUntilDate": stored.lock.until}}


@operation(
    "GetObjectLegalHold",
    resource=object_resource,
    resource_policy=bucket_policy,
    conditions=version_conditions,
)
async def get_object_legal_hold(ctx: Context, request: Request) -> Request:
    """Whether a version is held."""
    stored = await _locked(ctx, request)
    if stored.lock is None:
        raise _no_lock()
    return {"LegalHold": {"Status": "ON" if stored.lock.is_held else "OFF"}}


async def _locked(ctx: Context, request: Request) -> Stored:
    check_has_lock(await find_bucket(ctx, request["Bucket"]))
    return (await find_object(ctx, request))[1]


def _no_lock() -> MissingConfiguration:
    return MissingConfiguration(
        "The specified object does not have a ObjectLock configuration",
        code="NoSuchObjectLockConfiguration",
    )
