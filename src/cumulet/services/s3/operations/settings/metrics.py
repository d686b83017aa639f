"""Request metrics of buckets, which S3 publishes only where they are asked for."""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.kit.service import operation
from cumulet.services.s3.access import bucket_policy, bucket_resource
from cumulet.services.s3.errors import InvalidArgument, MissingConfiguration, NotImplementedHere
from cumulet.services.s3.operations.bucket import find_bucket
from cumulet.services.s3.operations.settings.change import set_setting

Request = dict[str, Any]

_CONFIGURATIONS_MAX = 1_000
"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-configurations.html"""


@operation(
    "PutBucketMetricsConfiguration",
    action="s3:PutMetricsConfiguration",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def put_bucket_metrics_configuration(ctx: Context, request: Request) -> None:
    """Publish metrics of the whole bucket under a filter's id."""
    configuration = request["MetricsConfiguration"]
    if configuration.get("Filter"):
        raise NotImplementedHere("A filter of request metrics")
    bucket = await find_bucket(ctx, request["Bucket"])
    ids = sorted({*(bucket.settings.get("Metrics") or ()), _checked_id(request)})
    if len(ids) > _CONFIGURATIONS_MAX:
        raise InvalidArgument("Too many metrics configurations", code="TooManyConfigurations")
    await set_setting(ctx, bucket.name, Metrics=ids)


def _checked_id(request: Request) -> str:
    if request["MetricsConfiguration"].get("Id") != request["Id"]:
        raise InvalidArgument("The id of the document is not that of the request.")
    return str(request["Id"])


@operation(
    "GetBucketMetricsConfiguration",
    action="s3:GetMetricsConfiguration",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def get_bucket_metrics_configuration(ctx: Context, request: Request) -> Request:
    """One configuration."""
    bucket = await find_bucket(ctx, request["Bucket"])
    _check_is_there(bucket.settings.get("Metrics") or (), request["Id"])
    return {"MetricsConfiguration": {"Id": request["Id"]}}


@operation(
    "ListBucketMetricsConfigurations",
    action="s3:GetMetricsConfiguration",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def list_bucket_metrics_configurations(ctx: Context, request: Request) -> Request:
    """All configurations; here they are one page."""
    if request.get("ContinuationToken"):
        raise InvalidArgument("The continuation token provided is incorrect")
    bucket = await find_bucket(ctx, request["Bucket"])
    ids = bucket.settings.get("Metrics") or ()
    return {"IsTruncated": False, "MetricsConfigurationList": [{"Id": one} for one in ids]}


@operation(
    "DeleteBucketMetricsConfiguration",
    action="s3:PutMetricsConfiguration",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def delete_bucket_metrics_configuration(ctx: Context, request: Request) -> None:
    """Publish no metrics under that id any more."""
    bucket = await find_bucket(ctx, request["Bucket"])
    ids = list(bucket.settings.get("Metrics") or ())
    _check_is_there(ids, request["Id"])
    ids.remove(request["Id"])
    await set_setting(ctx, bucket.name, Metrics=ids or None)


def _check_is_there(ids: Any, asked: str) -> None:
    if asked not in ids:
        raise MissingConfiguration(
            "The specified configuration does not exist.", code="NoSuchConfiguration"
        )
