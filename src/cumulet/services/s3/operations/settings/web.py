"""Settings for browsers: CORS rules and the website of a bucket."""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.kit.service import operation
from cumulet.services.s3.access import bucket_policy, bucket_resource
from cumulet.services.s3.operations.settings.change import get_setting, set_setting
from cumulet.services.s3.rules.cors import check_cors
from cumulet.services.s3.rules.website import check_website

Request = dict[str, Any]


@operation(
    "PutBucketCors",
    action="s3:PutBucketCORS",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def put_bucket_cors(ctx: Context, request: Request) -> None:
    """Say which pages of other origins may use the bucket."""
    rules = (request.get("CORSConfiguration") or {}).get("CORSRules") or []
    check_cors(rules)
    await set_setting(ctx, request["Bucket"], CORS=rules)


@operation(
    "GetBucketCors",
    action="s3:GetBucketCORS",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def get_bucket_cors(ctx: Context, request: Request) -> Request:
    """Which pages of other origins may use the bucket."""
    rules = await get_setting(
        ctx,
        request["Bucket"],
        "CORS",
        "NoSuchCORSConfiguration",
        "The CORS configuration does not exist",
    )
    return {"CORSRules": rules}


@operation(
    "DeleteBucketCors",
    action="s3:PutBucketCORS",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def delete_bucket_cors(ctx: Context, request: Request) -> None:
    """Let no pages of other origins use the bucket."""
    await set_setting(ctx, request["Bucket"], CORS=None)


@operation("PutBucketWebsite", resource=bucket_resource, resource_policy=bucket_policy)
async def put_bucket_website(ctx: Context, request: Request) -> None:
    """Make a website of the bucket."""
    website = request.get("WebsiteConfiguration") or {}
    check_website(website)
    await set_setting(ctx, request["Bucket"], Website=website)


@operation("GetBucketWebsite", resource=bucket_resource, resource_policy=bucket_policy)
async def get_bucket_website(ctx: Context, request: Request) -> Request:
    """The website that the bucket is."""
    found: Request = await get_setting(
        ctx,
        request["Bucket"],
        "Website",
        "NoSuchWebsiteConfiguration",
        "The specified bucket does not have a website configuration",
    )
    return found


@operation("DeleteBucketWebsite", resource=bucket_resource, resource_policy=bucket_policy)
async def delete_bucket_website(ctx: Context, request: Request) -> None:
    """Let the bucket be no website."""
    await set_setting(ctx, request["Bucket"], Website=None)
