"""Settings of buckets: versioning, tags, policy, encryption, public access, ownership.

A setting that Cumulet does not honour yet has no Put; its Get answers that there is none.
"""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AccessDenied
from cumulet.kit import policy
from cumulet.kit.policy import check_document
from cumulet.kit.service import operation
from cumulet.services.s3.access import bucket_policy, bucket_resource, own_policy
from cumulet.services.s3.drafts import read_tags
from cumulet.services.s3.errors import (
    InvalidRequest,
    MalformedPolicy,
    MissingConfiguration,
    NotImplementedHere,
    malformed_xml,
    no_bucket,
)
from cumulet.services.s3.limits import BUCKET_TAGS_MAX, POLICY_BYTES_MAX
from cumulet.services.s3.operations.bucket import PUBLIC_ACCESS_BLOCKS, find_bucket
from cumulet.services.s3.operations.settings.change import (
    change_bucket,
    get_setting,
    set_setting,
)
from cumulet.services.s3.rules.locks import has_lock
from cumulet.services.s3.rules.public_access import is_public
from cumulet.services.s3.store.known import Buckets

Request = dict[str, Any]


@operation("PutBucketVersioning", resource=bucket_resource, resource_policy=bucket_policy)
async def put_bucket_versioning(ctx: Context, request: Request) -> None:
    """Turn versioning on, or suspend it; it can never be off again."""
    configuration = request["VersioningConfiguration"]
    if configuration.get("MFADelete") == "Enabled":
        raise NotImplementedHere("MFA delete")
    status = configuration.get("Status")
    if status not in ("Enabled", "Suspended"):
        raise malformed_xml()
    if status == "Suspended" and has_lock(await find_bucket(ctx, request["Bucket"])):
        raise InvalidRequest(
            "An Object Lock configuration is present on this bucket, so the versioning state "
            "cannot be changed.",
            code="InvalidBucketState",
            http_status=409,
        )
    await change_bucket(ctx, request["Bucket"], versioning=status)


@operation("GetBucketVersioning", resource=bucket_resource, resource_policy=bucket_policy)
async def get_bucket_versioning(ctx: Context, request: Request) -> Request:
    """Whether versioning is on or suspended; nothing when it never was on."""
    bucket = await find_bucket(ctx, request["Bucket"])
    return {"Status": bucket.versioning} if bucket.versioning else {}


@operation("PutBucketTagging", resource=bucket_resource, resource_policy=bucket_policy)
async def put_bucket_tagging(ctx: Context, request: Request) -> None:
    """Replace the bucket's tags."""
    tags = read_tags(request["Tagging"]["TagSet"], BUCKET_TAGS_MAX)
    await change_bucket(ctx, request["Bucket"], tags=tags)


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
    await change_bucket(ctx, request["Bucket"], tags={})


@operation("PutBucketPolicy", resource=bucket_resource, resource_policy=own_policy)
async def put_bucket_policy(ctx: Context, request: Request) -> None:
    """Attach a policy to the bucket."""
    text = request["Policy"]
    if len(text.encode()) > POLICY_BYTES_MAX:
        raise MalformedPolicy("Policies must be at most 20480 bytes in size")
    _check_policy(text, bucket_resource(ctx, request))
    blocked = await ctx.need(Buckets).blocks(await find_bucket(ctx, request["Bucket"]))
    if blocked.get("BlockPublicPolicy") and is_public(text):
        raise AccessDenied(
            f"User: {ctx.caller.arn} is not authorized to perform: s3:PutBucketPolicy on resource: "
            f'"{bucket_resource(ctx, request)}" because public policies are prevented by the '
            "BlockPublicPolicy setting in S3 Block Public Access."
        )
    await change_bucket(ctx, request["Bucket"], policy=text)


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
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
        if "NotPrincipal" in statement and statement["Effect"] == "Allow":
            raise MalformedPolicy("Allow with NotPrincipal is not allowed.")
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
    await change_bucket(ctx, request["Bucket"], policy="")


@operation("GetBucketPolicyStatus", resource=bucket_resource, resource_policy=bucket_policy)
async def get_bucket_policy_status(ctx: Context, request: Request) -> Request:
    """Whether the bucket's policy lets in everyone."""
    known = await ctx.need(Buckets).get(request["Bucket"])
    if known is None:
        raise no_bucket(request["Bucket"])
    if known.policy is None and not known.has_public_acl:
        raise MissingConfiguration(
            "The bucket policy does not exist",
            code="NoSuchBucketPolicy",
            BucketName=request["Bucket"],
        )
    return {"PolicyStatus": {"IsPublic": known.is_public or known.has_public_acl}}


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
    await set_setting(ctx, request["Bucket"], Encryption=rules)


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
    await set_setting(ctx, request["Bucket"], Encryption=None)


@operation(
    "PutPublicAccessBlock",
    action="s3:PutBucketPublicAccessBlock",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def put_public_access_block(ctx: Context, request: Request) -> None:
    """Say which ways to public access are shut."""
    given = request["PublicAccessBlockConfiguration"]
    await set_setting(
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
    found = await get_setting(
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
    await set_setting(ctx, request["Bucket"], PublicAccessBlock=None)


@operation("GetBucketOwnershipControls", resource=bucket_resource, resource_policy=bucket_policy)
async def get_bucket_ownership_controls(ctx: Context, request: Request) -> Request:
    """Who owns objects; `BucketOwnerEnforced` is S3's default for new buckets."""
    bucket = await find_bucket(ctx, request["Bucket"])
    kind = bucket.settings.get("OwnershipControls", "BucketOwnerEnforced")
    return {"OwnershipControls": {"Rules": [{"ObjectOwnership": kind}]}}
