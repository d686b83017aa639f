"""Numbers of SNS, each with its link."""

from __future__ import annotations

# https://docs.aws.amazon.com/general/latest/gr/sns.html
TOPICS_MAX = 100_000
SUBSCRIPTIONS_MAX = 10_000
"""Subscriptions of a topic. AWS has 12,500,000: here each publish is written for all at once."""
FILTER_POLICIES_MAX = 200
MESSAGE_BYTES_MAX = 262_144
BATCH_MAX = 10
TAGS_MAX = 50
LIST_PAGE = 100
# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
SUBJECT_CHARACTERS_MAX = 100
GROUP_CHARACTERS_MAX = 128
# https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
NAME_CHARACTERS_MAX = 256
DISPLAY_NAME_MAX = 100
# https://docs.aws.amazon.com/sns/latest/dg/fifo-message-dedup.html
DEDUPLICATION_SECONDS = 300
# https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
ATTRIBUTE_NAME_MAX = 256
RAW_ATTRIBUTES_MAX = 10
"""Attributes that a queue takes: a message with more cannot be delivered raw."""
# https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
FILTER_KEYS_MAX = 5
FILTER_COMBINATIONS_MAX = 150
# https://docs.aws.amazon.com/sns/latest/api/API_AddPermission.html
PERMISSION_LABEL_MAX = 80
STATEMENTS_MAX = 100
# https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.confirm.html
PENDING_SECONDS = 172_800
"""A subscription that nobody confirms goes away after two days."""
# https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
HTTP_SECONDS = 15
HTTP_AGE_SECONDS = 3_600
MANAGED_AGE_SECONDS = 1_987_200
"""Twenty-three days."""
HTTP_RETRIES_MAX = 100
ENDPOINT_CHARACTERS_MAX = 2_048

HTTP_HEAD_BYTES_MAX = 65_536
"""Bytes of an endpoint's answer that are looked at."""
SIGNATURES_KEPT = 512
"""Signatures of late that are remembered: all subscriptions of a topic get the same one."""
CERTIFICATE_DAYS = 3_650
SCOPES_MAX = 1_000
SWEEP_SECONDS = 60.0
SWEEP_PAGE = 500
