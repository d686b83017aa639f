"""API keys as they are given to us: checks, patch rules, files to import. Pure.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-key-file-format.html
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from cumulet.services.apigateway.admission.limits import (
    API_KEY_DESCRIPTION_LENGTH_MAX,
    API_KEY_LENGTH_MAX,
    API_KEY_LENGTH_MIN,
    API_KEY_NAME_LENGTH_MAX,
    API_KEYS_FILE_BYTES_MAX,
    API_KEYS_IMPORTED_MAX,
)
from cumulet.services.apigateway.admission.model import ApiKey
from cumulet.services.apigateway.errors import BadRequestException
from cumulet.services.apigateway.model import shown
from cumulet.services.apigateway.rules.patch import (
    ADD_REMOVE,
    ALL,
    REPLACE,
    Operations,
    Rule,
    apply_patches,
    listing,
    optional_text,
    read_flag,
)

_COLUMNS = ("name", "key", "description", "enabled", "usageplanids")


class KeyRow(NamedTuple):
    """One key of a file."""

    name: str
    value: str
    description: str
    enabled: bool
    plan_ids: tuple[str, ...]


def check_value(value: str) -> None:
    """Raise BadRequestException unless a key may have this value."""
    if len(value) < API_KEY_LENGTH_MIN:
        raise BadRequestException(
            f"API Key value should be at least {API_KEY_LENGTH_MIN} characters"
        )
    if len(value) > API_KEY_LENGTH_MAX:
        raise BadRequestException(
            f"API Key value exceeds maximum size of {API_KEY_LENGTH_MAX} characters"
        )
    if not value.isascii() or not value.isprintable() or " " in value:
        # It could not be sent in a header.
        raise BadRequestException("API Key value has characters that are not allowed")


def check_words(name: str | None, description: str | None) -> None:
    """Raise BadRequestException unless a key may be called and described so."""
    if name is not None and len(name) > API_KEY_NAME_LENGTH_MAX:
        raise BadRequestException(
            f"Invalid API Key name, can be at most {API_KEY_NAME_LENGTH_MAX} characters."
        )
    if description is not None and len(description) > API_KEY_DESCRIPTION_LENGTH_MAX:
        raise BadRequestException("Invalid API Key description specified.")


def parse_key_file(body: bytes) -> list[KeyRow]:
    """The keys of a file of comma-separated values, whose first line names the columns.

    Raises BadRequestException.
    """
    if len(body) > API_KEYS_FILE_BYTES_MAX:
        raise BadRequestException(f"The file is larger than {API_KEYS_FILE_BYTES_MAX} bytes")
    try:
        lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig")), strict=True))
    except (ValueError, csv.Error) as cause:
        raise BadRequestException("The API key file is not a valid CSV file") from cause
    lines = [line for line in lines if any(cell.strip() for cell in line)]
    if not lines:
        raise BadRequestException("The API key file is empty")
    columns = [cell.strip().lower() for cell in lines[0]]
    unknown = [name for name in columns if name not in _COLUMNS]
    if unknown or "name" not in columns or "key" not in columns:
        raise BadRequestException(
            "The first line of the API key file must name its columns: "
            "Name,key,description,Enabled,usageplanIds"
        )
    if len(lines) - 1 > API_KEYS_IMPORTED_MAX:
        raise BadRequestException(f"The file has more than {API_KEYS_IMPORTED_MAX} API keys")
    return [_row(dict(zip(columns, line, strict=False))) for line in lines[1:]]


def _row(cells: Mapping[str, str]) -> KeyRow:
    plans = (part.strip() for part in cells.get("usageplanids", "").split(","))
    return KeyRow(
        name=cells.get("name", "").strip(),
        value=cells.get("key", "").strip(),
        description=cells.get("description", "").strip(),
        enabled=cells.get("enabled", "true").strip().lower() in ("true", ""),
        plan_ids=tuple(part for part in plans if part),
    )


def key_view(key: ApiKey) -> dict[str, Any]:
    """A key as AWS shows it, without its value."""
    return {
        "stageKeys": [],
        "enabled": key.enabled,
        **shown(key, "sealed", "digest", "origin"),
    }


_RULES = (
    Rule("/description", ALL, optional_text),
    Rule("/enabled", REPLACE, read_flag),
    Rule("/name", REPLACE, optional_text),
    Rule("/customerId", ALL, optional_text),
    Rule("/stages", ADD_REMOVE, kind="values"),
)


def patch_key(key: ApiKey, operations: Operations | None) -> ApiKey:
    """The key with the patch operations done. Raises BadRequestException."""
    document = {
        "name": key.name,
        "description": key.description,
        "customerId": key.customer_id,
        "enabled": key.enabled,
        "stages": list(key.stage_keys),
    }
    changed = apply_patches(document, operations, _RULES, listing)
    check_words(changed.get("name"), changed.get("description"))
    return msgspec.structs.replace(
        key,
        name=changed.get("name"),
        description=changed.get("description"),
        customer_id=changed.get("customerId"),
        enabled=bool(changed.get("enabled")),
        stage_keys=tuple(changed.get("stages") or ()),
    )
