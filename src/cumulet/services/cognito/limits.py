"""The bounds of Cognito.

Follows https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html where AWS has one.
"""

from typing import Final

CUSTOM_ATTRIBUTES_MAX: Final = 50
SCHEMA_TEXT_MAX: Final = 2_048
GROUPS_MAX: Final = 10_000
GROUPS_PER_USER_MAX: Final = 100
RESOURCE_SERVERS_MAX: Final = 25
SCOPES_PER_SERVER_MAX: Final = 100
CLIENTS_PER_POOL_MAX: Final = 1_000
TAGS_MAX: Final = 50
PAGE_USERS_MAX: Final = 60
PAGE_LIST_MAX: Final = 60

CODE_SECONDS: Final = 24 * 3_600
"""How long a code for a confirmation or an attribute holds."""

RESET_CODE_SECONDS: Final = 3_600
"""How long a code for a forgotten password holds."""

MFA_CODE_SECONDS: Final = 180
"""How long a code for a sign-in holds, and the time to answer a challenge unless a client says."""

CODE_TRIES_MAX: Final = 5
"""Wrong tries that a code bears; after them only a new one helps."""

CODES_SENT_MAX: Final = 10
"""Codes of one kind that one user is sent within `CODES_WINDOW_SECONDS`."""

CODES_WINDOW_SECONDS: Final = 3_600

FAILURES_BEFORE_LOCK: Final = 5
LOCK_SECONDS_MAX: Final = 900
"""After five wrong passwords an account is locked for a second, then two, up to fifteen minutes.

https://docs.aws.amazon.com/cognito/latest/developerguide/authentication.html#authentication-flow-lockout-behavior
"""

CHALLENGE_TRIES_MAX: Final = 3
"""Wrong answers to one challenge for a second factor."""

TOKEN_SECONDS_MIN: Final = 300
TOKEN_SECONDS_MAX: Final = 86_400
REFRESH_SECONDS_MIN: Final = 3_600
REFRESH_SECONDS_MAX: Final = 315_360_000
TOKEN_SECONDS_DEFAULT: Final = 3_600
REFRESH_DAYS_DEFAULT: Final = 30

KEY_BITS: Final = 2_048
KEY_DAYS: Final = 90
"""The age at which the next signing key takes over."""

RETIRED_DAYS: Final = 3
"""How long a retired key still verifies: longer than the longest token lives."""

TOKEN_TEXT_MAX: Final = 32_768
SRP_NUMBER_DIGITS_MAX: Final = 800
"""Of a client's public number in hexadecimal; the group has 768 digits."""

PASSWORD_WORK_WAITING_MAX: Final = 512
"""Checks of passwords that may wait for the one process that does them."""

PASSWORD_WORK_SECONDS_MAX: Final = 20.0

TRIGGER_SECONDS_MAX: Final = 5.0
TRIGGER_TRIES_MAX: Final = 3
"""A trigger must answer within five seconds, and is called up to three times.

https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html
"""

CUSTOM_ROUNDS_MAX: Final = 20
"""Custom challenges of one sign-in."""

MAIL_SECONDS: Final = 30 * 24 * 3_600
"""How long a delivered message stays in the mailbox."""

MAIL_SHOWN_MAX: Final = 500

SMTP_SECONDS_MAX: Final = 60.0
"""How long handing one message to the SMTP server may take."""

SMTP_ANSWER_LINES_MAX: Final = 100
SMTP_WAIT_SECONDS_MIN: Final = 5.0
SMTP_WAIT_SECONDS_MAX: Final = 1_800.0
SMTP_GIVE_UP_SECONDS: Final = 2 * 24 * 3_600
"""A message that is not taken is tried again after five seconds, then twice that, up to half an
hour, for two days. At most `kit.workers.deliveries.LANE_WAITING_MAX` wait."""

SWEEP_SECONDS: Final = 60.0
SWEEP_ROWS: Final = 500

IMPORT_FILE_BYTES_MAX: Final = 100 * 1024 * 1024
IMPORT_USERS_MAX: Final = 500_000
IMPORT_ROW_CHARACTERS_MAX: Final = 16_000
"""Of a file of users.

https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-using-import-tool.html
"""

IMPORT_URL_SECONDS: Final = 900
"""How long the address of a job takes its file."""

IMPORT_START_SECONDS: Final = 24 * 3_600
"""A job that is not started within a day has expired."""

IMPORT_JOBS_MAX: Final = 50
"""Jobs of a pool that are remembered; the oldest that has ended goes first."""

IMPORT_PART_BYTES: Final = 262_144
IMPORT_ROWS_AT_ONCE: Final = 100
IMPORT_LOOK_SECONDS: Final = 600.0

OAUTH_BODY_BYTES_MAX: Final = 65_536
OAUTH_CODE_SECONDS: Final = 300
LOGIN_COOKIE_SECONDS: Final = 3_600
"""How long the sign-in pages remember who signed in."""

FORM_SECONDS: Final = 3_600
"""How long a page's form may be sent."""

IDENTITY_TOKEN_SECONDS: Final = 600
IDENTITY_TOKEN_SECONDS_MAX: Final = 86_400
ROLE_RULES_MAX: Final = 25
"""Rules for one provider of an identity pool."""

SIGN_INS_MAX: Final = 1_000
"""Sign-ins of one user at once; the oldest goes when one more comes."""

SPENT_TOKENS_MAX: Final = 16
"""Exchanged refresh tokens of a sign-in that are remembered, to be told when one comes back."""
