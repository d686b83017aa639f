"""Numbers of CloudWatch metrics, each with its link."""

from __future__ import annotations

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
DATA_MAX = 1_000
VALUES_MAX = 150
DIMENSIONS_MAX = 30
PAST_SECONDS_MAX = 14 * 86_400
FUTURE_SECONDS_MAX = 2 * 3_600
VALUE_MAX = 2.0**360

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
RETENTION_SECONDS = {1: 3 * 3_600, 60: 15 * 86_400, 300: 63 * 86_400, 3_600: 455 * 86_400}
"""For how long points of each resolution (seconds) are kept."""
RECENT_SECONDS = 14 * 86_400
"""ListMetrics leaves out what had no data for two weeks."""
RECENTLY_ACTIVE_SECONDS = 3 * 3_600

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
STATISTICS_POINTS_MAX = 1_440
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
QUERIES_MAX = 500
DATAPOINTS_MAX = 100_800
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html
LIST_MAX = 500

EXACT_VALUES = 150
"""Distinct values that one point keeps exactly; with more they are kept within one per cent."""
GATHERED_SERIES_MAX = 20_000
"""Series that wait in memory for their write; a measurement of one more is left out."""
GATHERED_VALUES_MAX = 1_000
"""Values of one series that wait before they are put together."""
GATHER_SECONDS = 5.0
"""How long a measurement of the cloud's own may wait for its write."""
WRITE_SERIES = 200
"""Series written in one transaction."""
SCAN_POINTS = 5_000
"""Points read at once."""
SEEN_SECONDS = 1_800
"""How exactly the time of a series' last measurement is kept."""
EXPIRE_SERIES = 200
"""Series looked at in one transaction of retention."""
