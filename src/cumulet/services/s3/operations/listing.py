"""Listings: objects (both versions of the operation) and versions, with prefix and delimiter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from cumulet.core.context import Context
from cumulet.core.identity import Scope
from cumulet.kit.pages import make_token, read_token
from cumulet.kit.service import operation
from cumulet.kv.contract import Transaction
from cumulet.services.s3 import store
from cumulet.services.s3.access import bucket_policy, bucket_resource, listing_conditions
from cumulet.services.s3.errors import InvalidArgument
from cumulet.services.s3.limits import LIST_KEYS_MAX
from cumulet.services.s3.model import Stored
from cumulet.services.s3.operations.bucket import find_bucket, owner

Request = dict[str, Any]
Entry = Stored | str
"""An object, or the common prefix that stands for many."""

_AFTER_ANY_KEY = "\U0010ffff"


def _limit(request: Request) -> int:
    given = request.get("MaxKeys")
    if given is None:
        return LIST_KEYS_MAX
    if given < 0:
        raise InvalidArgument(
            "Argument maxKeys must be an integer between 0 and 2147483647",
            ArgumentName="maxKeys",
            ArgumentValue=str(given),
        )
    return min(int(given), LIST_KEYS_MAX)


def _encoder(request: Request) -> Callable[[str], str]:
    encoding = request.get("EncodingType")
    if encoding is None:
        return lambda text: text
    if encoding != "url":
        raise InvalidArgument(
            "Invalid Encoding Method specified in Request", ArgumentName="encoding-type"
        )
    return lambda text: quote(text, safe="/-_.~*")


async def list_entries(
    tx: Transaction, scope: Scope, bucket: str, prefix: str, delimiter: str, after: str, limit: int
) -> list[Entry]:
    """At most `limit` objects and common prefixes behind `after`, in the order of keys.

    A prefix is counted once, and what lies under it is skipped, not read.
    """
    found: list[Entry] = []
    place = (bucket, after) if after else None
    while len(found) < limit:
        page = await store.OBJECTS.scan(
            tx, scope, bucket, starts=prefix or None, after=place, limit=limit - len(found)
        )
        if not page:
            break
        for stored in page:
            place = (bucket, stored.key)
            rest = stored.key[len(prefix) :]
            cut = rest.find(delimiter) if delimiter else -1
            if cut >= 0:
                # A marker alone does not show its prefix: look for the first object under it.
                if stored.is_marker:
                    continue
                common = prefix + rest[: cut + len(delimiter)]
                if common > after or not after.startswith(common):
                    found.append(common)
                place = (bucket, common + _AFTER_ANY_KEY)
                break
            if not stored.is_marker:
                found.append(stored)
    return found


def _contents(stored: Stored, encode: Callable[[str], str]) -> Request:
    shown: Request = {
        "Key": encode(stored.key),
        "LastModified": stored.modified_ms / 1000,
        "ETag": f'"{stored.etag}"',
        "Size": stored.size,
        "StorageClass": stored.storage_class,
    }
    if stored.checksums:
        shown["ChecksumAlgorithm"] = [name.removeprefix("Checksum") for name in stored.checksums]
        shown["ChecksumType"] = stored.checksum_type
    return shown


@operation(
    "ListObjectsV2",
    action="s3:ListBucket",
    resource=bucket_resource,
    resource_policy=bucket_policy,
    conditions=listing_conditions,
    access="anyone",
)
async def list_objects_v2(ctx: Context, request: Request) -> Request:
    """List objects by key."""
    bucket = await find_bucket(ctx, request["Bucket"])
    limit, encode = _limit(request), _encoder(request)
    prefix, delimiter = request.get("Prefix") or "", request.get("Delimiter") or ""
    after = request.get("StartAfter") or ""
    if (token := request.get("ContinuationToken")) is not None:
        try:
            after = read_token(token)[0]
        except (ValueError, TypeError, IndexError):
            raise InvalidArgument(
                "The continuation token provided is incorrect",
                ArgumentName="continuation-token",
            ) from None
    answer, more = await _list(ctx, bucket.name, prefix, delimiter, after, limit, encode)
    if request.get("FetchOwner"):
        for shown in answer["Contents"]:
            shown["Owner"] = owner(bucket.account)
    answer |= {"KeyCount": len(answer["Contents"]) + len(answer["CommonPrefixes"])}
    if token is not None:
        answer["ContinuationToken"] = token
    if request.get("StartAfter"):
        answer["StartAfter"] = encode(request["StartAfter"])
    if more:
        answer["NextContinuationToken"] = make_token([more])
    return _echo(answer, request, encode, prefix, delimiter)


@operation(
    "ListObjects",
    action="s3:ListBucket",
    resource=bucket_resource,
    resource_policy=bucket_policy,
    conditions=listing_conditions,
    access="anyone",
)
async def list_objects(ctx: Context, request: Request) -> Request:
    """List objects by key, as the older operation does."""
    bucket = await find_bucket(ctx, request["Bucket"])
    limit, encode = _limit(request), _encoder(request)
    prefix, delimiter = request.get("Prefix") or "", request.get("Delimiter") or ""
    marker = request.get("Marker") or ""
    answer, more = await _list(ctx, bucket.name, prefix, delimiter, marker, limit, encode)
    for shown in answer["Contents"]:
        shown["Owner"] = owner(bucket.account)
    answer["Marker"] = encode(marker)
    if more and delimiter:
        answer["NextMarker"] = encode(more)
    return _echo(answer, request, encode, prefix, delimiter)


async def _list(
    ctx: Context,
    bucket: str,
    prefix: str,
    delimiter: str,
    after: str,
    limit: int,
    encode: Callable[[str], str],
) -> tuple[Request, str]:
    """The common part of both answers, and where to go on ("" at the end)."""
    found: list[Entry] = []
    if limit:
        found = await ctx.transact(list_entries, bucket, prefix, delimiter, after, limit + 1)
    shown = found[:limit]
    answer: Request = {
        "Name": bucket,
        "MaxKeys": limit,
        "IsTruncated": len(found) > limit,
        "Contents": [_contents(one, encode) for one in shown if isinstance(one, Stored)],
        "CommonPrefixes": [{"Prefix": encode(one)} for one in shown if isinstance(one, str)],
    }
    more = ""
    if len(found) > limit and shown:
        last = shown[-1]
        more = last if isinstance(last, str) else last.key
    return answer, more


def _echo(
    answer: Request, request: Request, encode: Callable[[str], str], prefix: str, delimiter: str
) -> Request:
    answer["Prefix"] = encode(prefix)
    if delimiter:
        answer["Delimiter"] = encode(delimiter)
    if request.get("EncodingType"):
        answer["EncodingType"] = request["EncodingType"]
    return answer


@operation(
    "ListObjectVersions",
    action="s3:ListBucketVersions",
    resource=bucket_resource,
    resource_policy=bucket_policy,
    conditions=listing_conditions,
    access="anyone",
)
async def list_object_versions(ctx: Context, request: Request) -> Request:
    """List versions and delete markers, newest first within a key."""
    bucket = await find_bucket(ctx, request["Bucket"])
    limit, encode = _limit(request), _encoder(request)
    prefix, delimiter = request.get("Prefix") or "", request.get("Delimiter") or ""
    key_marker = request.get("KeyMarker") or ""
    version_marker = request.get("VersionIdMarker") or ""
    if version_marker and not key_marker:
        raise InvalidArgument(
            "A version-id marker cannot be specified without a key marker.",
            ArgumentName="version-id-marker",
            ArgumentValue=version_marker,
        )
    read = _versions_reader(bucket.name, prefix, delimiter, key_marker, version_marker, limit + 1)
    found = await ctx.transact(read) if limit else []
    shown = found[:limit]
    versions: list[Request] = []
    markers: list[Request] = []
    for entry in shown:
        if isinstance(entry, str):
            continue
        stored, is_latest = entry
        row = {
            **_contents(stored, encode),
            "VersionId": stored.version_id,
            "IsLatest": is_latest,
            "Owner": owner(bucket.account),
        }
        if stored.is_marker:
            markers.append(
                {k: row[k] for k in ("Key", "LastModified", "VersionId", "IsLatest", "Owner")}
            )
        else:
            versions.append(row)
    answer: Request = {
        "Name": bucket.name,
        "MaxKeys": limit,
        "IsTruncated": len(found) > limit,
        "KeyMarker": encode(key_marker),
        "VersionIdMarker": version_marker,
        "Versions": versions,
        "DeleteMarkers": markers,
        "CommonPrefixes": [{"Prefix": encode(one)} for one in shown if isinstance(one, str)],
    }
    if len(found) > limit and shown:
        last = shown[-1]
        if isinstance(last, str):
            answer["NextKeyMarker"] = encode(last)
        else:
            answer["NextKeyMarker"] = encode(last[0].key)
            answer["NextVersionIdMarker"] = last[0].version_id
    return _echo(answer, request, encode, prefix, delimiter)


Version = tuple[Stored, bool] | str


def _versions_reader(
    bucket: str, prefix: str, delimiter: str, key_marker: str, version_marker: str, limit: int
) -> Callable[[Transaction, Scope], Awaitable[list[Version]]]:
    async def read(tx: Transaction, scope: Scope) -> list[Version]:
        found: list[Version] = []
        after = (bucket, key_marker) if key_marker else None
        if version_marker:
            rest = await _versions_of(tx, scope, bucket, key_marker, limit)
            ids = [stored.version_id for stored, _ in rest]
            if version_marker in ids:
                found.extend(rest[ids.index(version_marker) + 1 :])
        while len(found) < limit:
            page = await store.OBJECTS.scan(
                tx, scope, bucket, starts=prefix or None, after=after, limit=limit - len(found)
            )
            if not page:
                break
            for stored in page:
                after = (bucket, stored.key)
                rest_of_key = stored.key[len(prefix) :]
                cut = rest_of_key.find(delimiter) if delimiter else -1
                if cut >= 0:
                    common = prefix + rest_of_key[: cut + len(delimiter)]
                    if not key_marker.startswith(common):
                        found.append(common)
                    after = (bucket, common + _AFTER_ANY_KEY)
                    break
                found.extend(await _versions_of(tx, scope, bucket, stored.key, limit))
                if len(found) >= limit:
                    break
        return found[:limit]

    return read


async def _versions_of(
    tx: Transaction, scope: Scope, bucket: str, key: str, limit: int
) -> list[tuple[Stored, bool]]:
    current = await store.OBJECTS.load(tx, scope, bucket, key)
    older = await store.VERSIONS.scan(tx, scope, bucket, key, limit=max(limit, LIST_KEYS_MAX))
    return [(stored, index == 0) for index, stored in enumerate([*filter(None, [current]), *older])]
