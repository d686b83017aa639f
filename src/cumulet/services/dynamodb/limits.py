"""Numbers of DynamoDB, each as AWS documents it.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""

from __future__ import annotations

ITEM_BYTES_MAX = 409_600
HASH_KEY_BYTES_MAX = 2_048
RANGE_KEY_BYTES_MAX = 1_024
NESTING_MAX = 32
NUMBER_DIGITS_MAX = 38
NUMBER_EXPONENT_MAX = 125
NUMBER_EXPONENT_MIN = -130
NUMBER_CHARACTERS_MAX = 1_000
"""Characters of a number's text that are looked at; AWS's own bound is not told."""

ATTRIBUTE_NAME_BYTES_MAX = 65_535

EXPRESSION_BYTES_MAX = 4_096
EXPRESSION_OPERATORS_MAX = 300
EXPRESSION_DEPTH_MAX = 155
"""Nesting that three hundred operators can need, and a little more."""
IN_OPERANDS_MAX = 100
PLACEHOLDER_CHARACTERS_MAX = 255
EXPRESSIONS_KEPT_MAX = 4_096
"""Compiled expressions kept in memory."""

PAGE_BYTES_MAX = 1 << 20
BATCH_GET_MAX = 100
BATCH_GET_BYTES_MAX = 16 << 20
BATCH_WRITE_MAX = 25
TRANSACTION_BYTES_MAX = 4 << 20
TOKEN_SECONDS = 600

LOCAL_INDEXES_MAX = 5
GLOBAL_INDEXES_MAX = 20
PROJECTED_ATTRIBUTES_MAX = 100
TABLE_NAMES_LISTED_MAX = 100
INSIGHTS_LISTED_MAX = 100
TAGS_MAX = 50
POLICY_BYTES_MAX = 20_480
CAPACITY_UNITS_MAX = 1_000_000_000_000

BACKFILL_ITEMS = 100
"""Items that one transaction adds to a new index."""

EXPIRED_ITEMS = 100
"""Items that one transaction takes away when their time has come."""

EXPIRY_SECONDS_BETWEEN = 5.0
"""AWS deletes within a few days; here an expired item is gone within seconds."""

EXPIRY_AGE_SECONDS_MAX = 5 * 365 * 86_400
"""A time further back than five years is not taken for an expiry.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html
"""

STREAM_SECONDS_KEPT = 86_400
STREAM_RECORDS_MAX = 1_000
STREAM_BYTES_MAX = 1 << 20
STREAMS_LISTED_MAX = 100
ITERATOR_SECONDS = 900
TRIM_RECORDS = 500
TRIM_SECONDS_BETWEEN = 60.0
