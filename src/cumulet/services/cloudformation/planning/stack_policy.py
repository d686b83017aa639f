"""Stack policies: which updates of which resources are allowed. Pure.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cumulet.core.wildcards import wildcards
from cumulet.services.cloudformation.errors import ValidationError

POLICY_BYTES_MAX = 16_384
_MEMBERS = frozenset(
    ("Effect", "Action", "NotAction", "Principal", "Resource", "NotResource", "Condition", "Sid")
)


def parse_policy(text: str) -> list[Mapping[str, Any]]:
    """The statements of a policy. Raises ValidationError when it is none."""
    try:
        document = json.loads(text)
        statements = document["Statement"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValidationError("Error validating stack policy: Invalid stack policy") from None
    listed = statements if isinstance(statements, list) else [statements]
    for statement in listed:
        if (
            not isinstance(statement, dict)
            or statement.get("Effect") not in ("Allow", "Deny")
            or not statement.keys() <= _MEMBERS
            or not ("Action" in statement) ^ ("NotAction" in statement)
            or not ("Resource" in statement) ^ ("NotResource" in statement)
            or statement.get("Principal") != "*"
        ):
            raise ValidationError("Error validating stack policy: Invalid stack policy")
    return listed


def require_allowed(text: str, action: str, logical_id: str, type_name: str) -> None:
    """Raise ValidationError when the policy does not allow `action`; no policy allows all."""
    if not text:
        return
    allowed = False
    for number, statement in enumerate(parse_policy(text), 1):
        if not _applies(statement, action, logical_id, type_name):
            continue
        if statement["Effect"] == "Deny":
            raise ValidationError(
                f"Action denied by stack policy: Statement [#{number}] does not allow "
                f"[{action}] for resource [LogicalResourceId/{logical_id}]"
            )
        allowed = True
    if not allowed:
        raise ValidationError(
            f"Action not allowed by stack policy: no statement allows [{action}] for resource "
            f"[LogicalResourceId/{logical_id}]"
        )


def _applies(statement: Mapping[str, Any], action: str, logical_id: str, type_name: str) -> bool:
    if not _named(statement, "Action", action):
        return False
    if not _named(statement, "Resource", f"LogicalResourceId/{logical_id}"):
        return False
    return all(
        _holds(operator, wanted, type_name)
        for operator, wanted in statement.get("Condition", {}).items()
    )


def _named(statement: Mapping[str, Any], member: str, value: str) -> bool:
    if member in statement:
        return _any_matches(statement[member], value)
    return not _any_matches(statement[f"Not{member}"], value)


def _any_matches(patterns: Any, value: str) -> bool:
    listed = patterns if isinstance(patterns, list) else [patterns]
    return any(wildcards(str(pattern)).matches(value) for pattern in listed)


def _holds(operator: str, wanted: Mapping[str, Any], type_name: str) -> bool:
    if operator not in ("StringEquals", "StringLike") or list(wanted) != ["ResourceType"]:
        raise ValidationError("Error validating stack policy: Invalid stack policy")
    listed = wanted["ResourceType"]
    listed = listed if isinstance(listed, list) else [listed]
    if operator == "StringEquals":
        return type_name in listed
    return _any_matches(listed, type_name)
