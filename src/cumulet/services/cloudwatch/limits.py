"""Numbers of CloudWatch Logs, each with its link."""

from __future__ import annotations

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
BATCH_BYTES_MAX = 1_048_576
BATCH_EVENTS_MAX = 10_000
EVENT_OVERHEAD_BYTES = 26
EVENT_BYTES_MAX = 1_048_576
BATCH_SPAN_MS_MAX = 24 * 3600 * 1000
PAST_MS_MAX = 14 * 24 * 3600 * 1000
FUTURE_MS_MAX = 2 * 3600 * 1000

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
RETENTION_DAYS = frozenset(
    (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
     3288, 3653)
)  # fmt: skip

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
PAGE_EVENTS_MAX = 10_000
PAGE_BYTES_MAX = 1_048_576
DESCRIBE_MAX = 50

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/logs/cloudwatch_limits_cwl.html
TAGS_MAX = 50
PATTERN_CHARACTERS_MAX = 1_024

SCAN_EVENTS = 1_000
"""Events read in one transaction; a filter looks at several such pages for one answer."""
FILTER_PAGES_MAX = 20
"""Pages looked at for one FilterLogEvents answer, which then carries a token to go on."""

SINK_LINES_MAX = 65_536
"""Lines that wait to be written; past it lines are left out, and a line says how many."""
SINK_WRITE_LINES = 500
SINK_WAIT_SECONDS = 0.05
EXPIRE_EVENTS = 500
"""Events that one unit of the retention worker removes."""
