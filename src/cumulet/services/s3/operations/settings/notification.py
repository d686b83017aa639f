"""Who is told of what happens in a bucket. Also who pays for requests."""

from __future__ import annotations

from typing import Any

import orjson

from cumulet.core.clock import iso_time, new_hex
from cumulet.core.context import Context
from cumulet.core.errors import AwsError
from cumulet.core.identity import parse_arn, service_principal
from cumulet.kit.service import operation
from cumulet.services.s3.access import bucket_policy, bucket_resource
from cumulet.services.s3.errors import InvalidArgument, malformed_xml
from cumulet.services.s3.model import Bucket, bucket_arn
from cumulet.services.s3.operations.bucket import find_bucket
from cumulet.services.s3.operations.settings.change import set_setting
from cumulet.services.s3.rules.events import KINDS, check_notifications, entries_of

Request = dict[str, Any]

PRINCIPAL = "s3.amazonaws.com"


def as_s3(ctx: Context, bucket: Bucket, region: str) -> Context:
    """S3 itself, on behalf of a bucket: what function and queue policies decide about."""
    said = {"aws:SourceArn": bucket_arn(bucket.name), "aws:SourceAccount": bucket.account}
    return ctx.acting_as(service_principal(PRINCIPAL, bucket.account, said), region=region)


async def deliver(ctx: Context, bucket: Bucket, target: str, body: str, *, test: bool) -> None:
    """Send a message to a function or a queue; raises what it answers.

    A test asks a function only whether it may be invoked.
    """
    arn = parse_arn(target)
    assert arn is not None
    acting = as_s3(ctx, bucket, arn.region)
    if arn.service == "lambda":
        await acting.call(
            "lambda",
            "Invoke",
            FunctionName=target,
            InvocationType="DryRun" if test else "Event",
            Payload=body.encode(),
        )
        return
    url = f"{ctx.endpoint}/{arn.account}/{arn.resource}"
    await acting.call("sqs", "SendMessage", QueueUrl=url, MessageBody=body)


@operation(
    "PutBucketNotificationConfiguration",
    action="s3:PutBucketNotification",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def put_bucket_notification_configuration(ctx: Context, request: Request) -> None:
    """Replace the configuration, once every target has taken a test."""
    bucket = await find_bucket(ctx, request["Bucket"])
    configuration = request.get("NotificationConfiguration") or {}
    check_notifications(configuration)
    kept: Request = {}
    for name in KINDS:
        if configuration.get(name):
            kept[name] = [
                {**entry, "Id": entry.get("Id") or new_hex(ctx.clock, 24)}
                for entry in configuration[name]
            ]
    if not request.get("SkipDestinationValidation"):
        await _test(ctx, bucket, kept)
    await set_setting(ctx, bucket.name, Notification=kept or None)


async def _test(ctx: Context, bucket: Bucket, configuration: Request) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html"""
    body = orjson.dumps(
        {
            "Service": "Amazon S3",
            "Event": "s3:TestEvent",
            "Time": iso_time(ctx.clock.now()),
            "Bucket": bucket.name,
            "RequestId": ctx.request_id,
            "HostId": ctx.request_id,
        }
    ).decode()
    for target in dict.fromkeys(target for target, _, _ in entries_of(configuration)):
        try:
            await deliver(ctx, bucket, target, body, test=True)
        except AwsError as cause:
            raise InvalidArgument(
                "Unable to validate the following destination configurations",
                ArgumentName1=target,
                ArgumentValue1=cause.message,
            ) from cause


@operation(
    "GetBucketNotificationConfiguration",
    action="s3:GetBucketNotification",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def get_bucket_notification_configuration(ctx: Context, request: Request) -> Request:
    """Who is told of what."""
    bucket = await find_bucket(ctx, request["Bucket"])
    found: Request = bucket.settings.get("Notification") or {}
    return found


@operation("PutBucketRequestPayment", resource=bucket_resource, resource_policy=bucket_policy)
async def put_bucket_request_payment(ctx: Context, request: Request) -> None:
    """Say who pays for requests; who does not own the bucket must then consent to it."""
    payer = (request.get("RequestPaymentConfiguration") or {}).get("Payer")
    if payer not in ("Requester", "BucketOwner"):
        raise malformed_xml()
    await set_setting(
        ctx, request["Bucket"], RequestPayment=payer if payer == "Requester" else None
    )


@operation("GetBucketRequestPayment", resource=bucket_resource, resource_policy=bucket_policy)
async def get_bucket_request_payment(ctx: Context, request: Request) -> Request:
    """Who pays."""
    bucket = await find_bucket(ctx, request["Bucket"])
    return {"Payer": bucket.settings.get("RequestPayment", "BucketOwner")}
