"""Lambda's quotas, and the bounds of our own.

AWS's numbers: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from __future__ import annotations

TIMEOUT_SECONDS_DEFAULT = 3
TIMEOUT_SECONDS_MAX = 900
MEMORY_MB_DEFAULT = 128
MEMORY_MB_MAX = 10_240
EPHEMERAL_MB_DEFAULT = 512
EPHEMERAL_MB_MAX = 10_240

FUNCTION_NAME_LENGTH_MAX = 64
ENVIRONMENT_BYTES_MAX = 4_096
LAYERS_MAX = 5
TAGS_MAX = 50
POLICY_BYTES_MAX = 20_480
ROUTED_VERSIONS_MAX = 1

ZIP_DIRECT_BYTES_MAX = 52_428_800
"""A package sent in the request; a larger one must come from S3."""

REQUEST_BYTES_MAX = 70_167_211
"""The request that AWS names in its message when a direct package is too large."""

ZIP_S3_BYTES_MAX = 262_144_000
UNZIPPED_BYTES_MAX = 262_144_000
ZIP_ENTRIES_MAX = 65_535
"""Entries in one package: what a zip without the 64-bit extension can hold."""

TOTAL_CODE_BYTES_MAX = 80_530_636_800

PAYLOAD_SYNC_BYTES_MAX = 6_291_456
PAYLOAD_ASYNC_BYTES_MAX = 1_048_576
CLIENT_CONTEXT_BYTES_MAX = 3_583
LOG_TAIL_BYTES_MAX = 4_096
STREAM_CHUNKS_WAITING_MAX = 16
"""Pieces of a streamed answer held while the client is slow; the function then waits."""

STREAM_BYTES_MAX = 209_715_200
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html"""

STREAM_GRACE_SECONDS = 30.0
"""Time for initialisation and for a slow reader, over the function's own timeout."""

CONCURRENCY_MAX = 1_000
"""Concurrent executions of an account in a region."""

UNRESERVED_CONCURRENCY_MIN = 100
"""What reservations must leave for the other functions."""

LIST_PAGE_MAX = 50
ALIASES_PAGE_MAX = 10_000

MEASURED_SECONDS = 1.0
"""How long measurements wait here: less than the minute by which CloudWatch keeps them. Ours."""

MEASURED_MAX = 5_000
"""Values of one metric of one function that wait at most. Ours."""

RETRIES_DEFAULT = 2
EVENT_AGE_SECONDS_DEFAULT = 21_600
RETRY_SECONDS = (60, 120)
"""Waits before the second and the third attempt of an asynchronous event, see
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html"""

THROTTLE_RETRY_SECONDS_MIN = 1.0
THROTTLE_RETRY_SECONDS_MAX = 300.0
EVENTS_RUNNING_MAX = 32
"""Asynchronous events that one process carries out at the same time: half of the environments that
a machine has by default, so that a flood of events leaves room for callers who wait."""

EVENTS_QUEUED_MAX = 100_000
"""Asynchronous events that may wait."""

EVENT_PART_BYTES = 524_288
"""An event's payload is stored in parts of this size: one value of the store holds a megabyte."""

CREDENTIAL_SECONDS = 3_600
"""Life of the role session given to an execution environment."""

CREDENTIAL_RENEW_SECONDS = 2_400
"""Age at which a session is replaced, so that the longest invocation (15 minutes) still ends
before its credentials do."""

CODE_URL_SECONDS = 600
"""Life of the link in GetFunction's answer."""

SWEEP_SECONDS = 3_600.0
"""How often unpacked packages that nothing refers to are removed."""

CORS_LIST_MAX = 100

TRACED_CALLS_KEPT_MAX = 4_096
"""Traced invocations, the latest ones, to which segments of unknown senders may belong. Ours."""
TRACE_LINKS_MAX = 20
"""Other traces that the segment of a batch links to.
https://docs.aws.amazon.com/xray/latest/devguide/xray-services-lambda.html"""
