"""What a request needs permission for: resources, and the bucket's own policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cumulet.core.context import Context
from cumulet.core.errors import AccessDenied
from cumulet.kit.policy import parse_policy
from cumulet.kit.service import OwnedPolicies
from cumulet.services.s3 import store
from cumulet.services.s3.errors import no_bucket, other_region
from cumulet.services.s3.model import Bucket, bucket_arn, object_arn
from cumulet.services.s3.public_access import is_public

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
            action.replace("ObjectTagging", "ObjectVersionTagging")
            if action.endswith("Tagging")
            else f"{action}Version"
        )

    return name


def writing(ctx: Context, request: Request) -> list[str]:
    """`s3:PutObject`, and `s3:PutObjectTagging` when the request brings tags."""
    return ["s3:PutObject", *(["s3:PutObjectTagging"] if request.get("Tagging") else [])]


async def bucket_policy(ctx: Context, request: Request) -> OwnedPolicies:
    """The bucket's owner and policy, before any permission is asked for.

    Raises NoSuchBucket, PermanentRedirect, and AccessDenied when the owner is not the expected one.
    """
    bucket = await located_bucket(ctx, request)
    if bucket.region != ctx.scope.region and _names_a_region(ctx):
        raise other_region(bucket, ctx.endpoint)
    return _policies(ctx, bucket)


async def bucket_policy_anywhere(ctx: Context, request: Request) -> OwnedPolicies:
    """The same for operations that answer in every region."""
    return _policies(ctx, await located_bucket(ctx, request))


async def own_policy(ctx: Context, request: Request) -> OwnedPolicies:
    """The same for operations on the policy itself, which never shuts out the owner's root.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
    """
    owned = await bucket_policy(ctx, request)
    if ctx.caller.is_root and ctx.caller.account == owned.owner:
        return OwnedPolicies(owned.owner)
    return owned


async def located_bucket(ctx: Context, request: Request) -> Bucket:
    """The bucket of the request, if the account owns it that the request expects."""
    bucket = await ctx.transact(store.load_bucket, request["Bucket"])
    if bucket is None:
        raise no_bucket(request["Bucket"])
    expected = request.get("ExpectedBucketOwner")
    if expected and expected != bucket.account:
        raise AccessDenied("Access Denied")
    return bucket


def _names_a_region(ctx: Context) -> bool:
    """Whether the caller chose a region: version 4 signatures do, others and strangers do not."""
    request = ctx.request
    if request is None:
        return ctx.caller.kind not in ("anonymous", "service")
    return (
        request.headers.get("authorization").startswith("AWS4-")
        or "X-Amz-Credential=" in request.query
    )


def _policies(ctx: Context, bucket: Bucket) -> OwnedPolicies:
    if not bucket.policy:
        return OwnedPolicies(bucket.account)
    restricted = (bucket.settings.get("PublicAccessBlock") or {}).get("RestrictPublicBuckets")
    stranger = ctx.caller.account != bucket.account and ctx.caller.kind != "service"
    if restricted and stranger and is_public(bucket.policy):
        return OwnedPolicies(bucket.account)
    return OwnedPolicies(bucket.account, (parse_policy("bucket policy", bucket.policy),))


def listing_conditions(ctx: Context, request: Request) -> Request:
    """`s3:prefix`, `s3:delimiter` and `s3:max-keys` of a listing."""
    found: Request = {"s3:prefix": request.get("Prefix") or ""}
    if request.get("Delimiter"):
        found["s3:delimiter"] = request["Delimiter"]
    if request.get("MaxKeys") is not None:
        found["s3:max-keys"] = str(request["MaxKeys"])
    return found


def version_conditions(ctx: Context, request: Request) -> Request:
    """`s3:VersionId`, when the request names one."""
    return {"s3:VersionId": request["VersionId"]} if request.get("VersionId") else {}
