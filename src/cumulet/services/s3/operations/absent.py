"""Reads of settings that no bucket can have yet: S3's own answers for "there is none".

Infrastructure tools read all of these after they make a bucket.
"""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.kit.service import operation
from cumulet.services.s3.access import bucket_policy, bucket_resource
from cumulet.services.s3.errors import MissingConfiguration
from cumulet.services.s3.operations.bucket import find_bucket

Request = dict[str, Any]


async def _none(ctx: Context, request: Request, code: str, message: str) -> None:
    bucket = await find_bucket(ctx, request["Bucket"])
    raise MissingConfiguration(message, code=code, BucketName=bucket.name)


@operation(
    "GetBucketCors",
    action="s3:GetBucketCORS",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def get_bucket_cors(ctx: Context, request: Request) -> None:
    """There is none."""
    await _none(ctx, request, "NoSuchCORSConfiguration", "The CORS configuration does not exist")


@operation("GetBucketWebsite", resource=bucket_resource, resource_policy=bucket_policy)
async def get_bucket_website(ctx: Context, request: Request) -> None:
    """There is none."""
    await _none(
        ctx,
        request,
        "NoSuchWebsiteConfiguration",
        "The specified bucket does not have a website configuration",
    )


@operation(
    "GetBucketLifecycleConfiguration",
    action="s3:GetLifecycleConfiguration",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def get_bucket_lifecycle_configuration(ctx: Context, request: Request) -> None:
    """There is none."""
    await _none(
        ctx, request, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"
    )


@operation(
    "GetBucketReplication",
    action="s3:GetReplicationConfiguration",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def get_bucket_replication(ctx: Context, request: Request) -> None:
    """There is none."""
    await _none(
        ctx,
        request,
        "ReplicationConfigurationNotFoundError",
        "The replication configuration was not found",
    )


@operation(
    "GetObjectLockConfiguration",
    action="s3:GetBucketObjectLockConfiguration",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def get_object_lock_configuration(ctx: Context, request: Request) -> None:
    """There is none."""
    await _none(
        ctx,
        request,
        "ObjectLockConfigurationNotFoundError",
        "Object Lock configuration does not exist for this bucket",
    )


@operation("GetBucketLogging", resource=bucket_resource, resource_policy=bucket_policy)
async def get_bucket_logging(ctx: Context, request: Request) -> Request:
    """Logging is off."""
    await find_bucket(ctx, request["Bucket"])
    return {}


@operation(
    "GetBucketNotificationConfiguration",
    action="s3:GetBucketNotification",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def get_bucket_notification_configuration(ctx: Context, request: Request) -> Request:
    """Nothing is notified."""
    await find_bucket(ctx, request["Bucket"])
    return {}


@operation(
    "GetBucketAccelerateConfiguration",
    action="s3:GetAccelerateConfiguration",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def get_bucket_accelerate_configuration(ctx: Context, request: Request) -> Request:
    """Acceleration never was on."""
    await find_bucket(ctx, request["Bucket"])
    return {}


@operation("GetBucketRequestPayment", resource=bucket_resource, resource_policy=bucket_policy)
async def get_bucket_request_payment(ctx: Context, request: Request) -> Request:
    """The owner pays."""
    await find_bucket(ctx, request["Bucket"])
    return {"Payer": "BucketOwner"}
