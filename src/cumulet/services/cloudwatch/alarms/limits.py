"""Numbers of alarms, each with its link."""

from __future__ import annotations

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
RANGE_SECONDS_MAX = 7 * 86_400
SHORT_RANGE_SECONDS_MAX = 86_400
"""Periods times evaluation periods: a week, and a day for periods under an hour."""
HOUR_SECONDS = 3_600
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
ALARMS_MAX = 5_000
HISTORY_SECONDS = 30 * 86_400
TAGS_MAX = 50
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
RULE_ELEMENTS_MAX = 500
RULE_ALARMS_MAX = 100
RULE_DEPTH_MAX = 20
PARENTS_MAX = 150
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
DESCRIBE_MAX = 100
DESCRIBE_DEFAULT = 50
REASON_CHARACTERS_MAX = 1_023

EXTRA_PERIODS = 2
"""Periods read before those that are evaluated: what is missing later is made up for by them."""
LATE_SECONDS = 6.0
"""How long after a period its values may be on their way: the cloud's own are written every five.

A metric that is put later than this counts at the next evaluation."""
STEP_SECONDS = 60
SHORT_STEP_SECONDS = 10
"""How often an alarm is evaluated; the shorter one is for periods under a minute."""
LOOK_AGAIN_SECONDS = 60.0
DUE_AT_ONCE = 100
"""Alarms that are looked for at a time."""
EXPIRE_ITEMS = 500
ACTION_SECONDS_MAX = 86_400
"""For how long an action is tried."""
RETRY_SECONDS_MAX = 300.0
"""The longest pause between two attempts of an action."""
