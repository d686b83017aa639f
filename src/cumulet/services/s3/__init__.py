"""S3: buckets, objects, versions, multipart uploads, bucket policies."""

from __future__ import annotations

from cumulet.kit.service import Service, operations_of
from cumulet.services.s3 import store
from cumulet.services.s3.blob_use import holds_blob
from cumulet.services.s3.operations import absent, bucket, listing, multipart, setting, tagging
from cumulet.services.s3.operations import object as object_operations
from cumulet.services.s3.resources import RESOURCES

S3 = Service(
    name="s3",
    prefix="s3",
    operations=operations_of(
        bucket, setting, absent, object_operations, multipart, listing, tagging
    ),
    resources=RESOURCES,
    tables=store.TABLES,
    holds_blob=holds_blob,
)

SERVICES = (S3,)
