"""S3: buckets, objects, versions, multipart uploads, websites; and S3 Control for accounts."""

from __future__ import annotations

from cumulet.kit.service import Service, operations_of
from cumulet.services.s3 import store
from cumulet.services.s3.content.blobs_held import holds_blob
from cumulet.services.s3.content.readers import Readers
from cumulet.services.s3.front.around import watched
from cumulet.services.s3.front.charging import charged, holdings
from cumulet.services.s3.front.logs import AccessLogs
from cumulet.services.s3.front.surface import S3Front
from cumulet.services.s3.members import refusing
from cumulet.services.s3.operations import (
    acl,
    bucket,
    copy,
    deletion,
    listing,
    lock,
    multipart,
    tagging,
    uploads,
    versions,
)
from cumulet.services.s3.operations import object as object_operations
from cumulet.services.s3.operations.settings import (
    absent,
    account,
    basic,
    lifecycle,
    logging,
    metrics,
    notification,
    web,
)
from cumulet.services.s3.resources import RESOURCES
from cumulet.services.s3.store.known import Buckets
from cumulet.services.s3.workers import WORKERS

S3 = Service(
    name="s3",
    prefix="s3",
    operations=charged(
        watched(
            refusing(
                operations_of(
                    *(acl, bucket, copy, deletion, listing, lock, multipart, object_operations),
                    *(tagging, uploads, versions),
                    *(absent, basic, lifecycle, logging, metrics, notification, web),
                )
            )
        )
    ),
    workers=WORKERS,
    surfaces=(S3Front(),),
    resources=RESOURCES,
    provides=lambda platform: {
        Readers: Readers(),
        Buckets: Buckets(platform),
        AccessLogs: AccessLogs(),
    },
    tables=store.TABLES,
    holds_blob=holds_blob,
    holds=holdings,
)

S3_CONTROL = Service(name="s3control", prefix="s3", operations=operations_of(account))
"""Settings of accounts; its paths come before S3's, which would take them for a bucket's."""

SERVICES = (S3_CONTROL, S3)
