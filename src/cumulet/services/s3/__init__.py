"""S3: buckets, objects, versions, multipart uploads, bucket policies."""

from __future__ import annotations

from cumulet.kit.service import Service, operations_of
from cumulet.services.s3 import store
from cumulet.services.s3.content.blobs_held import holds_blob
from cumulet.services.s3.content.readers import Readers
from cumulet.services.s3.members import refusing
from cumulet.services.s3.operations import (
    absent,
    bucket,
    copy,
    deletion,
    listing,
    multipart,
    setting,
    tagging,
    uploads,
    versions,
)
from cumulet.services.s3.operations import object as object_operations
from cumulet.services.s3.resources import RESOURCES
from cumulet.services.s3.workers import WORKERS

S3 = Service(
    name="s3",
    prefix="s3",
    operations=refusing(
        operations_of(
            absent,
            bucket,
            copy,
            deletion,
            listing,
            multipart,
            object_operations,
            setting,
            tagging,
            uploads,
            versions,
        )
    ),
    workers=WORKERS,
    resources=RESOURCES,
    provides=lambda platform: {Readers: Readers()},
    tables=store.TABLES,
    holds_blob=holds_blob,
)

SERVICES = (S3,)
