"""CloudFormation types of S3.

Follows https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_S3.html
"""

from __future__ import annotations

import json
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.kit.resources import (
    FLAG,
    JSON,
    TAGS,
    TEXT,
    Draft,
    Props,
    Provisioned,
    ResourceType,
    list_of,
    struct,
)
from cumulet.services.s3.model import bucket_arn
from cumulet.services.s3.operations.bucket import PUBLIC_ACCESS_BLOCKS

_BUCKET = struct(
    {
        "BucketName": TEXT,
        "Tags": TAGS,
        "VersioningConfiguration": struct({"Status": TEXT}, "Status"),
        "PublicAccessBlockConfiguration": struct(dict.fromkeys(PUBLIC_ACCESS_BLOCKS, FLAG)),
        "OwnershipControls": struct({"Rules": list_of(struct({"ObjectOwnership": TEXT}))}, "Rules"),
        "BucketEncryption": struct(
            {
                "ServerSideEncryptionConfiguration": list_of(
                    struct(
                        {
                            "BucketKeyEnabled": FLAG,
                            "ServerSideEncryptionByDefault": struct(
                                {"SSEAlgorithm": TEXT}, "SSEAlgorithm"
                            ),
                        }
                    )
                )
            },
            "ServerSideEncryptionConfiguration",
        ),
    }
)


def _bucket(ctx: Context, name: str) -> Provisioned:
    region = ctx.scope.region
    return Provisioned(
        name,
        {
            "Arn": bucket_arn(name),
            "DomainName": f"{name}.s3.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
            "DualStackDomainName": f"{name}.s3.dualstack.{region}.amazonaws.com",
            "WebsiteURL": f"http://{name}.s3-website-{region}.amazonaws.com",
        },
    )


async def _create_bucket(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    name = props.get("BucketName") or draft.name(63, lower=True)
    request: dict[str, Any] = {"Bucket": name}
    if ctx.scope.region != "us-east-1":
        request["CreateBucketConfiguration"] = {"LocationConstraint": ctx.scope.region}
    if "BucketName" in props and await _exists(ctx, name):
        raise AwsError(f"{name} already exists", code="AlreadyExists")
    try:
        await ctx.call("s3", "CreateBucket", **request)
    except AwsError as error:
        if error.code != "BucketAlreadyOwnedByYou":
            raise
    await _configure(ctx, name, {}, props)
    return _bucket(ctx, name)


async def _exists(ctx: Context, name: str) -> bool:
    found = await ctx.call("s3", "ListBuckets", Prefix=name)
    return any(bucket["Name"] == name for bucket in found["Buckets"])


async def _configure(ctx: Context, name: str, old: Props, new: Props) -> None:
    """Bring the bucket's settings from what `old` says to what `new` says."""
    tags = [dict(tag) for tag in new.get("Tags", [])]
    if tags:
        await ctx.call("s3", "PutBucketTagging", Bucket=name, Tagging={"TagSet": tags})
    elif old.get("Tags"):
        await ctx.call("s3", "DeleteBucketTagging", Bucket=name)
    versioning = new.get("VersioningConfiguration")
    if versioning is None and old.get("VersioningConfiguration"):
        versioning = {"Status": "Suspended"}
    if versioning is not None:
        await ctx.call(
            "s3", "PutBucketVersioning", Bucket=name, VersioningConfiguration=dict(versioning)
        )
    block = new.get("PublicAccessBlockConfiguration")
    if block is None and "PublicAccessBlockConfiguration" in old:
        block = dict.fromkeys(PUBLIC_ACCESS_BLOCKS, True)
    if block is not None:
        await ctx.call(
            "s3", "PutPublicAccessBlock", Bucket=name, PublicAccessBlockConfiguration=dict(block)
        )
    if "OwnershipControls" in new:
        rules = [dict(rule) for rule in new["OwnershipControls"]["Rules"]]
        await ctx.call(
            "s3", "PutBucketOwnershipControls", Bucket=name, OwnershipControls={"Rules": rules}
        )
    encryption = new.get("BucketEncryption")
    if encryption is not None:
        rules = [
            {
                "ApplyServerSideEncryptionByDefault": dict(
                    rule.get("ServerSideEncryptionByDefault", {})
                ),
                "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
            }
            for rule in encryption["ServerSideEncryptionConfiguration"]
        ]
        await ctx.call(
            "s3",
            "PutBucketEncryption",
            Bucket=name,
            ServerSideEncryptionConfiguration={"Rules": rules},
        )
    elif old.get("BucketEncryption"):
        await ctx.call("s3", "DeleteBucketEncryption", Bucket=name)


async def _update_bucket(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    await _configure(ctx, physical_id, old, new)
    return _bucket(ctx, physical_id)


async def _delete_bucket(ctx: Context, physical_id: str, props: Props) -> None:
    try:
        await ctx.call("s3", "DeleteBucket", Bucket=physical_id)
    except AwsError as error:
        if error.code != "NoSuchBucket":
            raise


async def _read_bucket(ctx: Context, physical_id: str, props: Props) -> Props | None:
    if not await _exists(ctx, physical_id):
        return None
    shown: dict[str, Any] = {"BucketName": physical_id}
    versioning = await ctx.call("s3", "GetBucketVersioning", Bucket=physical_id)
    if versioning:
        shown["VersioningConfiguration"] = {"Status": versioning["Status"]}
    try:
        tags = await ctx.call("s3", "GetBucketTagging", Bucket=physical_id)
        shown["Tags"] = tags["TagSet"]
    except AwsError as error:
        if error.code != "NoSuchTagSet":
            raise
    return shown


async def _put_policy(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    policy = props["PolicyDocument"]
    text = policy if isinstance(policy, str) else json.dumps(policy)
    await ctx.call("s3", "PutBucketPolicy", Bucket=props["Bucket"], Policy=text)
    return Provisioned(str(props["Bucket"]))


async def _update_policy(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    return await _put_policy(ctx, new, draft)


async def _delete_policy(ctx: Context, physical_id: str, props: Props) -> None:
    try:
        await ctx.call("s3", "DeleteBucketPolicy", Bucket=props["Bucket"])
    except AwsError as error:
        if error.code != "NoSuchBucket":
            raise


RESOURCES = (
    ResourceType(
        "AWS::S3::Bucket",
        _BUCKET,
        create=_create_bucket,
        update=_update_bucket,
        delete=_delete_bucket,
        read=_read_bucket,
        replace_on=frozenset({"BucketName"}),
        attributes=frozenset(
            {"Arn", "DomainName", "RegionalDomainName", "DualStackDomainName", "WebsiteURL"}
        ),
    ),
    ResourceType(
        "AWS::S3::BucketPolicy",
        struct({"Bucket": TEXT, "PolicyDocument": JSON}, "Bucket", "PolicyDocument"),
        create=_put_policy,
        update=_update_policy,
        delete=_delete_policy,
        replace_on=frozenset({"Bucket"}),
    ),
)
