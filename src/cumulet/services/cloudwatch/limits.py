"""Numbers of CloudWatch Logs, each with its link."""

from __future__ import annotations

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
BATCH_BYTES_MAX = 1_048_576
BATCH_EVENTS_MAX = 10_000
EVENT_OVERHEAD_BYTES = 26
EVENT_BYTES_MAX = 1_047_552
"""CloudWatch takes 1,048,576 bytes with its own 26; the difference is the room of the record."""
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

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
FROM_TAIL_MS_MIN = 1_704_067_200_000

BLOCK_SPAN_MS = 250
BLOCK_EVENTS_MAX = 500
BLOCK_BYTES_MAX = 65_536
"""What one record of events holds: few enough that reading a single one of them costs little."""

SCAN_EVENTS_MIN = 64
SCAN_EVENTS_MAX = 1_000
SCAN_BLOCKS_MIN = 4
SCAN_BLOCKS_MAX = 64
SCAN_BYTES = 4 * 1_048_576
"""Records read at once: few when they are long, so that memory stays within some such sizes."""
WALK_BYTES_MAX = 16 * 1_048_576
"""Events that wait for their turn while blocks that overlap them are read."""
FILTER_EVENTS_MAX = 20_000
"""Events looked at for one FilterLogEvents answer, which then carries a token to go on."""

SINK_LINES_MAX = 65_536
"""Lines that wait to be written; past it lines are left out, and a line says how many."""
SINK_BYTES_MAX = 64 * 1_048_576
"""Bytes of the lines that wait."""
SINK_PLACES_MAX = 10_000
"""Streams of which it is remembered how many lines were left out."""
SINK_WRITE_LINES = 2_000
SINK_WRITE_BYTES = 4 * 1_048_576
"""Lines and bytes written in one transaction."""
SINK_WAIT_SECONDS = 0.2
"""Lines are gathered for so long: a transaction for each moment costs more than its lines."""
SINK_RETRY_SECONDS = 1.0

EXPIRE_RECORDS = 100
"""Records of events that one transaction of retention or deletion removes."""

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
METRIC_FILTERS_MAX = 100
SUBSCRIPTION_FILTERS_MAX = 2
FILTER_DIMENSIONS_MAX = 3

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
EMBEDDED_METRICS_MAX = 100
EMBEDDED_DIMENSIONS_MAX = 30
EMBEDDED_VALUES_MAX = 100

SUBSCRIPTION_BYTES_MAX = 512 * 1_024
"""Text of events that go to a function in one invocation, before it is compressed."""
SUBSCRIPTION_SECONDS_MAX = 86_400
"""For how long a delivery to a function is tried, as on AWS."""
SUBSCRIPTION_RETRY_SECONDS_MAX = 300.0

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
QUERIES_RUNNING_MAX = 30
QUERY_GROUPS_MAX = 50
QUERY_SECONDS_MAX = 3_600
QUERY_DEFINITIONS_MAX = 1_000
QUERIES_KEPT_MAX = 200
"""Queries whose answers stay in memory; those asked for longest ago go first."""
QUERY_STEP_EVENTS = 1_000
"""Events looked at before others get their turn."""

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartLiveTail.html
TAIL_SECONDS_MAX = 3 * 3_600
TAIL_EVENTS_MAX = 500
TAILS_MAX = 100
"""Sessions of all accounts together; AWS lets an account have fifteen."""
