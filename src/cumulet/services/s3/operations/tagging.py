"""Tags and attributes of objects."""

from __future__ import annotations

from typing import Any

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.s3 import store
from cumulet.services.s3.access import (
    object_policy,
    object_resource,
    version_conditions,
    versioned,
)
from cumulet.services.s3.content.keys import check_key, customer_key
from cumulet.services.s3.drafts import read_tags
from cumulet.services.s3.errors import no_key
from cumulet.services.s3.limits import LIST_KEYS_MAX, OBJECT_TAGS_MAX
from cumulet.services.s3.operations.listing import number_of
from cumulet.services.s3.operations.object import find_object
from cumulet.services.s3.store.events import told_of

Request = dict[str, Any]


async def _set_tags(ctx: Context, request: Request, tags: dict[str, str], event: str) -> Request:
    bucket, stored, _ = await find_object(ctx, request)
    happened = told_of(ctx, event)

    async def change(tx: Transaction, scope: Scope) -> bool:
        changed = await store.change_object(
            tx, scope, bucket.name, stored.key, stored.version_id, {"tags": tags}
        )
        if changed:
            happened.note(tx, scope, bucket, stored)
        return changed

    if not await ctx.transact(change):
        raise no_key(stored.key)
    return {"VersionId": stored.version_id} if bucket.versioning else {}


@operation(
    "PutObjectTagging",
    action=versioned("PutObjectTagging"),
    resource=object_resource,
    resource_policy=object_policy,
    conditions=version_conditions,
    access="anyone",
)
async def put_object_tagging(ctx: Context, request: Request) -> Request:
    """Replace an object's tags."""
    tags = read_tags(request["Tagging"]["TagSet"], OBJECT_TAGS_MAX)
    return await _set_tags(ctx, request, tags, "ObjectTagging:Put")


@operation(
    "GetObjectTagging",
    action=versioned("GetObjectTagging"),
    resource=object_resource,
    resource_policy=object_policy,
    conditions=version_conditions,
    access="anyone",
)
async def get_object_tagging(ctx: Context, request: Request) -> Request:
    """An object's tags."""
    bucket, stored, _ = await find_object(ctx, request)
    answer: Request = {
        "TagSet": [{"Key": key, "Value": value} for key, value in stored.tags.items()]
    }
    if bucket.versioning:
        answer["VersionId"] = stored.version_id
    return answer


@operation(
    "DeleteObjectTagging",
    action=versioned("DeleteObjectTagging"),
    resource=object_resource,
    resource_policy=object_policy,
    conditions=version_conditions,
    access="anyone",
)
async def delete_object_tagging(ctx: Context, request: Request) -> Request:
    """Remove an object's tags."""
    return await _set_tags(ctx, request, {}, "ObjectTagging:Delete")


def _attribute_actions(ctx: Context, request: Request) -> list[str]:
    return [versioned(name)(ctx, request) for name in ("GetObject", "GetObjectAttributes")]


@operation(
    "GetObjectAttributes",
    action=_attribute_actions,
    resource=object_resource,
    resource_policy=object_policy,
    conditions=version_conditions,
)
async def get_object_attributes(ctx: Context, request: Request) -> Request:
    """Those properties of an object that the request names."""
    bucket, stored, _ = await find_object(ctx, request)
    check_key(customer_key(request), stored.sealing)
    wanted = set(request["ObjectAttributes"])
    answer: Request = {"LastModified": stored.modified_ms // 1000}
    if bucket.versioning:
        answer["VersionId"] = stored.version_id
    if "ETag" in wanted:
        answer["ETag"] = stored.etag
    if "ObjectSize" in wanted:
        answer["ObjectSize"] = stored.size
    if "StorageClass" in wanted:
        answer["StorageClass"] = stored.storage_class
    if "Checksum" in wanted and stored.checksums:
        answer["Checksum"] = {**stored.checksums, "ChecksumType": stored.checksum_type}
    if "ObjectParts" in wanted and stored.parts:
        answer["ObjectParts"] = _parts(stored.parts, request)
    return answer


def _parts(parts: list[Any], request: Request) -> Request:
    marker = number_of(request, "PartNumberMarker", "x-amz-part-number-marker", 0)
    limit = min(number_of(request, "MaxParts", "x-amz-max-parts", LIST_KEYS_MAX), LIST_KEYS_MAX)
    behind = [part for part in parts if part.number > marker]
    shown = behind[:limit]
    answer: Request = {
        "TotalPartsCount": len(parts),
        "PartNumberMarker": str(marker),
        "MaxParts": limit,
        "IsTruncated": len(behind) > limit,
    }
    if shown:
        answer["NextPartNumberMarker"] = str(shown[-1].number)
    # S3 lists the parts themselves only when each has a checksum.
    if all(part.checksums for part in shown):
        answer["Parts"] = [
            {"PartNumber": part.number, "Size": part.size, **part.checksums} for part in shown
        ]
    return answer
