"""ACLs of buckets and objects, and who owns what is written."""

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
    object_policy,
    object_resource,
    version_conditions,
    versioned,
    write_conditions,
)
from cumulet.services.s3.drafts import checked_acl
from cumulet.services.s3.errors import InvalidRequest, malformed_xml, no_bucket, no_key
from cumulet.services.s3.operations.bucket import (
    check_ownership,
    find_bucket,
    is_owners,
)
from cumulet.services.s3.operations.object import find_object
from cumulet.services.s3.rules.acl import shown_acl

Request = dict[str, Any]


@operation("GetBucketAcl", resource=bucket_resource, resource_policy=bucket_policy, access="anyone")
async def get_bucket_acl(ctx: Context, request: Request) -> Request:
    """Who may do what with the bucket."""
    bucket = await find_bucket(ctx, request["Bucket"])
    return shown_acl(bucket.grants if bucket.has_acls else None, bucket.account)


@operation(
    "PutBucketAcl",
    resource=bucket_resource,
    resource_policy=bucket_policy,
    conditions=write_conditions,
    access="anyone",
)
async def put_bucket_acl(ctx: Context, request: Request) -> None:
    """Replace the bucket's ACL."""
    bucket = await find_bucket(ctx, request["Bucket"])
    grants = await checked_acl(ctx, request, bucket, bucket.account, of_object=False)
    changes = {"grants": grants}
    if await ctx.transact(store.change_bucket, bucket.name, changes) is None:
        raise no_bucket(bucket.name)


@operation(
    "GetObjectAcl",
    action=versioned("GetObjectAcl"),
    resource=object_resource,
    resource_policy=object_policy,
    conditions=version_conditions,
    access="anyone",
)
async def get_object_acl(ctx: Context, request: Request) -> Request:
    """Who may do what with the object."""
    bucket, stored, _ = await find_object(ctx, request)
    if not bucket.has_acls:
        return shown_acl(None, bucket.account)
    return shown_acl(stored.grants, stored.owner or bucket.account)


@operation(
    "PutObjectAcl",
    action=versioned("PutObjectAcl"),
    resource=object_resource,
    resource_policy=object_policy,
    conditions=write_conditions,
    access="anyone",
)
async def put_object_acl(ctx: Context, request: Request) -> Request:
    """Replace the object's ACL."""
    bucket, stored, _ = await find_object(ctx, request)
    owner = (stored.owner if bucket.has_acls else "") or bucket.account
    grants = await checked_acl(ctx, request, bucket, owner, of_object=True)
    changed = await ctx.transact(
        store.change_object, bucket.name, stored.key, stored.version_id, {"grants": grants}
    )
    if not changed:
        raise no_key(stored.key)
    return {}


@operation("PutBucketOwnershipControls", resource=bucket_resource, resource_policy=bucket_policy)
async def put_bucket_ownership_controls(ctx: Context, request: Request) -> None:
    """Say who owns what others write, and whether ACLs have a say."""
    rules = request["OwnershipControls"]["Rules"]
    if len(rules) != 1:
        raise malformed_xml()
    ownership = rules[0].get("ObjectOwnership")
    check_ownership(ownership)
    name = request["Bucket"]

    async def change(tx: Transaction, scope: Scope) -> bool | None:
        bucket = await store.BUCKETS.load(tx, scope, name)
        if bucket is None:
            return None
        others = bucket.grants is not None and not is_owners(bucket.grants, bucket.account)
        if ownership == "BucketOwnerEnforced" and others:
            return False
        settings = bucket.settings | {"OwnershipControls": ownership}
        await store.BUCKETS.save(tx, scope, msgspec.structs.replace(bucket, settings=settings))
        return True

    done = await ctx.transact(change)
    if done is None:
        raise no_bucket(name)
    if not done:
        raise InvalidRequest(
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
            code="InvalidBucketAclWithObjectOwnership",
        )


@operation(
    "DeleteBucketOwnershipControls",
    action="s3:PutBucketOwnershipControls",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def delete_bucket_ownership_controls(ctx: Context, request: Request) -> None:
    """Go back to what S3 did before there was the setting: the writer owns the object."""
    rule = {"ObjectOwnership": "ObjectWriter"}
    await put_bucket_ownership_controls(ctx, {**request, "OwnershipControls": {"Rules": [rule]}})
