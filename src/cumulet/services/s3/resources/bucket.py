"""The types of buckets and of their policies.

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
    PartlyMade,
    Props,
    Provisioned,
    ResourceType,
    list_of,
    struct,
)
from cumulet.kit.tls.hosts import zone_of
from cumulet.services.s3.errors import MissingConfiguration, NoSuchBucket
from cumulet.services.s3.model import bucket_arn
from cumulet.services.s3.operations.bucket import PUBLIC_ACCESS_BLOCKS
from cumulet.services.s3.resources.settings import SETTINGS, SETTINGS_SCHEMA

_BUCKET = struct(
    {
        "AccessControl": TEXT,
        "BucketName": TEXT,
        "Tags": TAGS,
        "ObjectLockEnabled": FLAG,
        **SETTINGS_SCHEMA,
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
            "WebsiteURL": _website_url(name, region, ctx.endpoint),
        },
    )


def _website_url(name: str, region: str, endpoint: str) -> str:
    """Where the website answers on this cloud; the origin of its pages, too."""
    scheme = endpoint.partition("://")[0]
    return f"{scheme}://{name}.s3-website-{region}.{zone_of(endpoint)}"


async def _create_bucket(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    given = props.get("BucketName")
    name = given or draft.name(63, lower=True)
    if given and not draft.resumed and await _is_taken(ctx, name):
        raise AwsError(f"{name} already exists", code="AlreadyExists")
    request: dict[str, Any] = {"Bucket": name, **_at_creation(props)}
    if ctx.scope.region != "us-east-1":
        request["CreateBucketConfiguration"] = {"LocationConstraint": ctx.scope.region}
    try:
        await ctx.call("s3", "CreateBucket", **request)
    except AwsError as error:
        if error.code != "BucketAlreadyOwnedByYou":
            raise
    made = _bucket(ctx, name)
    try:
        await _configure(ctx, name, {}, props)
    except AwsError as error:
        raise PartlyMade(name, made.attributes) from error
    return made


async def _is_taken(ctx: Context, name: str) -> bool:
    """Whether the name is some bucket's, of whatever account and region."""
    try:
        await ctx.call("s3", "HeadBucket", Bucket=name)
    except NoSuchBucket:
        return False
    except AwsError:
        return True
    return True


_ACLS = {
    "Private": "private",
    "PublicRead": "public-read",
    "PublicReadWrite": "public-read-write",
    "AuthenticatedRead": "authenticated-read",
    "LogDeliveryWrite": "log-delivery-write",
    "BucketOwnerRead": "bucket-owner-read",
    "BucketOwnerFullControl": "bucket-owner-full-control",
}


def _at_creation(props: Props) -> dict[str, Any]:
    """What only CreateBucket can say."""
    made: dict[str, Any] = {}
    if props.get("ObjectLockEnabled"):
        made["ObjectLockEnabledForBucket"] = True
    if "OwnershipControls" in props:
        made["ObjectOwnership"] = props["OwnershipControls"]["Rules"][0]["ObjectOwnership"]
    return made


async def _put_acl(ctx: Context, name: str, old: Props, new: Props) -> None:
    acl = new.get("AccessControl", "Private")
    if acl == old.get("AccessControl", "Private"):
        return
    if acl not in _ACLS:
        raise AwsError(f"AccessControl: {acl} is not a canned ACL", code="ValidationError")
    await ctx.call("s3", "PutBucketAcl", Bucket=name, ACL=_ACLS[acl])


async def _put_settings(ctx: Context, name: str, old: Props, new: Props) -> None:
    for prop, setting in SETTINGS.items():
        if prop in new:
            await ctx.call("s3", setting.put, Bucket=name, **setting.members(new[prop]))
        elif prop in old:
            await ctx.call("s3", setting.remove, Bucket=name, **setting.removal())


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
    await _put_acl(ctx, name, old, new)
    await _put_settings(ctx, name, old, new)


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
    try:
        versioning = await ctx.call("s3", "GetBucketVersioning", Bucket=physical_id)
    except NoSuchBucket:
        return None
    shown: dict[str, Any] = {"BucketName": physical_id}
    if versioning:
        shown["VersioningConfiguration"] = {"Status": versioning["Status"]}
    if found := await _told(ctx, "GetBucketTagging", physical_id):
        shown["Tags"] = found["TagSet"]
    if found := await _told(ctx, "GetPublicAccessBlock", physical_id):
        shown["PublicAccessBlockConfiguration"] = found["PublicAccessBlockConfiguration"]
    if "OwnershipControls" in props:
        found = await ctx.call("s3", "GetBucketOwnershipControls", Bucket=physical_id)
        shown["OwnershipControls"] = found["OwnershipControls"]
    if "BucketEncryption" in props:
        found = await ctx.call("s3", "GetBucketEncryption", Bucket=physical_id)
        shown["BucketEncryption"] = _shown_encryption(found, props)
    for prop in SETTINGS.keys() & props.keys():
        is_same = await _is_as_told(ctx, physical_id, prop, props[prop])
        shown[prop] = props[prop] if is_same else {}
    return shown


async def _is_as_told(ctx: Context, bucket: str, prop: str, given: Any) -> bool:
    """Whether a configuration still is what the template made it."""
    setting = SETTINGS[prop]
    try:
        found = await _told(ctx, setting.get, bucket)
    except AwsError:
        return False
    (expected,) = setting.members(given).values()
    return found is not None and setting.compared(found) == setting.compared(expected)


async def _told(ctx: Context, operation: str, bucket: str) -> dict[str, Any] | None:
    """The answer, or None when the bucket has no such configuration."""
    try:
        found: dict[str, Any] = await ctx.call("s3", operation, Bucket=bucket)
    except MissingConfiguration:
        return None
    return found


def _shown_encryption(found: dict[str, Any], props: Props) -> dict[str, Any]:
    says_keys = any(
        "BucketKeyEnabled" in rule
        for rule in props["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    )
    rules = []
    for rule in found["ServerSideEncryptionConfiguration"]["Rules"]:
        default = rule["ApplyServerSideEncryptionByDefault"]
        shown = {"ServerSideEncryptionByDefault": default}
        if says_keys:
            shown["BucketKeyEnabled"] = rule["BucketKeyEnabled"]
        rules.append(shown)
    return {"ServerSideEncryptionConfiguration": rules}


async def _create_policy(ctx: Context, props: Props, draft: Draft) -> Provisioned:
    bucket = str(props["Bucket"])
    if not draft.resumed and await _told(ctx, "GetBucketPolicy", bucket):
        raise AwsError(
            f"The bucket policy already exists on bucket {bucket}.", code="AlreadyExists"
        )
    return await _put_policy(ctx, props)


async def _put_policy(ctx: Context, props: Props) -> Provisioned:
    policy = props["PolicyDocument"]
    text = policy if isinstance(policy, str) else json.dumps(policy)
    await ctx.call("s3", "PutBucketPolicy", Bucket=props["Bucket"], Policy=text)
    return Provisioned(str(props["Bucket"]))


async def _update_policy(
    ctx: Context, physical_id: str, old: Props, new: Props, draft: Draft
) -> Provisioned:
    return await _put_policy(ctx, new)


async def _read_policy(ctx: Context, physical_id: str, props: Props) -> Props | None:
    try:
        found = await _told(ctx, "GetBucketPolicy", physical_id)
    except NoSuchBucket:
        return None
    if found is None:
        return None
    return {"Bucket": physical_id, "PolicyDocument": json.loads(found["Policy"])}


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
        replace_on=frozenset({"BucketName", "ObjectLockEnabled"}),
        attributes=frozenset(
            {"Arn", "DomainName", "RegionalDomainName", "DualStackDomainName", "WebsiteURL"}
        ),
    ),
    ResourceType(
        "AWS::S3::BucketPolicy",
        struct({"Bucket": TEXT, "PolicyDocument": JSON}, "Bucket", "PolicyDocument"),
        create=_create_policy,
        update=_update_policy,
        delete=_delete_policy,
        read=_read_policy,
        replace_on=frozenset({"Bucket"}),
    ),
)
