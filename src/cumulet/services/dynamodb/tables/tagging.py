"""Tags of tables: read and checked.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Tagging.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cumulet.services.dynamodb.errors import ValidationException
from cumulet.services.dynamodb.limits import TAGS_MAX

_ALLOWED = frozenset(" \t\n\r+-=._:/@")
_WRONG = "One or more parameter values were invalid: "


def read_tags(given: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Tags by their keys. Raises ValidationException."""
    tags: dict[str, str] = {}
    for one in given:
        key = one["Key"]
        if key.lower().startswith("aws:"):
            raise ValidationException(f"{_WRONG}Tag keys must not begin with 'aws:': '{key}'")
        for text in (key, one["Value"]):
            if not all(letter.isalnum() or letter in _ALLOWED for letter in text):
                raise ValidationException(
                    f"{_WRONG}Tags may have letters, whitespace, numbers and + - = . _ : / @ "
                    f"only: '{text}'"
                )
        if key in tags:
            raise ValidationException(f"{_WRONG}Tag keys must be unique: '{key}'")
        tags[key] = one["Value"]
    return check_count(tags)


def check_count(tags: dict[str, str]) -> dict[str, str]:
    """The same tags. Raises ValidationException when there are too many."""
    if len(tags) > TAGS_MAX:
        raise ValidationException(f"{_WRONG}Too many tags: at most {TAGS_MAX} are allowed")
    return tags
