"""The bounds of Parameter Store.

Follows https://docs.aws.amazon.com/general/latest/gr/ssm.html#limits_ssm
"""

from typing import Final

STANDARD_VALUE_MAX: Final = 4_096
ADVANCED_VALUE_MAX: Final = 8_192
VERSIONS_MAX: Final = 100
LABELS_PER_VERSION_MAX: Final = 10
TAGS_MAX: Final = 50
LEVELS_MAX: Final = 15
NAME_LENGTH_MAX: Final = 1_011
"""With the rest of the ARN, 2048 characters."""

PATH_PAGE_ITEMS: Final = 10
PAGE_ITEMS: Final = 50
FILTERS_MAX: Final = 50

PATTERN_SECONDS_MAX: Final = 2.0
"""For matching a value against the pattern of its parameter."""
