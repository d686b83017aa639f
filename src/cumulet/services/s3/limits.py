"""Numbers of S3, each with its link."""

from __future__ import annotations

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
PART_BYTES_MIN = 5 * 1024 * 1024
PART_NUMBER_MAX = 10_000
OBJECT_PUT_BYTES_MAX = 5 * 1024**3
OBJECT_BYTES_MAX = 50 * 1024**4
LIST_KEYS_MAX = 1_000

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
KEY_BYTES_MAX = 1_024

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
METADATA_BYTES_MAX = 2_048

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
OBJECT_TAGS_MAX = 10
BUCKET_TAGS_MAX = 50

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/BucketRestrictions.html
BUCKETS_MAX = 10_000
POLICY_BYTES_MAX = 20_480

INLINE_BYTES_MAX = 32 * 1024
"""Objects up to this size lie in the store and share its group commit; larger ones are blobs."""

PIECE_BYTES = 256 * 1024
"""What is read from disk at once when an object is sent."""

FREED_GRACE_SECONDS = 10.0
"""How long the bytes of a deleted object stay, for those who found it before and read it now."""
SIZES_AT_ONCE = 500
"""Objects that are read at once when the size of a bucket is measured."""
SIZES_LOOK_SECONDS = 3_600.0
"""How often buckets are looked for whose size was not measured today."""
FREED_AT_ONCE = 200
FREED_LOOK_SECONDS = 600.0
UPLOADS_DROPPED_AT_ONCE = 1
"""Unfinished uploads, of up to ten thousand parts, that one step of DeleteBucket removes."""

PAGE_KEYS_MIN = 100
"""Keys read at once by a listing that needs few more: most of them may not be shown."""

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
GRANTS_MAX = 100

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html
CORS_RULES_MAX = 100

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
LIFECYCLE_RULES_MAX = 1_000
LIFECYCLE_ID_CHARACTERS_MAX = 255
LIFECYCLE_LOOK_SECONDS = 3_600.0
LIFECYCLE_KEYS_AT_ONCE = 200

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-page-redirect.html
ROUTING_RULES_MAX = 50

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
NOTIFICATIONS_MAX = 100
EVENTS_AT_ONCE = 50
EVENT_KEPT_SECONDS = 24 * 3_600.0
"""How long a target is asked to take an event before it is given up, as Lambda keeps its own."""
EVENT_BACK_OFF_SECONDS_MAX = 300.0
EVENTS_LOOK_SECONDS = 600.0

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
LOCK_DAYS_MAX = 36_500
LOCK_YEARS_MAX = 100

# https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
FORM_FIELDS_BYTES_MAX = 20 * 1024

LOG_SECONDS = 60.0
"""How often the lines of access logs become objects; S3 takes up to some hours."""
LOG_LINES_AT_ONCE = 5_000
