"""Settings of buckets: versioning, tags, policy, encryption, public access, ownership.

A setting that Cumulet does not honour yet has no Put; its Get answers that there is none.
"""

from __future__ import annotations

from typing import Any

import msgspec

from cumulet.core.context import Context
from cumulet.core.errors import AccessDenied
from cumulet.core.identity import Scope
from cumulet.kit import policy
from cumulet.kit.policy import check_document
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.s3 import store
from cumulet.services.s3.access import bucket_policy, bucket_resource, own_policy
from cumulet.services.s3.drafts import read_tags
from cumulet.services.s3.errors import (
    MalformedPolicy,
    MissingConfiguration,
    NotImplementedHere,
    malformed_xml,
    no_bucket,
)
from cumulet.services.s3.limits import BUCKET_TAGS_MAX, POLICY_BYTES_MAX
from cumulet.services.s3.operations.bucket import PUBLIC_ACCESS_BLOCKS, find_bucket, owner
from cumulet.services.s3.public_access import is_public

Request = dict[str, Any]


async def _set(ctx: Context, name: str, **settings: Any) -> None:
    async def change(tx: Transaction, scope: Scope) -> bool:
        bucket = await store.BUCKETS.load(tx, scope, name)
        if bucket is None:
            return False
        kept = {k: v for k, v in (bucket.settings | settings).items() if v is not None}
        await store.BUCKETS.save(tx, scope, msgspec.structs.replace(bucket, settings=kept))
        return True

    if not await ctx.transact(change):
        raise no_bucket(name)


async def _change(ctx: Context, name: str, **changes: Any) -> None:
    if await ctx.transact(store.change_bucket, name, changes) is None:
        raise no_bucket(name)


async def _get(ctx: Context, name: str, setting: str, code: str, message: str) -> Any:
    bucket = await find_bucket(ctx, name)
    found = bucket.settings.get(setting)
    if found is None:
        raise MissingConfiguration(message, code=code, BucketName=name)
    return found


@operation("PutBucketVersioning", resource=bucket_resource, resource_policy=bucket_policy)
async def put_bucket_versioning(ctx: Context, request: Request) -> None:
    """Turn versioning on, or suspend it; it can never be off again."""
    configuration = request["VersioningConfiguration"]
    if configuration.get("MFADelete") == "Enabled":
        raise NotImplementedHere("MFA delete")
    status = configuration.get("Status")
    if status not in ("Enabled", "Suspended"):
        raise malformed_xml()
    await _change(ctx, request["Bucket"], versioning=status)


@operation("GetBucketVersioning", resource=bucket_resource, resource_policy=bucket_policy)
async def get_bucket_versioning(ctx: Context, request: Request) -> Request:
    """Whether versioning is on or suspended; nothing when it never was on."""
    bucket = await find_bucket(ctx, request["Bucket"])
    return {"Status": bucket.versioning} if bucket.versioning else {}


@operation("PutBucketTagging", resource=bucket_resource, resource_policy=bucket_policy)
async def put_bucket_tagging(ctx: Context, request: Request) -> None:
    """Replace the bucket's tags."""
    tags = read_tags(request["Tagging"]["TagSet"], BUCKET_TAGS_MAX)
    await _change(ctx, request["Bucket"], tags=tags)


@operation("GetBucketTagging", resource=bucket_resource, resource_policy=bucket_policy)
async def get_bucket_tagging(ctx: Context, request: Request) -> Request:
    """The bucket's tags."""
    bucket = await find_bucket(ctx, request["Bucket"])
    if not bucket.tags:
        raise MissingConfiguration(
            "The TagSet does not exist", code="NoSuchTagSet", BucketName=bucket.name
        )
    return {"TagSet": [{"Key": key, "Value": value} for key, value in bucket.tags.items()]}


@operation(
    "DeleteBucketTagging",
    action="s3:PutBucketTagging",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def delete_bucket_tagging(ctx: Context, request: Request) -> None:
    """Remove the bucket's tags."""
    await _change(ctx, request["Bucket"], tags={})


@operation("PutBucketPolicy", resource=bucket_resource, resource_policy=own_policy)
async def put_bucket_policy(ctx: Context, request: Request) -> None:
    """Attach a policy to the bucket."""
    text = request["Policy"]
    if len(text.encode()) > POLICY_BYTES_MAX:
        raise MalformedPolicy("Policies must be at most 20480 bytes in size")
    _check_policy(text, bucket_resource(ctx, request))
    blocked = (await find_bucket(ctx, request["Bucket"])).settings.get("PublicAccessBlock") or {}
    if blocked.get("BlockPublicPolicy") and is_public(text):
        raise AccessDenied(
            f"User: {ctx.caller.arn} is not authorized to perform: s3:PutBucketPolicy on resource: "
            f'"{bucket_resource(ctx, request)}" because public policies are prevented by the '
            "BlockPublicPolicy setting in S3 Block Public Access."
        )
    await _change(ctx, request["Bucket"], policy=text)


def _check_policy(text: str, bucket: str) -> None:
    """The grammar, and that the policy speaks of this bucket only. Raises MalformedPolicy."""
    try:
        document = check_document(text, "resource")
    except policy.MalformedPolicy as cause:
        raise MalformedPolicy(str(cause) or "Policies must be valid JSON") from None
    given = document["Statement"]
    for statement in given if isinstance(given, list) else [given]:
        if "Principal" not in statement and "NotPrincipal" not in statement:
            raise MalformedPolicy("Missing required field Principal")
        named = statement.get("Resource", statement.get("NotResource", []))
        for resource in [named] if isinstance(named, str) else named:
            if resource not in ("*", bucket) and not resource.startswith(f"{bucket}/"):
                raise MalformedPolicy("Policy has invalid resource")


@operation("GetBucketPolicy", resource=bucket_resource, resource_policy=own_policy)
async def get_bucket_policy(ctx: Context, request: Request) -> Request:
    """The bucket's policy."""
    bucket = await find_bucket(ctx, request["Bucket"])
    if not bucket.policy:
        raise MissingConfiguration(
            "The bucket policy does not exist", code="NoSuchBucketPolicy", BucketName=bucket.name
        )
    return {"Policy": bucket.policy}


@operation("DeleteBucketPolicy", resource=bucket_resource, resource_policy=own_policy)
async def delete_bucket_policy(ctx: Context, request: Request) -> None:
    """Remove the bucket's policy."""
    await _change(ctx, request["Bucket"], policy="")


@operation(
    "PutBucketEncryption",
    action="s3:PutEncryptionConfiguration",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def put_bucket_encryption(ctx: Context, request: Request) -> None:
    """Say how new objects are encrypted: SSE-S3 is the only way so far."""
    rules = request["ServerSideEncryptionConfiguration"]["Rules"]
    default = rules[0].get("ApplyServerSideEncryptionByDefault") or {} if rules else {}
    if len(rules) != 1 or default.get("SSEAlgorithm") != "AES256":
        raise NotImplementedHere("Encryption other than AES256")
    await _set(ctx, request["Bucket"], Encryption=rules)


@operation(
    "GetBucketEncryption",
    action="s3:GetEncryptionConfiguration",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def get_bucket_encryption(ctx: Context, request: Request) -> Request:
    """How new objects are encrypted; S3's default is SSE-S3."""
    bucket = await find_bucket(ctx, request["Bucket"])
    default = [
        {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
            "BucketKeyEnabled": False,
        }
    ]
    return {
        "ServerSideEncryptionConfiguration": {"Rules": bucket.settings.get("Encryption", default)}
    }


@operation(
    "DeleteBucketEncryption",
    action="s3:PutEncryptionConfiguration",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def delete_bucket_encryption(ctx: Context, request: Request) -> None:
    """Go back to the default."""
    await _set(ctx, request["Bucket"], Encryption=None)


@operation(
    "PutPublicAccessBlock",
    action="s3:PutBucketPublicAccessBlock",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def put_public_access_block(ctx: Context, request: Request) -> None:
    """Say which ways to public access are shut."""
    given = request["PublicAccessBlockConfiguration"]
    await _set(
        ctx,
        request["Bucket"],
        PublicAccessBlock={name: bool(given.get(name, False)) for name in PUBLIC_ACCESS_BLOCKS},
    )


@operation(
    "GetPublicAccessBlock",
    action="s3:GetBucketPublicAccessBlock",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def get_public_access_block(ctx: Context, request: Request) -> Request:
    """Which ways to public access are shut."""
    found = await _get(
        ctx,
        request["Bucket"],
        "PublicAccessBlock",
        "NoSuchPublicAccessBlockConfiguration",
        "The public access block configuration was not found",
    )
    return {"PublicAccessBlockConfiguration": found}


@operation(
    "DeletePublicAccessBlock",
    action="s3:PutBucketPublicAccessBlock",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def delete_public_access_block(ctx: Context, request: Request) -> None:
    """Remove the configuration."""
    await _set(ctx, request["Bucket"], PublicAccessBlock=None)


@operation("PutBucketOwnershipControls", resource=bucket_resource, resource_policy=bucket_policy)
async def put_bucket_ownership_controls(ctx: Context, request: Request) -> None:
    """Say who owns objects: ACLs are not there yet, so the bucket's owner does."""
    rules = request["OwnershipControls"]["Rules"]
    if [rule.get("ObjectOwnership") for rule in rules] != ["BucketOwnerEnforced"]:
        raise NotImplementedHere("Object ownership other than BucketOwnerEnforced")
    await _set(ctx, request["Bucket"], OwnershipControls="BucketOwnerEnforced")


@operation("GetBucketOwnershipControls", resource=bucket_resource, resource_policy=bucket_policy)
async def get_bucket_ownership_controls(ctx: Context, request: Request) -> Request:
    """Who owns objects; `BucketOwnerEnforced` is S3's default for new buckets."""
    bucket = await find_bucket(ctx, request["Bucket"])
    kind = bucket.settings.get("OwnershipControls", "BucketOwnerEnforced")
    return {"OwnershipControls": {"Rules": [{"ObjectOwnership": kind}]}}


@operation("GetBucketAcl", resource=bucket_resource, resource_policy=bucket_policy)
async def get_bucket_acl(ctx: Context, request: Request) -> Request:
    """The only ACL there is where ACLs are off: the owner may do everything."""
    bucket = await find_bucket(ctx, request["Bucket"])
    grantee = {**owner(bucket.account), "Type": "CanonicalUser"}
    return {
        "Owner": owner(bucket.account),
        "Grants": [{"Grantee": grantee, "Permission": "FULL_CONTROL"}],
    }
