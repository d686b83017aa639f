"""Numbers of EventBridge and its Scheduler, each with its link."""

from __future__ import annotations

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
BUSES_MAX = 100
RULES_MAX = 300
TARGETS_MAX = 5
EVENT_BYTES_MAX = 1_048_576
POLICY_BYTES_MAX = 10_240
TAGS_MAX = 50
LIST_MAX = 100
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
RETRIES_DEFAULT = 185
AGE_SECONDS_DEFAULT = 86_400
RETRY_SECONDS_MAX = 900.0
"""The longest wait between two attempts."""
# https://docs.aws.amazon.com/scheduler/latest/UserGuide/scheduler-quotas.html
SCHEDULES_MAX = 1_000_000
GROUPS_MAX = 500
INPUT_BYTES_MAX = 262_144
ROLE_KNOWN_SECONDS = 2_400.0
ROLE_SESSION_SECONDS = 3_600
ROLES_KNOWN_MAX = 1_000

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
ARCHIVES_MAX = 100
REPLAYS_ACTIVE_MAX = 10
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html
REPLAY_KEPT_SECONDS = 90 * 86_400.0

PART_BYTES = 524_288
"""Bytes of an archived event that one record holds."""
REPLAY_PARTS = 200
"""Records that one step of a replay reads, of which the longest event has three."""
REPLAYS_PAGE = 1_000
EXPIRE_PARTS = 500
"""Records that one transaction removes from an archive."""
DAY_SECONDS = 86_400
HOPS_MAX = 10
"""Buses that one event may be passed on to; the next one has a rule that goes round in a ring."""
OCCASIONS_PAGE = 200
"""Schedules that one transaction of the worker looks at."""
LATE_SECONDS_MAX = 86_400.0
"""An occasion that is later than this, since the cloud was off, is left out."""
LOOK_AGAIN_SECONDS = 60.0
SCOPES_MAX = 1_000
NAMES_SEEN_MAX = 100_000
"""Rules that a search by target goes through."""
