"""Numbers of Contributor Insights, each with its link."""

from __future__ import annotations

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetInsightRuleReport.html
REPORT_CONTRIBUTORS_MAX = 100
REPORT_CONTRIBUTORS_DEFAULT = 10
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeInsightRules.html
LIST_MAX = 500
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/ContributorInsights.html
KEPT_SECONDS = 15 * 86_400

PERIODS_MAX = 1_440
"""Periods of one report. Ours."""
CONTRIBUTORS_KEPT = 200
"""Contributors of one rule and minute that are written: those with the most. Ours."""
CONTRIBUTORS_COUNTED = 2_000
"""Contributors of a rule and minute counted in memory; past them the lesser half goes. Ours."""
KEY_CHARACTERS_MAX = 256
"""Of a contributor's key, as it is kept: a longer one is cut. Ours."""
COUNTINGS_MAX = 500
"""Rules that are counted at a time; a contribution to one more is left out. Ours."""
WRITE_SECONDS = 5.0
WRITE_COUNTINGS = 20
"""Minutes of rules written in one transaction."""
SCAN_MINUTES = 100
"""Minutes of a rule read at once."""
