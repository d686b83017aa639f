"""Numbers of X-Ray, each with its link."""

from __future__ import annotations

# https://docs.aws.amazon.com/general/latest/gr/xray.html
SEGMENT_BYTES_MAX = 65_536
TRACE_BYTES_MAX = 512_000
KEPT_SECONDS = 30 * 86_400
SUMMARIES_SECONDS_MAX = 86_400
ANNOTATIONS_MAX = 50
GROUPS_MAX = 25
RULES_MAX = 25
# https://docs.aws.amazon.com/xray/latest/devguide/xray-api-gettingdata.html
GRAPH_SECONDS_MAX = 6 * 3_600
BATCH_TRACES_MAX = 5
DEPTH_MAX = 30
PARENTS_MAX = 100
"""Subsegments between a call and the segment that it came from."""
SERIES_PERIODS = (60, 300)
"""https://docs.aws.amazon.com/xray/latest/api/API_GetTimeSeriesServiceStatistics.html"""

PAST_SECONDS_MAX = 30 * 86_400
FUTURE_SECONDS_MAX = 300
"""How far from now a segment may begin."""
TRACES_MAX = 200_000
"""Traces kept in one region of an account, whatever their age: the oldest go first."""
KEPT_BYTES_MAX = 2 << 30
"""Bytes of segments kept in one region of an account: the oldest traces go first. Ours."""
SEGMENTS_PER_TRACE_MAX = 1_000
PAGE_TRACES = 200
PAGE_BYTES = 8 * 1_048_576
"""Traces, and bytes of them, that one answer looks at."""
GRAPH_TRACES_MAX = 5_000
"""Traces that a service graph is made of: the newest of the span."""
EXPIRE_TRACES = 50
TARGET_SECONDS = 10
"""How long a share of a rule's reservoir holds, as the SDKs ask for it."""
EXPRESSION_CHARACTERS_MAX = 2_000
"""https://docs.aws.amazon.com/xray/latest/devguide/xray-console-filters.html"""

GATHER_SECONDS = 0.5
"""How long segments that the cloud tells itself wait at most, to be written together. Ours."""
WAITING_MAX = 20_000
WAITING_BYTES_MAX = 64 << 20
"""Segments, and about how many bytes of them, that wait at most; more are left out. Ours."""
WRITE_SEGMENTS = 200
"""Segments of one transaction. Ours."""
FOLLOWED_MAX = 10_000
"""Segments under way whose calls are recorded: those begun longest ago go first. Ours."""
SAMPLED_SCOPES_MAX = 1_000
"""Accounts and regions whose sampling rules are ready in memory. Ours."""
