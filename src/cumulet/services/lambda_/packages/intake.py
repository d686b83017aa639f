"""Taking in packages, layers, roles and targets that requests name: all that needs other services.

Each function here raises Lambda's own errors. What it takes in is durable before a record refers
to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from typing import Any

from cumulet.blobs.contract import Blobs, TooLarge
from cumulet.core.context import Context
from cumulet.core.errors import AccessDenied, AwsError, OperationNotImplemented
from cumulet.core.identity import parse_arn, root_principal
from cumulet.services.lambda_ import store
from cumulet.services.lambda_.errors import (
    CodeStorageExceededException,
    InvalidParameterValueException,
    RequestEntityTooLargeException,
)
from cumulet.services.lambda_.forms.names import parse_layer
from cumulet.services.lambda_.forms.settings import check_layer_arns, not_supported
from cumulet.services.lambda_.limits import (
    REQUEST_BYTES_MAX,
    UNZIPPED_BYTES_MAX,
    ZIP_DIRECT_BYTES_MAX,
    ZIP_S3_BYTES_MAX,
)
from cumulet.services.lambda_.model import LayerUse, Package
from cumulet.services.lambda_.packages import zips
from cumulet.services.lambda_.running.functions import Functions
from cumulet.services.lambda_.running.session import CANNOT_ASSUME, assume


async def take_package(ctx: Context, given: Mapping[str, Any], operation: str) -> Package:
    """Store the package that a request brings or names in S3, once it has passed the checks."""
    blobs = ctx.need(Blobs)
    if given.get("ImageUri"):
        raise not_supported("PackageType Image (container images)")
    if given.get("SourceKMSKeyArn"):
        raise not_supported("SourceKMSKeyArn")
    if given.get("S3ObjectStorageMode") == "REFERENCE":
        raise not_supported("S3ObjectStorageMode REFERENCE")
    if given.get("ZipFile") is not None:
        content: AsyncIterable[bytes] = _whole(given["ZipFile"], operation)
    elif given.get("S3Bucket") and given.get("S3Key"):
        content = await _from_s3(ctx, given)
    else:
        raise InvalidParameterValueException("Please provide a source for function code.")
    try:
        blob = await blobs.put(content, digests=("sha256",), size_bytes_max=ZIP_S3_BYTES_MAX)
    except TooLarge as cause:
        raise InvalidParameterValueException(
            f"Unzipped size must be smaller than {UNZIPPED_BYTES_MAX} bytes"
        ) from cause
    try:
        unzipped = await asyncio.to_thread(zips.measure, blobs.path(blob.id))
        package = Package(blob.id, blob.digests["sha256"].hex(), blob.size_bytes, unzipped)
        if not await ctx.transact(store.has_room, package):
            raise CodeStorageExceededException("Code storage limit exceeded.")
    except AwsError:
        await blobs.drop(blob.id)
        raise
    return package


async def _whole(content: bytes, operation: str) -> AsyncIterator[bytes]:
    if len(content) > ZIP_DIRECT_BYTES_MAX:
        raise RequestEntityTooLargeException(
            f"Request must be smaller than {REQUEST_BYTES_MAX} bytes for the {operation} operation"
        )
    yield content


async def _from_s3(ctx: Context, given: Mapping[str, Any]) -> AsyncIterable[bytes]:
    wanted = {"Bucket": given["S3Bucket"], "Key": given["S3Key"]}
    if version := given.get("S3ObjectVersion"):
        wanted["VersionId"] = version
    try:
        answer = await ctx.call("s3", "GetObject", **wanted)
    except AccessDenied as cause:
        raise AccessDenied(
            "Your access has been denied by S3, please make sure your request credentials have "
            f"permission to GetObject for {given['S3Bucket']}/{given['S3Key']}. S3 Error Code: "
            f"AccessDenied. S3 Error Message: {cause.message}"
        ) from cause
    except AwsError as cause:
        raise InvalidParameterValueException(
            f"Error occurred while GetObject. S3 Error Code: {cause.code}. "
            f"S3 Error Message: {cause.message}"
        ) from cause
    body = answer["Body"]
    return _once(body) if isinstance(body, bytes) else body


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def release(ctx: Context, blob_ids: frozenset[str]) -> None:
    """Drop the blobs to which nothing refers any more."""
    blobs = ctx.need(Blobs)
    for blob_id in await ctx.transact(store.unused_blobs, blob_ids):
        await blobs.drop(blob_id)


async def take_layers(ctx: Context, arns: list[str]) -> tuple[LayerUse, ...]:
    """The layers that a request names, pinned to their packages; needs `lambda:GetLayerVersion`."""
    check_layer_arns(arns)
    uses = []
    for arn in arns:
        ref = parse_layer(ctx.scope, arn)
        if ref.scope.region != ctx.scope.region:
            raise InvalidParameterValueException(
                f"Layer and function must be in the same region: {arn}"
            )
        try:
            await ctx.call("lambda", "GetLayerVersionByArn", Arn=arn)
        except AccessDenied:
            raise
        except AwsError as cause:
            raise InvalidParameterValueException(f"Layer version {arn} does not exist.") from cause
        functions = ctx.need(Functions)
        layer = await functions.transact(ref.scope, store.load_layer_version, ref.name, ref.version)
        if layer is None:
            raise InvalidParameterValueException(f"Layer version {arn} does not exist.")
        uses.append(LayerUse(arn, layer.package))
    return tuple(uses)


def check_total_size(package: Package, layers: tuple[LayerUse, ...]) -> None:
    """Code and layers together must fit the limit."""
    total = package.unzipped_bytes + sum(use.package.unzipped_bytes for use in layers)
    if total > UNZIPPED_BYTES_MAX:
        raise InvalidParameterValueException(
            "Function code combined with layers exceeds the maximum allowed size of "
            f"{UNZIPPED_BYTES_MAX} bytes. The actual size is {total} bytes."
        )


async def check_role(ctx: Context, role: str) -> None:
    """The caller may pass the role, and Lambda may assume it."""
    arn = parse_arn(role)
    if arn is not None and arn.account != ctx.scope.account:
        raise AccessDenied("Cross-account pass role is not allowed.")
    await ctx.authorize("iam:PassRole", role, iam_PassedToService="lambda.amazonaws.com")
    try:
        await assume(ctx, role, "lambda-role-check")
    except AccessDenied as cause:
        raise InvalidParameterValueException(CANNOT_ASSUME) from cause


_ACTIONS = {
    "sqs": "SendMessage",
    "lambda": "InvokeFunction",
    "s3": "PutObject",
    "sns": "Publish",
    "events": "PutEvents",
}


async def check_target(ctx: Context, role: str, arn: str, allowed: tuple[str, ...]) -> None:
    """A destination or dead-letter target: of a kind that is here, there, and open to the role."""
    parts = parse_arn(arn)
    if parts is None or parts.service not in allowed:
        raise InvalidParameterValueException(f"The provided destination config {arn} is invalid.")
    probes: dict[str, tuple[str, dict[str, Any]]] = {
        "sqs": ("GetQueueUrl", {"QueueName": parts.resource}),
        "lambda": ("GetFunctionConfiguration", {"FunctionName": arn}),
        "s3": ("HeadBucket", {"Bucket": parts.resource}),
        "sns": ("GetTopicAttributes", {"TopicArn": arn}),
        "events": ("DescribeEventBus", {"Name": arn}),
    }
    probe = probes.get(parts.service)
    if probe is None:
        raise not_supported(f"A destination of service {parts.service}")
    account = ctx.acting_as(root_principal(ctx.scope.account))
    try:
        await account.call(parts.service, probe[0], **probe[1])
    except OperationNotImplemented as cause:
        raise not_supported(f"A destination of service {parts.service}") from cause
    except AwsError as cause:
        raise InvalidParameterValueException(
            f"The destination ARN {arn} is invalid: {cause.message}"
        ) from cause
    await _check_role_may_send(ctx, role, parts.service, arn)


async def _check_role_may_send(ctx: Context, role: str, service: str, arn: str) -> None:
    action = _ACTIONS[service]
    session = await assume(ctx, role, "lambda-target-check")
    try:
        if session.principal is None:
            raise AccessDenied(CANNOT_ASSUME)
        await ctx.acting_as(session.principal).authorize(f"{service}:{action}", arn)
    except AccessDenied as cause:
        raise InvalidParameterValueException(
            f"The function's execution role does not have permissions to call {action} on {arn}"
        ) from cause
