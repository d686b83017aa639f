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
    "GetBucketAccelerateConfiguration",
    action="s3:GetAccelerateConfiguration",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def get_bucket_accelerate_configuration(ctx: Context, request: Request) -> Request:
    """Acceleration never was on."""
    await find_bucket(ctx, request["Bucket"])
    return {}
