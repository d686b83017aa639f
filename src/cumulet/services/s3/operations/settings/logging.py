"""Access logs of buckets: where their lines go. `front` gathers the lines."""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.kit.service import operation
from cumulet.services.s3.access import bucket_policy, bucket_resource
from cumulet.services.s3.errors import InvalidRequest, NotImplementedHere, malformed_xml
from cumulet.services.s3.operations.bucket import find_bucket
from cumulet.services.s3.operations.settings.change import set_setting
from cumulet.services.s3.store.known import Buckets

Request = dict[str, Any]

SOURCES = ("EventTime", "DeliveryTime")


@operation("PutBucketLogging", resource=bucket_resource, resource_policy=bucket_policy)
async def put_bucket_logging(ctx: Context, request: Request) -> None:
    """Write a line for each request into a bucket of the same account and region, or stop it."""
    bucket = await find_bucket(ctx, request["Bucket"])
    logging = (request.get("BucketLoggingStatus") or {}).get("LoggingEnabled")
    if not logging:
        await set_setting(ctx, bucket.name, Logging=None)
        return
    if logging.get("TargetGrants"):
        raise NotImplementedHere("Target grants of access logs")
    form = logging.get("TargetObjectKeyFormat") or {}
    if len(form) > 1:
        raise malformed_xml()
    partitioned = form.get("PartitionedPrefix")
    if partitioned is not None and partitioned.get("PartitionDateSource") not in SOURCES:
        raise malformed_xml()
    if not logging.get("TargetBucket") or logging.get("TargetPrefix") is None:
        raise malformed_xml()
    target = await ctx.need(Buckets).get(logging["TargetBucket"])
    place = (bucket.account, bucket.region)
    if target is None or (target.bucket.account, target.bucket.region) != place:
        raise InvalidRequest(
            "The target bucket for logging does not exist, is not owned by you, or is in another "
            "region.",
            code="InvalidTargetBucketForLogging",
            TargetBucket=logging["TargetBucket"],
        )
    await set_setting(ctx, bucket.name, Logging=logging)


@operation("GetBucketLogging", resource=bucket_resource, resource_policy=bucket_policy)
async def get_bucket_logging(ctx: Context, request: Request) -> Request:
    """Where the lines go."""
    bucket = await find_bucket(ctx, request["Bucket"])
    found = bucket.settings.get("Logging")
    return {"LoggingEnabled": found} if found else {}
