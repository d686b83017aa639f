"""Numbers of Cost Explorer, each with its link where AWS sets it."""

from __future__ import annotations

GATHERED_MAX = 20_000
"""Amounts that wait for the store; of more resources only the totals are kept."""
MEMBERS_MAX = 100_000
"""Members that are remembered as seen this month; others are looked up."""
WRITE_SECONDS = 1.0
WRITE_RECORDS = 500
"""How often, and in which portions, what was gathered is written."""
HOLD_SECONDS = 300.0
"""How often is asked what resources hold."""
HOLD_SECONDS_MAX = 35 * 86_400.0
"""The longest time between two such readings that is counted, as when the cloud was off."""
MONTHS_KEPT = 14
"""https://docs.aws.amazon.com/cost-management/latest/userguide/ce-exploring-data.html"""
EXPIRE_RECORDS = 1_000
SCAN_RECORDS = 5_000
RECORDS_READ_MAX = 500_000
"""Records that one answer is made of."""
GROUPS_MAX = 2
FILTER_DEPTH_MAX = 10
FILTER_VALUES_MAX = 1_000
PAGE_GROUPS = 5_000
"""Groups in one answer."""
SEARCH_VALUES_MAX = 1_000
