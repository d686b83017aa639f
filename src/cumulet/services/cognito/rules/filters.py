"""The filter of ListUsers: one attribute, equal to a text or beginning with it. Pure.

https://docs.aws.amazon.com/cognito/latest/developerguide/how-to-manage-user-accounts.html#cognito-user-pools-searching-for-users-using-listusers-api
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cumulet.services.cognito.errors import InvalidParameterException

_FILTER = re.compile(r'\s*"?([A-Za-z_:]+)"?\s*(\^?=)\s*"((?:[^"\\]|\\.)*)"\s*\Z')
NAMES = frozenset(
    {
        *("username", "email", "phone_number", "name", "given_name", "family_name"),
        *("preferred_username", "cognito:user_status", "status", "sub"),
    }
)


@dataclass(frozen=True, slots=True)
class Filter:
    """What users must have: the name of an attribute, and its value or how it begins."""

    name: str
    value: str
    is_prefix: bool


def parse_filter(text: str) -> Filter | None:
    """The filter in a text, None for an empty one. Raises InvalidParameterException."""
    if not text.strip():
        return None
    found = _FILTER.match(text)
    if found is None:
        raise InvalidParameterException("Error while parsing filter.")
    name, sign, value = found.groups()
    if name not in NAMES:
        raise InvalidParameterException(f"Filtering by {name} is not supported.")
    return Filter(name, re.sub(r"\\(.)", r"\1", value), sign == "^=")
