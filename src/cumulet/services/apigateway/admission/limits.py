"""The bounds of admission, each with the page that states it, or said to be ours.

https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
"""

BUCKETS_MAX = 100_000
"""Token buckets held in memory. Ours."""

AUTHORIZERS_MAX = 10
"""Authorizers of one API."""

AUTHORIZER_TTL_SECONDS_DEFAULT = 300
AUTHORIZER_TTL_SECONDS_MAX = 3_600
AUTHORIZER_SECONDS_MAX = 29.0
"""How long the gateway waits for an authorizer's function."""

AUTHORIZER_ANSWER_BYTES_MAX = 262_144
"""What an authorizer's function may answer. Ours."""

AUTHORIZATIONS_CACHED_MAX = 10_000
"""Answers of authorizers kept in memory, over all APIs. Ours."""

DECISIONS_REMEMBERED_MAX = 64
"""Decisions kept with one such answer. Ours."""

IDENTITY_SOURCES_MAX = 20
"""Identity sources of one authorizer. Ours."""

SCOPES_MAX = 10
"""Scopes of one method. Ours."""

API_KEYS_MAX = 10_000
"""API keys of an account in a region."""

API_KEY_NAME_LENGTH_MAX = 1_024
API_KEY_DESCRIPTION_LENGTH_MAX = 125_000
"""Characters, as AWS's own refusals have them."""

API_KEY_LENGTH_MIN = 20
API_KEY_LENGTH_MAX = 128
API_KEY_LENGTH = 40
"""Of a value that is made here."""

API_KEYS_FILE_BYTES_MAX = 1_048_576
"""A file of keys to import. Ours."""

API_KEYS_IMPORTED_MAX = 1_000
"""Keys of one file. Ours."""

PLANS_MAX = 300
"""Usage plans of an account in a region."""

PLANS_OF_KEY_MAX = 10
"""Usage plans that one key is in."""

PLAN_STAGES_MAX = 100
PLAN_METHODS_MAX = 200
"""Stages of a plan, and methods with a throttle of one of them. Ours."""

ACCOUNT_RATE = 10_000.0
ACCOUNT_BURST = 5_000
"""What an account's APIs let through in a region, in a second and at once."""

USAGE_DAYS_KEPT = 90
"""Days for which `GetUsage` answers."""

USES_RESERVED_MAX = 1_000
"""Requests that are counted in the store ahead of their coming, for one key in one plan. Ours."""

USES_RESERVED_PART = 100
"""Of a quota, at most one part in so many is reserved ahead. Ours."""

LEASES_MAX = 20_000
"""Keys in plans whose reservations are held in memory. Ours."""
