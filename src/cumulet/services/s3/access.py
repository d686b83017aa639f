"""What a request needs permission for: resources, and the bucket's own policy."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from cumulet.core.context import Context
from cumulet.kit.policy import parse_policy
from cumulet.kit.service import OwnedPolicies
from cumulet.services.s3 import store
from cumulet.services.s3.errors import no_bucket
from cumulet.services.s3.model import bucket_arn, object_arn

Request = dict[str, Any]

_NARROWING_KEYS = frozenset(
    {
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principalarn",
        "aws:principalaccount",
        "aws:sourceip",
        "aws:sourcearn",
        "aws:sourceaccount",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:sourceowner",
        "aws:userid",
        "s3:dataaccesspointarn",
        "s3:dataaccesspointaccount",
    }
)


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


async def bucket_policy(ctx: Context, request: Request) -> OwnedPolicies:
    """The bucket's owner and policy. Raises NoSuchBucket before any permission is asked for."""
    bucket = await ctx.transact(store.load_bucket, request["Bucket"])
    if bucket is None:
        raise no_bucket(request["Bucket"])
    if not bucket.policy:
        return OwnedPolicies(bucket.account)
    restricted = (bucket.settings.get("PublicAccessBlock") or {}).get("RestrictPublicBuckets")
    stranger = ctx.caller.account != bucket.account and ctx.caller.kind != "service"
    if restricted and stranger and is_public(bucket.policy):
        return OwnedPolicies(bucket.account)
    return OwnedPolicies(bucket.account, (parse_policy("bucket policy", bucket.policy),))


def is_public(text: str) -> bool:
    """Whether a policy lets in everyone, as S3 Block Public Access understands "public".

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
    """
    statements = json.loads(text).get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal")
        named = principal.get("AWS") if isinstance(principal, dict) else principal
        everyone = named == "*" or (isinstance(named, list) and "*" in named)
        if statement.get("Effect") != "Allow" or not (everyone or "NotPrincipal" in statement):
            continue
        keys = {
            key.lower() for tests in (statement.get("Condition") or {}).values() for key in tests
        }
        if not keys & _NARROWING_KEYS:
            return True
    return False


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
