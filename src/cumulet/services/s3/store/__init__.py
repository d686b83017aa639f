"""Key layout and transactions of S3.

The current version of each key lies in OBJECTS, so that a listing reads one range; those before it
lie in VERSIONS, newest first. Every record that holds bytes is indexed by their blobs.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

import msgspec

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction, read_count
from cumulet.kv.space import Space
from cumulet.kv.table import Table
from cumulet.services.s3.limits import FREED_GRACE_SECONDS, UPLOADS_DROPPED_AT_ONCE
from cumulet.services.s3.model import (
    NULL_VERSION,
    AccountBlock,
    Bucket,
    Content,
    Event,
    Freed,
    Measured,
    Stored,
    Upload,
    UploadPart,
    order_in,
    version_name,
)

_NEWEST = 1 << 62
_PARTS_AT_ONCE = 10_001


def _blobs(stored: Stored) -> Iterable[tuple[str]]:
    return [(segment.id,) for segment in stored.segments]


def _bytes_key(bucket: str) -> bytes:
    return Space(("", "", "s3", "bytes")).pack((bucket,))


def _count(tx: Transaction, scope: Scope, old: Stored | None, new: Stored | None) -> None:
    """Keep how many bytes a bucket holds."""
    change = (new.size if new is not None else 0) - (old.size if old is not None else 0)
    stored = new if new is not None else old
    if change and stored is not None:
        tx.count(_bytes_key(stored.bucket), change)


async def load_bytes(tx: Transaction, bucket: str) -> int:
    """The bytes of a bucket's objects and versions, as they were put."""
    return max(0, read_count(await tx.get(_bytes_key(bucket))))


BUCKETS: Table[Bucket] = Table(
    "s3",
    "bucket",
    Bucket,
    lambda bucket: (bucket.name,),
    extent="global",
    indexes={"account": lambda bucket: [(bucket.account,)]},
)
OBJECTS: Table[Stored] = Table(
    "s3",
    "object",
    Stored,
    lambda stored: (stored.bucket, stored.key),
    extent="global",
    indexes={"blob": _blobs},
    on_change=_count,
)
VERSIONS: Table[Stored] = Table(
    "s3",
    "version",
    Stored,
    lambda stored: (stored.bucket, stored.key, _NEWEST - stored.order),
    extent="global",
    indexes={"blob": _blobs},
    on_change=_count,
)
CONTENTS: Table[Content] = Table(
    "s3", "content", Content, lambda content: (content.content_id,), extent="global"
)
UPLOADS: Table[Upload] = Table(
    "s3",
    "upload",
    Upload,
    lambda upload: (upload.bucket, upload.key, upload.upload_id),
    extent="global",
)
PARTS: Table[UploadPart] = Table(
    "s3",
    "part",
    UploadPart,
    lambda part: (part.upload_id, part.part.number),
    extent="global",
    indexes={"blob": lambda part: [(part.part.segment.id,)] if part.part.segment else []},
)
FREED: Table[Freed] = Table(
    "s3", "freed", Freed, lambda freed: (freed.due_ms, freed.blob), extent="global"
)
BLOCKS: Table[AccountBlock] = Table(
    "s3", "accountblock", AccountBlock, lambda block: (block.account,), extent="global"
)
EVENTS: Table[Event] = Table(
    "s3", "event", Event, lambda event: (event.due_ms, event.event_id), extent="global"
)
MEASURED: Table[Measured] = Table(
    "s3", "measured", Measured, lambda measured: (measured.bucket,), extent="global"
)
TABLES = (
    *(BUCKETS, OBJECTS, VERSIONS, CONTENTS, UPLOADS, PARTS, FREED),
    *(BLOCKS, EVENTS, MEASURED),
)


async def load_bucket(tx: Transaction, scope: Scope, name: str) -> Bucket | None:
    """The bucket of that name, in whichever account."""
    return await BUCKETS.load(tx, scope, name)


async def change_bucket(
    tx: Transaction, scope: Scope, name: str, changes: dict[str, Any]
) -> Bucket | None:
    """Change fields of a bucket; None when there is none."""
    bucket = await BUCKETS.load(tx, scope, name)
    if bucket is None:
        return None
    changed = msgspec.structs.replace(bucket, **changes)
    await BUCKETS.save(tx, scope, changed)
    return changed


async def is_empty(tx: Transaction, scope: Scope, name: str) -> bool:
    """Whether a bucket has no object, no version and no marker."""
    for table in (OBJECTS, VERSIONS):
        if await table.scan(tx, scope, name, limit=1):
            return False
    return True


class Emptying(Enum):
    """How far a bucket's removal has come."""

    done = "done"
    more = "more"
    not_empty = "not empty"


async def drop_bucket(tx: Transaction, scope: Scope, name: str, now_ms: int) -> Emptying:
    """Remove an empty bucket; its unfinished uploads go first, a step at a time."""
    if not await is_empty(tx, scope, name):
        return Emptying.not_empty
    uploads = await UPLOADS.scan(tx, scope, name, limit=UPLOADS_DROPPED_AT_ONCE)
    for upload in uploads:
        await drop_upload(tx, scope, upload, now_ms)
    if uploads:
        return Emptying.more
    await BUCKETS.drop(tx, scope, name)
    await MEASURED.drop(tx, scope, name)
    tx.clear(_bytes_key(name))
    return Emptying.done


async def load_object(
    tx: Transaction, scope: Scope, bucket: str, key: str, version_id: str | None
) -> Stored | None:
    """The current version, or the one named; markers too."""
    current = await OBJECTS.load(tx, scope, bucket, key)
    if version_id is None or (current is not None and current.version_id == version_id):
        return current
    order = order_in(version_id)
    if order is not None:
        found = await VERSIONS.load(tx, scope, bucket, key, _NEWEST - order)
        return found if found is not None and found.version_id == version_id else None
    if version_id != NULL_VERSION:
        return None
    after: tuple[Any, ...] | None = None
    while page := await VERSIONS.scan(tx, scope, bucket, key, after=after, limit=100):
        for stored in page:
            if stored.version_id == NULL_VERSION:
                return stored
        after = VERSIONS.key_of(page[-1])
    return None


async def scan_versions(
    tx: Transaction, scope: Scope, bucket: str, key: str, behind: str | None, limit: int
) -> list[tuple[Stored, bool]]:
    """Versions of a key, newest first, each with whether it is current.

    Those at and before `behind` in that order are left out, also when it is gone by now; where a
    null version was can then not be told, and all are given.
    """
    current = await OBJECTS.load(tx, scope, bucket, key)
    order = None
    if behind is not None:
        known = await load_object(tx, scope, bucket, key, behind)
        order = known.order if known is not None else order_in(behind)
    after = (bucket, key, _NEWEST - order) if order is not None else None
    older = await VERSIONS.scan(tx, scope, bucket, key, after=after, limit=limit)
    if current is None or (order is not None and current.order >= order):
        return [(stored, False) for stored in older]
    return [(current, True), *((stored, False) for stored in older)]


async def read_object(
    tx: Transaction, scope: Scope, bucket: str, key: str, version_id: str | None
) -> tuple[Stored | None, bytes | None]:
    """The version, and its bytes when they lie in the store; both as of one moment."""
    stored = await load_object(tx, scope, bucket, key, version_id)
    if stored is None or not stored.content:
        return stored, None
    content = await CONTENTS.load(tx, scope, stored.content)
    return stored, None if content is None else content.data


async def put_object(
    tx: Transaction,
    scope: Scope,
    stored: Stored,
    content: bytes | None,
    current: Stored | None,
    versioning: str,
    fresh: str,
) -> Stored:
    """Make `stored` the current version; returns it with its id and place.

    With versioning on, what is `current` becomes a version; otherwise it, or the null version, is
    replaced and its bytes are let go. `fresh` becomes part of the version's id.
    """
    if content is not None:
        CONTENTS.add(tx, scope, Content(stored.content, content))
    order = max(stored.order, current.order + 1) if current is not None else stored.order
    version_id = version_name(order, fresh) if versioning == "Enabled" else NULL_VERSION
    stored = msgspec.structs.replace(stored, order=order, version_id=version_id)
    if current is not None:
        replaces = stored.version_id == NULL_VERSION and current.version_id == NULL_VERSION
        if replaces:
            _let_go(tx, scope, current, stored.modified_ms)
        else:
            await VERSIONS.save(
                tx, scope, msgspec.structs.replace(current, noncurrent_ms=stored.modified_ms)
            )
    if versioning == "Suspended" and (current is None or current.version_id != NULL_VERSION):
        await _drop_null_version(tx, scope, stored)
    if current is None:
        OBJECTS.add(tx, scope, stored)
    else:
        OBJECTS.replace(tx, scope, current, stored)
    return stored


async def _drop_null_version(tx: Transaction, scope: Scope, stored: Stored) -> None:
    found = await load_object(tx, scope, stored.bucket, stored.key, NULL_VERSION)
    if found is not None:
        await VERSIONS.drop(tx, scope, *VERSIONS.key_of(found))
        _let_go(tx, scope, found, stored.modified_ms)


async def drop_object(tx: Transaction, scope: Scope, bucket: str, key: str, now_ms: int) -> None:
    """Remove the only version of a key of a bucket without versioning."""
    stored = await OBJECTS.drop(tx, scope, bucket, key)
    if stored is not None:
        _let_go(tx, scope, stored, now_ms)


async def drop_version(
    tx: Transaction, scope: Scope, bucket: str, key: str, version_id: str, now_ms: int
) -> Stored | None:
    """Remove one version for good; the newest one left becomes current. Returns what went."""
    stored = await load_object(tx, scope, bucket, key, version_id)
    if stored is None:
        return None
    current = await OBJECTS.load(tx, scope, bucket, key)
    if current is not None and current.version_id == version_id:
        await OBJECTS.drop(tx, scope, bucket, key)
        older = await VERSIONS.scan(tx, scope, bucket, key, limit=1)
        if older:
            await VERSIONS.drop(tx, scope, *VERSIONS.key_of(older[0]))
            await OBJECTS.save(tx, scope, msgspec.structs.replace(older[0], noncurrent_ms=0))
    else:
        await VERSIONS.drop(tx, scope, *VERSIONS.key_of(stored))
    _let_go(tx, scope, stored, now_ms)
    return stored


async def change_object(
    tx: Transaction, scope: Scope, bucket: str, key: str, version_id: str, changes: dict[str, Any]
) -> bool:
    """Change properties of one version as it is now; False when it is gone."""
    found = await load_object(tx, scope, bucket, key, version_id)
    if found is None or found.is_marker:
        return False
    current = await OBJECTS.load(tx, scope, bucket, key)
    is_current = current is not None and current.version_id == version_id
    table = OBJECTS if is_current else VERSIONS
    await table.save(tx, scope, msgspec.structs.replace(found, **changes))
    return True


def _let_go(tx: Transaction, scope: Scope, stored: Stored, now_ms: int) -> None:
    if stored.content:
        CONTENTS.replace(tx, scope, Content(stored.content, b""), None)
    _free(tx, scope, [segment.id for segment in stored.segments], now_ms)


def _free(tx: Transaction, scope: Scope, blobs: Iterable[str], now_ms: int) -> None:
    # Committed with what let go of them, so that no crash forgets them.
    due_ms = now_ms + int(FREED_GRACE_SECONDS * 1000)
    for blob in blobs:
        FREED.add(tx, scope, Freed(due_ms, blob))


async def load_upload(
    tx: Transaction, scope: Scope, bucket: str, key: str, upload_id: str
) -> Upload | None:
    """An upload that has begun and not ended."""
    return await UPLOADS.load(tx, scope, bucket, key, upload_id)


async def add_upload(tx: Transaction, scope: Scope, upload: Upload) -> bool:
    """Begin an upload; False when the bucket is gone."""
    if await BUCKETS.load(tx, scope, upload.bucket) is None:
        return False
    await UPLOADS.save(tx, scope, upload)
    return True


async def add_part(tx: Transaction, scope: Scope, upload: Upload, part: UploadPart) -> bool:
    """Keep a part, in place of one of the same number; False when the upload has ended."""
    if await UPLOADS.load(tx, scope, *UPLOADS.key_of(upload)) is None:
        return False
    old = await PARTS.save(tx, scope, part)
    if old is not None and old.part.segment is not None:
        _free(tx, scope, [old.part.segment.id], part.part.modified_ms)
    return True


async def load_parts(tx: Transaction, scope: Scope, upload_id: str) -> list[UploadPart]:
    """Every part of an upload, by number."""
    return await PARTS.scan(tx, scope, upload_id, limit=_PARTS_AT_ONCE)


async def drop_upload(
    tx: Transaction, scope: Scope, upload: Upload, now_ms: int, made: Stored | None = None
) -> None:
    """End an upload; parts that the object `made` of it does not hold are let go."""
    kept = {segment.id for segment in made.segments} if made is not None else set()
    unused = []
    for part in await load_parts(tx, scope, upload.upload_id):
        await PARTS.drop(tx, scope, *PARTS.key_of(part))
        if part.part.segment is not None and part.part.segment.id not in kept:
            unused.append(part.part.segment.id)
    await UPLOADS.drop(tx, scope, *UPLOADS.key_of(upload))
    _free(tx, scope, unused, now_ms)


async def refers_to(tx: Transaction, scope: Scope, blob: str) -> bool:
    """Whether any record holds the blob."""
    for table in (OBJECTS, VERSIONS, PARTS):
        if await table.lookup(tx, scope, "blob", blob, limit=1):
            return True
    return False
