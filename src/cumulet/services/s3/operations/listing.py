"""Listings of objects, in both versions of the operation, with prefix and delimiter."""

from __future__ import annotations

import re
from collections.abc import Callable
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
from cumulet.services.s3.limits import LIST_KEYS_MAX, PAGE_KEYS_MIN
from cumulet.services.s3.model import Bucket, Stored
from cumulet.services.s3.operations.bucket import find_bucket
from cumulet.services.s3.rules.acl import shown_user

Request = dict[str, Any]
Entry = Stored | str
"""An object, or the common prefix that stands for many."""

NUMBER_MAX = 2_147_483_647
_WHOLE = re.compile(r"-?[0-9]{1,10}\Z")

AFTER_ANY_KEY = "\U0010ffff"
"""Behind what begins with this, after a prefix, are no keys but those that begin with it too."""


def limit_of(request: Request) -> int:
    """How many entries an answer may have. Raises InvalidArgument."""
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


def number_of(request: Request, member: str, name: str, otherwise: int) -> int:
    """A number of the request that its model may have as text. Raises InvalidArgument.

    `name` is how the request calls it.
    """
    given = request.get(member)
    if given is None or given == "":
        return otherwise
    text = str(given)
    if not _WHOLE.match(text) or int(text) > NUMBER_MAX:
        words = f"Provided {name} not an integer or within integer range"
        raise InvalidArgument(words, ArgumentName=name, ArgumentValue=text)
    if int(text) < 0:
        words = f"Argument {name} must be an integer between 0 and {NUMBER_MAX}"
        raise InvalidArgument(words, ArgumentName=name, ArgumentValue=text)
    return int(text)


def encoder_of(request: Request) -> Callable[[str], str]:
    """How keys are written in the answer. Raises InvalidArgument."""
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

    A prefix is counted once, and what lies under it is skipped. A delete marker alone does not show
    its prefix.
    """
    found: list[Entry] = []
    rolled = rolled_up(after, prefix, delimiter)
    place = (bucket, rolled + AFTER_ANY_KEY if rolled else after) if after else None
    while len(found) < limit:
        at_once = max(limit - len(found), PAGE_KEYS_MIN)
        page = await store.OBJECTS.scan(
            tx, scope, bucket, starts=prefix or None, after=place, limit=at_once
        )
        for stored in page:
            if stored.is_marker or (rolled and stored.key.startswith(rolled)):
                continue
            rolled = rolled_up(stored.key, prefix, delimiter)
            found.append(rolled or stored)
            if len(found) == limit:
                return found
        if len(page) < at_once:
            break
        last = page[-1].key
        place = (bucket, rolled + AFTER_ANY_KEY if rolled and last.startswith(rolled) else last)
    return found


def rolled_up(key: str, prefix: str, delimiter: str) -> str:
    """The common prefix that stands for the key, or "" when it stands for itself."""
    if not delimiter or not key.startswith(prefix):
        return ""
    cut = key.find(delimiter, len(prefix))
    return key[: cut + len(delimiter)] if cut >= 0 else ""


def shown_object(stored: Stored, encode: Callable[[str], str]) -> Request:
    """An object as a listing shows it."""
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
    limit, encode = limit_of(request), encoder_of(request)
    prefix, delimiter = request.get("Prefix") or "", request.get("Delimiter") or ""
    after = request.get("StartAfter") or ""
    if (token := request.get("ContinuationToken")) is not None:
        try:
            after = read_token(token)[0]
        except (ValueError, TypeError, LookupError):
            raise InvalidArgument(
                "The continuation token provided is incorrect",
                ArgumentName="continuation-token",
            ) from None
    answer, more = await _list(ctx, bucket.name, prefix, delimiter, after, limit, encode)
    if not request.get("FetchOwner"):
        for shown in answer["Contents"]:
            del shown["Owner"]
    else:
        _add_owners(answer, bucket)
    answer |= {"KeyCount": len(answer["Contents"]) + len(answer["CommonPrefixes"])}
    if token is not None:
        answer["ContinuationToken"] = token
    if request.get("StartAfter"):
        answer["StartAfter"] = encode(request["StartAfter"])
    if more:
        answer["NextContinuationToken"] = make_token([more])
    return echoed(answer, request, encode, prefix, delimiter)


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
    limit, encode = limit_of(request), encoder_of(request)
    prefix, delimiter = request.get("Prefix") or "", request.get("Delimiter") or ""
    marker = request.get("Marker") or ""
    answer, more = await _list(ctx, bucket.name, prefix, delimiter, marker, limit, encode)
    _add_owners(answer, bucket)
    answer["Marker"] = encode(marker)
    if more and delimiter:
        answer["NextMarker"] = encode(more)
    return echoed(answer, request, encode, prefix, delimiter)


def _add_owners(answer: Request, bucket: Bucket) -> None:
    for shown in answer["Contents"]:
        owner = shown["Owner"] if bucket.has_acls else ""
        shown["Owner"] = shown_user(owner or bucket.account)


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
        "Contents": [
            {**shown_object(one, encode), "Owner": one.owner}
            for one in shown
            if isinstance(one, Stored)
        ],
        "CommonPrefixes": [{"Prefix": encode(one)} for one in shown if isinstance(one, str)],
    }
    more = ""
    if len(found) > limit and shown:
        last = shown[-1]
        more = last if isinstance(last, str) else last.key
    return answer, more


def echoed(
    answer: Request, request: Request, encode: Callable[[str], str], prefix: str, delimiter: str
) -> Request:
    """The answer with what was asked for."""
    answer["Prefix"] = encode(prefix)
    if delimiter:
        answer["Delimiter"] = encode(delimiter)
    if request.get("EncodingType"):
        answer["EncodingType"] = request["EncodingType"]
    return answer
