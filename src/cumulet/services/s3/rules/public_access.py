"""What "public" means of a bucket policy, for S3 Block Public Access. Pure.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

from __future__ import annotations

import ipaddress
import json
from typing import Any

_NARROWING_KEYS = frozenset(
    {
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principalarn",
        "aws:principalaccount",
        "aws:sourceip",
        "aws:sourcearn",
        "aws:sourceaccount",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:sourceowner",
        "aws:userid",
        "s3:dataaccesspointarn",
        "s3:dataaccesspointaccount",
    }
)
_NARROWING_TESTS = frozenset(
    {
        "stringequals",
        "stringequalsignorecase",
        "stringlike",
        "arnequals",
        "arnlike",
        "ipaddress",
        "foranyvalue:stringequals",
        "foranyvalue:stringlike",
    }
)
_WIDEST_V4, _WIDEST_V6 = 8, 32


def is_public(text: str) -> bool:
    """Whether a policy lets in everyone: no fixed value of its conditions says who may come."""
    statements = json.loads(text).get("Statement", [])
    return any(
        statement.get("Effect") == "Allow"
        and _names_everyone(statement)
        and not _narrows(statement)
        for statement in (statements if isinstance(statements, list) else [statements])
    )


def _names_everyone(statement: dict[str, Any]) -> bool:
    if "NotPrincipal" in statement:
        return True
    principal = statement.get("Principal")
    named = principal.get("AWS") if isinstance(principal, dict) else principal
    return named == "*" or (isinstance(named, list) and "*" in named)


def _narrows(statement: dict[str, Any]) -> bool:
    return any(
        test.lower() in _NARROWING_TESTS
        and key.lower() in _NARROWING_KEYS
        and all(_is_fixed(key.lower(), value) for value in _listed(values))
        for test, keys in (statement.get("Condition") or {}).items()
        for key, values in keys.items()
    )


def _listed(values: Any) -> list[str]:
    return [str(value) for value in values] if isinstance(values, list) else [str(values)]


def _is_fixed(key: str, value: str) -> bool:
    if key == "aws:sourceip":
        try:
            network = ipaddress.ip_network(value, strict=False)
        except ValueError:
            return False
        return network.prefixlen >= (_WIDEST_V4 if network.version == 4 else _WIDEST_V6)
    if key == "aws:userid":
        value = value.removesuffix(":*")
    if key in ("aws:principalarn", "aws:sourcearn"):
        # A wildcard in the name is fine as long as the account is fixed.
        parts = value.split(":", 5)
        return len(parts) == 6 and parts[4].isdigit()
    return "*" not in value and "?" not in value and "${" not in value
