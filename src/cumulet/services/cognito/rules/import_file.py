"""Files of users to import: their header, and what a row says. Pure.

https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-using-import-tool.html
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cumulet.services.cognito.limits import IMPORT_ROW_CHARACTERS_MAX
from cumulet.services.cognito.rules.schema import ADDRESSES, VERIFIED

USERNAME, MFA = "cognito:username", "cognito:mfa_enabled"
_TRUTH = {"true": True, "false": False}
_NOT_IN_FILES = ("sub", "identities")


class BadFile(Exception):
    """The file cannot be read as one of users."""


class BadRow(Exception):
    """A row cannot be made a user."""


@dataclass(frozen=True, slots=True)
class Row:
    """A user as a row tells it."""

    name: str
    attributes: Mapping[str, str]
    has_mfa: bool


def header_of(schema: Mapping[str, Any]) -> list[str]:
    """The columns of a file for a pool with this schema."""
    own = [name for name in schema if name not in _NOT_IN_FILES]
    return [*own, MFA, USERNAME]


def cells(line: str) -> list[str]:
    """The cells of a line; a comma within one is quoted, or has a backslash before it."""
    if len(line) > IMPORT_ROW_CHARACTERS_MAX:
        raise BadRow(f"The row is longer than {IMPORT_ROW_CHARACTERS_MAX} characters.")
    try:
        found = next(csv.reader([line], escapechar="\\", strict=True), [])
    except csv.Error as cause:
        raise BadRow("The row cannot be parsed.") from cause
    return [cell.strip() for cell in found]


def read_header(line: str, schema: Mapping[str, Any]) -> list[str]:
    """The columns of a file. Raises BadFile unless they are the pool's."""
    try:
        found = cells(line)
    except BadRow as cause:
        raise BadFile(str(cause)) from cause
    known = set(header_of(schema))
    if (
        len(set(found)) != len(found)
        or not set(found) <= known
        or not {USERNAME, MFA} <= set(found)
    ):
        raise BadFile("The header in the CSV file does not match the expected headers.")
    return found


def read_row(line: str, header: Sequence[str], verified: Sequence[str]) -> Row:
    """What a line says. Raises BadRow; `verified` are the attributes that the pool verifies."""
    found = cells(line)
    if len(found) != len(header):
        raise BadRow("The number of values does not match the number of columns.")
    values = {name: value for name, value in zip(header, found, strict=True) if value}
    name = values.pop(USERNAME, "")
    if not name:
        raise BadRow("The User Record does not have a cognito:username.")
    has_mfa = _TRUTH.get(values.pop(MFA, "").lower())
    if has_mfa is None:
        raise BadRow("cognito:mfa_enabled must be set to true or false.")
    if has_mfa and "phone_number" not in values:
        raise BadRow("The User Record has MFA enabled and no phone_number.")
    for mark in VERIFIED:
        if mark in values:
            values[mark] = values[mark].lower()
    proved = [name for name in ADDRESSES if values.get(f"{name}_verified") == "true"]
    if not set(proved) & set(verified or ADDRESSES):
        raise BadRow(
            "The User Record does not set any of the auto verified attributes to true. "
            "(Example: email_verified to true)."
        )
    for name_of in proved:
        if name_of not in values:
            raise BadRow(f"The User Record sets {name_of}_verified to true and has no {name_of}.")
    return Row(name, values, has_mfa)
