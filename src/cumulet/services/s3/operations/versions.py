"""Listings of versions and delete markers, newest first within a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.s3 import store
from cumulet.services.s3.access import bucket_policy, bucket_resource, listing_conditions
from cumulet.services.s3.errors import InvalidArgument
from cumulet.services.s3.limits import PAGE_KEYS_MIN
from cumulet.services.s3.model import Stored
from cumulet.services.s3.operations.bucket import find_bucket
from cumulet.services.s3.operations.listing import (
    AFTER_ANY_KEY,
    echoed,
    encoder_of,
    limit_of,
    rolled_up,
    shown_object,
)
from cumulet.services.s3.rules.acl import shown_user

Request = dict[str, Any]
Version = tuple[Stored, bool] | str
"""A version and whether it is current, or the common prefix that stands for many."""


class Start(NamedTuple):
    """Where a page begins: behind a key, or behind one of its versions."""

    key: str
    version_id: str


@operation(
    "ListObjectVersions",
    action="s3:ListBucketVersions",
    resource=bucket_resource,
    resource_policy=bucket_policy,
    conditions=listing_conditions,
    access="anyone",
)
async def list_object_versions(ctx: Context, request: Request) -> Request:
    """List versions and delete markers."""
    bucket = await find_bucket(ctx, request["Bucket"])
    limit, encode = limit_of(request), encoder_of(request)
    prefix, delimiter = request.get("Prefix") or "", request.get("Delimiter") or ""
    start = Start(request.get("KeyMarker") or "", request.get("VersionIdMarker") or "")
    if start.version_id and not start.key:
        raise InvalidArgument(
            "A version-id marker cannot be specified without a key marker.",
            ArgumentName="version-id-marker",
            ArgumentValue=start.version_id,
        )
    found: list[Version] = []
    if limit:
        found = await ctx.transact(list_versions, bucket.name, prefix, delimiter, start, limit + 1)
    shown = found[:limit]
    answer: Request = {
        "Name": bucket.name,
        "MaxKeys": limit,
        "IsTruncated": len(found) > limit,
        "KeyMarker": encode(start.key),
        "VersionIdMarker": start.version_id,
        "CommonPrefixes": [{"Prefix": encode(one)} for one in shown if isinstance(one, str)],
        **_rows(shown, bucket.account, encode),
    }
    if len(found) > limit and shown:
        last = shown[-1]
        if isinstance(last, str):
            answer["NextKeyMarker"] = encode(last)
        else:
            answer["NextKeyMarker"] = encode(last[0].key)
            answer["NextVersionIdMarker"] = last[0].version_id
    return echoed(answer, request, encode, prefix, delimiter)


def _rows(shown: list[Version], account: str, encode: Callable[[str], str]) -> Request:
    versions: list[Request] = []
    markers: list[Request] = []
    for entry in shown:
        if isinstance(entry, str):
            continue
        stored, is_latest = entry
        row = {
            **shown_object(stored, encode),
            "VersionId": stored.version_id,
            "IsLatest": is_latest,
            "Owner": shown_user(stored.owner or account),
        }
        if stored.is_marker:
            kept = ("Key", "LastModified", "VersionId", "IsLatest", "Owner")
            markers.append({name: row[name] for name in kept})
        else:
            versions.append(row)
    return {"Versions": versions, "DeleteMarkers": markers}


async def list_versions(
    tx: Transaction,
    scope: Scope,
    bucket: str,
    prefix: str,
    delimiter: str,
    start: Start,
    limit: int,
) -> list[Version]:
    """At most `limit` versions and common prefixes, in the order of keys."""
    found: list[Version] = []
    rolled = rolled_up(start.key, prefix, delimiter)
    if start.version_id and start.key.startswith(prefix) and not rolled:
        found += await store.scan_versions(tx, scope, bucket, start.key, start.version_id, limit)
    place = (bucket, rolled + AFTER_ANY_KEY if rolled else start.key) if start.key else None
    while len(found) < limit:
        at_once = max(limit - len(found), PAGE_KEYS_MIN)
        page = await store.OBJECTS.scan(
            tx, scope, bucket, starts=prefix or None, after=place, limit=at_once
        )
        for stored in page:
            if rolled and stored.key.startswith(rolled):
                continue
            if rolled := rolled_up(stored.key, prefix, delimiter):
                found.append(rolled)
            else:
                found += await store.scan_versions(tx, scope, bucket, stored.key, None, limit)
            if len(found) >= limit:
                return found[:limit]
        if len(page) < at_once:
            break
        last = page[-1].key
        place = (bucket, rolled + AFTER_ANY_KEY if rolled and last.startswith(rolled) else last)
    return found[:limit]
