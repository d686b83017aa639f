"""Ids of persons: ten digits, and two more that tell a mistyped one."""

import re

_FORM = re.compile(r"[0-9]{12}")


def id_of(number):
    """The id of a number below ten thousand million."""
    return f"{number:010d}{number % 97:02d}"


def is_id(text):
    """Whether this can be an id: no wrong digit and no two digits in each other's place pass."""
    return _FORM.fullmatch(text) is not None and int(text[:10]) % 97 == int(text[10:])
