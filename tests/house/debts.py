"""What does not keep a rule of the house yet. These lists may only become shorter."""

from __future__ import annotations

FULL_FOLDERS: dict[str, int] = {
    "bench": 15,
    "src/cumulet/sandbox/child": 16,
    "tests/services/cloudformation": 17,
}
"""Folders with more than fourteen entries, and how many they may have."""

UNTESTED: frozenset[str] = frozenset(
    (
        "logs.TagLogGroup",
        "logs.UntagLogGroup",
        "s3.DeleteBucketEncryption",
        "s3.DeleteBucketTagging",
        "s3.DeleteObjectTagging",
        "s3.GetBucketAccelerateConfiguration",
        "s3.GetBucketCors",
        "s3.GetBucketEncryption",
        "s3.GetBucketLogging",
        "s3.GetBucketNotificationConfiguration",
        "s3.GetBucketOwnershipControls",
        "s3.GetBucketReplication",
        "s3.GetBucketRequestPayment",
        "s3.GetBucketWebsite",
        "s3.GetObjectLockConfiguration",
        "s3.PutBucketEncryption",
        "s3.PutBucketOwnershipControls",
    )
)
"""Operations that no test names yet."""
