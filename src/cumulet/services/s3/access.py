"""What a request needs permission for: resources, and the bucket's own policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from cumulet.core.context import Context
from cumulet.core.errors import AccessDenied
from cumulet.kit.service import OwnedPolicies
from cumulet.services.s3 import store
from cumulet.services.s3.errors import no_bucket, other_region
from cumulet.services.s3.model import Bucket, bucket_arn, object_arn
from cumulet.services.s3.rules.acl import asks_for_acl, without_public
from cumulet.services.s3.store.known import Buckets, Known, acl_policy

Request = dict[str, Any]


def bucket_resource(ctx: Context, request: Request) -> str:
    """The bucket of the request."""
    return bucket_arn(request["Bucket"])


def object_resource(ctx: Context, request: Request) -> str:
    """The object of the request."""
    return object_arn(request["Bucket"], request["Key"])


def versioned(action: str) -> Callable[[Context, Request], str]:
    """`s3:GetObject`, or `s3:GetObjectVersion` when the request names a version."""

    def name(ctx: Context, request: Request) -> str:
        if not request.get("VersionId"):
            return f"s3:{action}"
        return "s3:" + (
            action.replace("Object", "ObjectVersion")
            if action.endswith(("Tagging", "Acl"))
            else f"{action}Version"
        )

    return name


def writing(ctx: Context, request: Request) -> list[str]:
    """`s3:PutObject`, and what else the headers of a write need permission for."""
    actions = ["s3:PutObject"]
    if request.get("Tagging"):
        actions.append("s3:PutObjectTagging")
    if asks_for_acl(request):
        actions.append("s3:PutObjectAcl")
    if request.get("ObjectLockMode") or request.get("ObjectLockRetainUntilDate"):
        actions.append("s3:PutObjectRetention")
    if request.get("ObjectLockLegalHoldStatus"):
        actions.append("s3:PutObjectLegalHold")
    return actions


async def bucket_policy(ctx: Context, request: Request) -> OwnedPolicies:
    """The bucket's owner, policy and ACL, before any permission is asked for.

    Raises NoSuchBucket, PermanentRedirect, and AccessDenied when the owner is not the expected one.
    """
    known = await located_bucket(ctx, request)
    _check_region(ctx, known.bucket)
    return await _policies(ctx, known)


async def bucket_policy_anywhere(ctx: Context, request: Request) -> OwnedPolicies:
    """The same for operations that answer in every region."""
    return await _policies(ctx, await located_bucket(ctx, request))


async def write_policy(ctx: Context, request: Request) -> OwnedPolicies:
    """The same for new objects: who may write one by ACL may bring its ACL and tags along."""
    known = await located_bucket(ctx, request)
    _check_region(ctx, known.bucket)
    owned = await _policies(ctx, known)
    if known.write_acl is None or (
        known.has_public_acl
        and (await ctx.need(Buckets).blocks(known.bucket)).get("IgnorePublicAcls")
    ):
        return owned
    return OwnedPolicies(owned.owner, (*owned.policies, known.write_acl))


async def object_policy(ctx: Context, request: Request) -> OwnedPolicies:
    """The same for what belongs to an object's owner, with the object's own ACL."""
    known = await located_bucket(ctx, request)
    bucket = known.bucket
    _check_region(ctx, bucket)
    if not bucket.has_acls:
        return await _policies(ctx, known)
    stored = await ctx.transact(
        store.load_object, bucket.name, request["Key"], request.get("VersionId")
    )
    owned = await _policies(ctx, known)
    if stored is None:
        return owned
    policies = owned.policies
    if stored.grants is not None:
        blocks = await ctx.need(Buckets).blocks(bucket)
        ignores = blocks.get("IgnorePublicAcls")
        grants = without_public(stored.grants) if ignores else stored.grants
        acl = acl_policy(grants, "*", "object")
        policies = (*policies, acl) if acl is not None else policies
    return OwnedPolicies(stored.owner or bucket.account, policies)


async def own_policy(ctx: Context, request: Request) -> OwnedPolicies:
    """The same for operations on the policy itself, which never shuts out the owner's root.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
    """
    owned = await bucket_policy(ctx, request)
    if ctx.caller.is_root and ctx.caller.account == owned.owner:
        return OwnedPolicies(owned.owner)
    return owned


async def located_bucket(ctx: Context, request: Request) -> Known:
    """The bucket of the request, if the account owns it that the request expects."""
    known = await ctx.need(Buckets).get(request["Bucket"])
    if known is None:
        raise no_bucket(request["Bucket"])
    expected = request.get("ExpectedBucketOwner")
    if expected and expected != known.bucket.account:
        raise AccessDenied("Access Denied")
    return known


def _check_region(ctx: Context, bucket: Bucket) -> None:
    if bucket.region != ctx.scope.region and _names_a_region(ctx):
        raise other_region(bucket, ctx.endpoint)


def _names_a_region(ctx: Context) -> bool:
    """Whether the caller chose a region: version 4 signatures do, others and strangers do not."""
    request = ctx.request
    if request is None:
        return ctx.caller.kind not in ("anonymous", "service")
    return (
        request.headers.get("authorization").startswith("AWS4-")
        or "X-Amz-Credential=" in request.query
    )


async def _policies(ctx: Context, known: Known) -> OwnedPolicies:
    bucket = known.bucket
    if known.policy is None and known.open_acl is None:
        return OwnedPolicies(bucket.account)
    blocks = await ctx.need(Buckets).blocks(bucket)
    stranger = ctx.caller.account != bucket.account and ctx.caller.kind != "service"
    if stranger and known.is_public and blocks.get("RestrictPublicBuckets"):
        return OwnedPolicies(bucket.account)
    acl = known.own_acl if blocks.get("IgnorePublicAcls") else known.open_acl
    return OwnedPolicies(bucket.account, tuple(one for one in (known.policy, acl) if one))


def listing_conditions(ctx: Context, request: Request) -> Request:
    """`s3:prefix`, `s3:delimiter` and `s3:max-keys` of a listing."""
    found: Request = {"s3:prefix": request.get("Prefix") or ""}
    if request.get("Delimiter"):
        found["s3:delimiter"] = request["Delimiter"]
    if request.get("MaxKeys") is not None:
        found["s3:max-keys"] = str(request["MaxKeys"])
    return found


async def version_conditions(ctx: Context, request: Request) -> Request:
    """`s3:VersionId` when the request names one, and `s3:ExistingObjectTag/…` of the object."""
    version_id = request.get("VersionId")
    found: Request = {"s3:VersionId": version_id} if version_id else {}
    stored = await ctx.transact(store.load_object, request["Bucket"], request["Key"], version_id)
    if stored is not None:
        found |= {f"s3:ExistingObjectTag/{key}": value for key, value in stored.tags.items()}
    if request.get("Tagging") is not None:
        found |= _requested_tags(request["Tagging"])
    return found


_WRITE_KEYS = {
    "ACL": "s3:x-amz-acl",
    "CopySource": "s3:x-amz-copy-source",
    "MetadataDirective": "s3:x-amz-metadata-directive",
    "ServerSideEncryption": "s3:x-amz-server-side-encryption",
    "SSECustomerAlgorithm": "s3:x-amz-server-side-encryption-customer-algorithm",
    "StorageClass": "s3:x-amz-storage-class",
    "WebsiteRedirectLocation": "s3:x-amz-website-redirect-location",
    "ObjectLockMode": "s3:object-lock-mode",
    "ObjectLockLegalHoldStatus": "s3:object-lock-legal-hold",
    "IfNoneMatch": "s3:if-none-match",
    "IfMatch": "s3:if-match",
    "GrantFullControl": "s3:x-amz-grant-full-control",
    "GrantRead": "s3:x-amz-grant-read",
    "GrantReadACP": "s3:x-amz-grant-read-acp",
    "GrantWrite": "s3:x-amz-grant-write",
    "GrantWriteACP": "s3:x-amz-grant-write-acp",
}
"""https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html"""


def write_conditions(ctx: Context, request: Request) -> Request:
    """The keys of a write: what its headers ask for."""
    found: Request = {
        key: str(request[member]) for member, key in _WRITE_KEYS.items() if request.get(member)
    }
    if request.get("Tagging"):
        found |= _requested_tags(request["Tagging"])
    return found


def _requested_tags(tagging: Any) -> Request:
    pairs = (
        parse_qsl(tagging, keep_blank_values=True)
        if isinstance(tagging, str)
        else [(tag["Key"], tag["Value"]) for tag in tagging.get("TagSet") or []]
    )
    found: Request = {f"s3:RequestObjectTag/{key}": value for key, value in pairs}
    if pairs:
        found["s3:RequestObjectTagKeys"] = [key for key, _ in pairs]
    return found
