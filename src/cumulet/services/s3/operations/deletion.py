"""Deletion of objects: one or many, for good or behind a delete marker."""

from __future__ import annotations

from typing import Any

from cumulet.core.clock import new_label
from cumulet.core.context import Context
from cumulet.core.errors import AccessDenied, AwsError, Generic
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.s3 import store
from cumulet.services.s3.access import (
    bucket_policy,
    bucket_resource,
    object_resource,
    version_conditions,
    versioned,
)
from cumulet.services.s3.errors import (
    InvalidArgument,
    NoSuchBucket,
    NotImplementedHere,
    PermanentRedirect,
    failed_condition,
    malformed_xml,
    no_bucket,
    no_key,
)
from cumulet.services.s3.limits import LIST_KEYS_MAX
from cumulet.services.s3.model import Bucket, Stored
from cumulet.services.s3.operations.bucket import find_bucket
from cumulet.services.s3.rules.conditions import check_write
from cumulet.services.s3.rules.locks import has_lock, is_locked
from cumulet.services.s3.store.events import told_of

Request = dict[str, Any]


def _deleting(ctx: Context, request: Request) -> list[str]:
    actions = [versioned("DeleteObject")(ctx, request)]
    if request.get("BypassGovernanceRetention"):
        actions.append("s3:BypassGovernanceRetention")
    return actions


@operation(
    "DeleteObject",
    action=_deleting,
    resource=object_resource,
    resource_policy=bucket_policy,
    conditions=version_conditions,
    access="anyone",
)
async def delete_object(ctx: Context, request: Request) -> Request:
    """Remove an object, put a delete marker, or remove one version for good."""
    name, key, version_id = request["Bucket"], request["Key"], request.get("VersionId")
    check_bypass(request, await find_bucket(ctx, name))
    now = ctx.clock.now()
    fresh = new_label(ctx.clock, 21)
    happened = told_of(ctx, "ObjectRemoved:Delete")
    bypass = bool(request.get("BypassGovernanceRetention"))

    async def drop(tx: Transaction, scope: Scope) -> Request | str | None:
        bucket = await store.BUCKETS.load(tx, scope, name)
        if bucket is None:
            return None
        found = await store.load_object(tx, scope, name, key, version_id)
        if failed := check_write({"IfMatch": request.get("IfMatch")}, found):
            return failed
        if version_id:
            if found is not None and is_locked(found.lock, now, bypass):
                return "locked"
            gone = await store.drop_version(tx, scope, name, key, version_id, int(now * 1000))
            if gone is not None:
                happened.note(tx, scope, bucket, gone)
            marker = {"DeleteMarker": True} if gone is not None and gone.is_marker else {}
            return {"VersionId": version_id, **marker}
        if not bucket.versioning:
            await store.drop_object(tx, scope, name, key, int(now * 1000))
            if found is not None:
                happened.note(tx, scope, bucket, found)
            return {}
        marker_made = await _mark(tx, scope, bucket, key, found, now, fresh)
        happened.note(tx, scope, bucket, marker_made, "ObjectRemoved:DeleteMarkerCreated")
        return {"DeleteMarker": True, "VersionId": marker_made.version_id}

    done = await ctx.transact(drop)
    if done is None:
        raise no_bucket(name)
    if done == "locked":
        raise AccessDenied("Access Denied because object protected by object lock.")
    if isinstance(done, str):
        raise no_key(key) if done == "missing" else failed_condition(done)
    return done


def check_bypass(request: Request, bucket: Bucket) -> None:
    """Raise InvalidArgument when a lock is to be bypassed where there is none."""
    if request.get("BypassGovernanceRetention") and not has_lock(bucket):
        raise InvalidArgument(
            "x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.",
            ArgumentName="x-amz-bypass-governance-retention",
        )


async def _mark(
    tx: Transaction,
    scope: Scope,
    bucket: Bucket,
    key: str,
    current: Stored | None,
    now: float,
    fresh: str,
) -> Stored:
    marker = Stored(bucket.name, key, "", int(now * 1e6), int(now * 1000), is_marker=True)
    return await store.put_object(tx, scope, marker, None, current, bucket.versioning, fresh)


@operation(
    "DeleteObjects",
    action="s3:DeleteObject",
    resource=lambda ctx, r: bucket_resource(ctx, r) + "/*",
    access="open",
)
async def delete_objects(ctx: Context, request: Request) -> Request:
    """Remove up to a thousand objects; each is permitted or refused by itself."""
    wanted = request["Delete"].get("Objects") or []
    if not 0 < len(wanted) <= LIST_KEYS_MAX or any(not entry.get("Key") for entry in wanted):
        raise malformed_xml()
    # Nothing is told of a bucket that is not there, or elsewhere, but that.
    await bucket_policy(ctx, request)
    check_bypass(request, await find_bucket(ctx, request["Bucket"]))
    deleted: list[Request] = []
    errors: list[Request] = []
    for entry in wanted:
        named = {name: entry[name] for name in ("Key", "VersionId") if entry.get(name)}
        try:
            found = await _delete_entry(ctx, request, entry)
        except (NoSuchBucket, PermanentRedirect):
            raise
        except AwsError as error:
            errors.append({**named, **_told(error)})
            continue
        done = dict(named)
        if found.get("DeleteMarker"):
            done |= {"DeleteMarker": True, "DeleteMarkerVersionId": found["VersionId"]}
        deleted.append(done)
    quiet = bool(request["Delete"].get("Quiet"))
    return {"Deleted": [] if quiet else deleted, "Errors": errors}


async def _delete_entry(ctx: Context, request: Request, entry: Request) -> Request:
    if entry.get("LastModifiedTime") is not None or entry.get("Size") is not None:
        raise NotImplementedHere("A condition of directory buckets")
    members: Request = {"Bucket": request["Bucket"], "Key": entry["Key"]}
    if entry.get("VersionId"):
        members["VersionId"] = entry["VersionId"]
    if entry.get("ETag"):
        members["IfMatch"] = entry["ETag"]
    for name in ("ExpectedBucketOwner", "BypassGovernanceRetention"):
        if request.get(name):
            members[name] = request[name]
    found: Request = await ctx.call("s3", "DeleteObject", **members)
    return found


def _told(error: AwsError) -> Request:
    """Code and message of an error in the list, where `wire` does not spell them."""
    if isinstance(error, AccessDenied):
        return {"Code": "AccessDenied", "Message": error.message}
    if isinstance(error, Generic):
        return {"Code": "InternalError", "Message": "We encountered an internal error."}
    return {"Code": error.code, "Message": error.message}
