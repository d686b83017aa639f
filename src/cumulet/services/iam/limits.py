"""The bounds of IAM and STS.

Follows https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

from typing import Final

ACCESS_KEYS_PER_USER_MAX: Final = 2
GROUPS_PER_USER_MAX: Final = 10
ATTACHED_POLICIES_MAX: Final = 10
POLICY_VERSIONS_MAX: Final = 5
TAGS_MAX: Final = 50
ALIASES_MAX: Final = 1

USER_POLICIES_SIZE_MAX: Final = 2_048
GROUP_POLICIES_SIZE_MAX: Final = 5_120
ROLE_POLICIES_SIZE_MAX: Final = 10_240
MANAGED_POLICY_SIZE_MAX: Final = 6_144
TRUST_POLICY_SIZE_MAX: Final = 2_048
"""Sizes of policies are in characters, white space not counted."""

PROVIDERS_MAX: Final = 100
CLIENT_IDS_MAX: Final = 100
THUMBPRINTS_MAX: Final = 5

SUMMARY_QUOTAS: Final = {
    "UsersQuota": 5_000,
    "GroupsQuota": 300,
    "RolesQuota": 1_000,
    "PoliciesQuota": 1_500,
    "PolicyVersionsInUseQuota": 10_000,
    "InstanceProfilesQuota": 1_000,
    "ServerCertificatesQuota": 20,
    "SigningCertificatesPerUserQuota": 2,
}
"""What AWS allows an account at first. Told by GetAccountSummary, and not enforced here."""

PAGE_ITEMS: Final = 100
PAGE_ITEMS_MAX: Final = 1_000
ENTITIES_COUNTED_MAX: Final = 10_000
"""Entities that are looked at when a policy is asked for how often it is attached."""

KEYS_LISTED_MAX: Final = 1_000
"""Keys of one owner; the account itself may have been given more than a user."""

SIMULATED_PAIRS_MAX: Final = 10_000
"""Actions times resources in one simulation."""

SESSION_SECONDS_MIN: Final = 900
ROLE_SESSION_SECONDS: Final = 3_600
CHAINED_SESSION_SECONDS_MAX: Final = 3_600
USER_SESSION_SECONDS: Final = 43_200
USER_SESSION_SECONDS_MAX: Final = 129_600
ROOT_SESSION_SECONDS_MAX: Final = 3_600
SESSION_POLICIES_MAX: Final = 10
SESSION_POLICY_SIZE_MAX: Final = 2_048
SESSION_TAGS_MAX: Final = 50
SESSION_TOKEN_SIZE_MAX: Final = 8_192
"""Bytes of a session token; it must fit in a header."""

SESSIONS_REMEMBERED_MAX: Final = 4_096
"""Opened session tokens that are kept in memory."""

IDENTITIES_REMEMBERED_MAX: Final = 4_096
DOCUMENTS_REMEMBERED_MAX: Final = 2_048
"""Parsed policies that are kept in memory."""
