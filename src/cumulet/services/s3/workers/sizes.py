"""The size of each bucket, and how many objects it has, told to CloudWatch once a day.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html
"""

from __future__ import annotations

from collections import Counter
from typing import TypeVar

import msgspec

from cumulet.core.context import Platform
from cumulet.core.identity import Scope
from cumulet.kit.ports import Metrics
from cumulet.kv.contract import Store, Transaction
from cumulet.kv.table import Key, Table
from cumulet.kv.transact import transact
from cumulet.services.s3 import store
from cumulet.services.s3.limits import SIZES_AT_ONCE, SIZES_LOOK_SECONDS
from cumulet.services.s3.model import Bucket, Measured

R = TypeVar("R", bound=msgspec.Struct)

_EVERYWHERE = Scope("", "")
_DAY_SECONDS = 86_400
_STORAGE_TYPES = {
    "STANDARD": "StandardStorage",
    "REDUCED_REDUNDANCY": "ReducedRedundancyStorage",
    "STANDARD_IA": "StandardIAStorage",
    "ONEZONE_IA": "OneZoneIAStorage",
    "INTELLIGENT_TIERING": "IntelligentTieringFAStorage",
    "GLACIER": "GlacierStorage",
    "GLACIER_IR": "GlacierInstantRetrievalStorage",
    "DEEP_ARCHIVE": "DeepArchiveStorage",
}


async def measure_sizes(platform: Platform) -> float:
    """Measure the buckets of which nothing was told today.

    Counting as requests come would cost each of them; so the records are read once a day, a page
    at a time, between other work.
    """
    kv = platform.need(Store)
    day = int(platform.clock.now()) // _DAY_SECONDS
    after: Key | None = None
    while buckets := await _page(kv, store.BUCKETS, after):
        for bucket in buckets:
            last = await transact(kv, store.MEASURED.load, _EVERYWHERE, bucket.name)
            if last is None or last.day < day:
                await _measure(platform, kv, bucket)
                done = Measured(bucket.name, day)
                await transact(kv, store.MEASURED.save, _EVERYWHERE, done)
        after = (buckets[-1].name,)
    return SIZES_LOOK_SECONDS


async def _measure(platform: Platform, kv: Store, bucket: Bucket) -> None:
    """Current and older versions, delete markers, and the parts of unfinished uploads."""
    sizes: Counter[str] = Counter()
    count = 0
    for table in (store.OBJECTS, store.VERSIONS):
        after: Key | None = None
        while page := await _page(kv, table, after, bucket.name):
            count += len(page)
            for stored in page:
                sizes[stored.storage_class] += stored.size
            after = table.key_of(page[-1])
    after = None
    while uploads := await _page(kv, store.UPLOADS, after, bucket.name):
        for upload in uploads:
            parts = await transact(kv, store.load_parts, _EVERYWHERE, upload.upload_id)
            count += len(parts)
            sizes[upload.draft.storage_class] += sum(one.part.size for one in parts)
        after = store.UPLOADS.key_of(uploads[-1])
    record = platform.need(Metrics).record
    scope = Scope(bucket.account, bucket.region)
    named = ("BucketName", bucket.name)
    everything = (named, ("StorageType", "AllStorageTypes"))
    record(scope, "AWS/S3", "NumberOfObjects", everything, float(count))
    for kind, size in (sizes or {"STANDARD": 0}).items():
        place = (named, ("StorageType", _STORAGE_TYPES.get(kind, "StandardStorage")))
        record(scope, "AWS/S3", "BucketSizeBytes", place, float(size), "Bytes")


async def _page(kv: Store, table: Table[R], after: Key | None, *prefix: str) -> list[R]:
    async def read(tx: Transaction) -> list[R]:
        return await table.scan(tx, _EVERYWHERE, *prefix, after=after, limit=SIZES_AT_ONCE)

    return await kv.transact(read)
