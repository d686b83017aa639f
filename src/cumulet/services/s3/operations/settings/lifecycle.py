"""Lifecycle rules of buckets; `workers` carries them out."""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.kit.service import operation
from cumulet.services.s3.access import bucket_policy, bucket_resource
from cumulet.services.s3.errors import InvalidArgument
from cumulet.services.s3.operations.settings.change import get_setting, set_setting
from cumulet.services.s3.rules.lifecycle import check_rules

Request = dict[str, Any]

_SIZE_DEFAULT = "all_storage_classes_128K"


@operation(
    "PutBucketLifecycleConfiguration",
    action="s3:PutLifecycleConfiguration",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def put_bucket_lifecycle_configuration(ctx: Context, request: Request) -> Request:
    """Replace the rules by which objects expire and uploads are given up."""
    default = request.get("TransitionDefaultMinimumObjectSize") or _SIZE_DEFAULT
    if default != _SIZE_DEFAULT:
        raise InvalidArgument(
            "Only all_storage_classes_128K is supported by Cumulet.",
            ArgumentName="x-amz-transition-default-minimum-object-size",
            ArgumentValue=default,
        )
    rules = check_rules((request.get("LifecycleConfiguration") or {}).get("Rules") or [])
    await set_setting(ctx, request["Bucket"], Lifecycle={"Rules": rules})
    return {"TransitionDefaultMinimumObjectSize": default}


@operation(
    "GetBucketLifecycleConfiguration",
    action="s3:GetLifecycleConfiguration",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def get_bucket_lifecycle_configuration(ctx: Context, request: Request) -> Request:
    """The rules as they were put."""
    found: Request = await get_setting(
        ctx,
        request["Bucket"],
        "Lifecycle",
        "NoSuchLifecycleConfiguration",
        "The lifecycle configuration does not exist",
    )
    return {**found, "TransitionDefaultMinimumObjectSize": _SIZE_DEFAULT}


@operation(
    "DeleteBucketLifecycle",
    action="s3:PutLifecycleConfiguration",
    resource=bucket_resource,
    resource_policy=bucket_policy,
)
async def delete_bucket_lifecycle(ctx: Context, request: Request) -> None:
    """Let objects stay."""
    await set_setting(ctx, request["Bucket"], Lifecycle=None)
