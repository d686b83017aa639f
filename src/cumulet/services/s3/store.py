"""Key layout and transactions of S3.

The current version of each key lies in OBJECTS, so that a listing reads one range; those before it
lie in VERSIONS, newest first. Every record that holds bytes is indexed by their blobs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from cumulet.core.identity import Scope
from cumulet.kv.contract import Transaction
from cumulet.kv.table import Table
from cumulet.services.s3.model import (
    NULL_VERSION,
    Bucket,
    Content,
    Stored,
    Upload,
    UploadPart,
)

_NEWEST = 1 << 62
_PARTS_AT_ONCE = 10_001


def _blobs(stored: Stored) -> Iterable[tuple[str]]:
    return [(segment.id,) for segment in stored.segments]


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
)
VERSIONS: Table[Stored] = Table(
    "s3",
    "version",
    Stored,
    lambda stored: (stored.bucket, stored.key, _NEWEST - stored.order),
    extent="global",
    indexes={"blob": _blobs},
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
TABLES = (BUCKETS, OBJECTS, VERSIONS, CONTENTS, UPLOADS, PARTS)


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


async def drop_bucket(tx: Transaction, scope: Scope, name: str) -> bool:
    """Remove an empty bucket and its unfinished uploads; False when it is not empty."""
    if not await is_empty(tx, scope, name):
        return False
    for upload in await UPLOADS.scan(tx, scope, name, limit=1_000):
        await drop_upload(tx, scope, upload)
    await BUCKETS.drop(tx, scope, name)
    return True


async def load_object(
    tx: Transaction, scope: Scope, bucket: str, key: str, version_id: str | None
) -> Stored | None:
    """The current version, or the one named; markers too."""
    current = await OBJECTS.load(tx, scope, bucket, key)
    if version_id is None or (current is not None and current.version_id == version_id):
        return current
    after: tuple[Any, ...] | None = None
    while page := await VERSIONS.scan(tx, scope, bucket, key, after=after, limit=100):
        for stored in page:
            if stored.version_id == version_id:
                return stored
        after = VERSIONS.key_of(page[-1])
    return None


async def load_content(tx: Transaction, scope: Scope, content_id: str) -> bytes | None:
    """The bytes of a small object."""
    found = await CONTENTS.load(tx, scope, content_id)
    return None if found is None else found.data


async def put_object(
    tx: Transaction, scope: Scope, stored: Stored, content: bytes | None, versioning: str
) -> None:
    """Make `stored` the current version.

    With versioning on, what was current becomes a version; otherwise it, or the null version, is
    replaced and its bytes are let go.
    """
    if content is not None:
        await CONTENTS.save(tx, scope, Content(stored.content, content))
    current = await OBJECTS.load(tx, scope, stored.bucket, stored.key)
    if current is not None:
        replaces = stored.version_id == NULL_VERSION and current.version_id == NULL_VERSION
        if replaces:
            await _let_go(tx, scope, current)
        else:
            await VERSIONS.save(tx, scope, current)
    if versioning == "Suspended" and (current is None or current.version_id != NULL_VERSION):
        await _drop_null_version(tx, scope, stored.bucket, stored.key)
    order = max(stored.order, current.order + 1) if current is not None else stored.order
    await OBJECTS.save(tx, scope, msgspec.structs.replace(stored, order=order))


async def _drop_null_version(tx: Transaction, scope: Scope, bucket: str, key: str) -> None:
    found = await load_object(tx, scope, bucket, key, NULL_VERSION)
    if found is not None:
        await VERSIONS.drop(tx, scope, *VERSIONS.key_of(found))
        await _let_go(tx, scope, found)


async def drop_object(tx: Transaction, scope: Scope, bucket: str, key: str) -> None:
    """Remove the only version of a key of a bucket without versioning."""
    stored = await OBJECTS.drop(tx, scope, bucket, key)
    if stored is not None:
        await _let_go(tx, scope, stored)


async def drop_version(
    tx: Transaction, scope: Scope, bucket: str, key: str, version_id: str
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
            await OBJECTS.save(tx, scope, older[0])
    else:
        await VERSIONS.drop(tx, scope, *VERSIONS.key_of(stored))
    await _let_go(tx, scope, stored)
    return stored


async def change_object(
    tx: Transaction, scope: Scope, old: Stored, changes: dict[str, Any]
) -> None:
    """Change the properties of one version where it lies."""
    changed = msgspec.structs.replace(old, **changes)
    current = await OBJECTS.load(tx, scope, old.bucket, old.key)
    table = OBJECTS if current is not None and current.version_id == old.version_id else VERSIONS
    await table.save(tx, scope, changed)


async def _let_go(tx: Transaction, scope: Scope, stored: Stored) -> None:
    # Blobs are let go with the record that referred to them; the sweep removes their files.
    if stored.content:
        await CONTENTS.drop(tx, scope, stored.content)


async def load_upload(
    tx: Transaction, scope: Scope, bucket: str, key: str, upload_id: str
) -> Upload | None:
    """An upload that has begun and not ended."""
    return await UPLOADS.load(tx, scope, bucket, key, upload_id)


async def add_part(tx: Transaction, scope: Scope, upload: Upload, part: UploadPart) -> bool:
    """Keep a part, in place of one of the same number; False when the upload has ended."""
    if await UPLOADS.load(tx, scope, *UPLOADS.key_of(upload)) is None:
        return False
    await PARTS.save(tx, scope, part)
    return True


async def load_parts(tx: Transaction, scope: Scope, upload_id: str) -> list[UploadPart]:
    """Every part of an upload, by number."""
    return await PARTS.scan(tx, scope, upload_id, limit=_PARTS_AT_ONCE)


async def drop_upload(tx: Transaction, scope: Scope, upload: Upload) -> None:
    """End an upload; parts that no object refers to are swept."""
    for part in await load_parts(tx, scope, upload.upload_id):
        await PARTS.drop(tx, scope, *PARTS.key_of(part))
    await UPLOADS.drop(tx, scope, *UPLOADS.key_of(upload))


async def refers_to(tx: Transaction, scope: Scope, blob: str) -> bool:
    """Whether any record holds the blob."""
    for table in (OBJECTS, VERSIONS, PARTS):
        if await table.lookup(tx, scope, "blob", blob, limit=1):
            return True
    return False
