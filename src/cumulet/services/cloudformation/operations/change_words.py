"""Changes of a plan in the form in which change sets show them. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cumulet.services.cloudformation.planning.plan import Change, Detail
from cumulet.services.cloudformation.template.parameters import MASK
from cumulet.services.cloudformation.template.values import Unknown

_VALUES = frozenset(("BeforeContext", "AfterContext", "BeforeValue", "AfterValue"))
_LATER = "{{changeSet:KNOWN_AFTER_APPLY}}"


def shown_change(change: Change) -> dict[str, Any]:
    """One change, with all values.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html
    """
    inner: dict[str, Any] = {
        "Action": change.action,
        "LogicalResourceId": change.logical_id,
        "ResourceType": change.type,
        "Scope": change.scope,
        "Details": [_detail(one) for one in change.details],
    }
    if change.physical_id:
        inner["PhysicalResourceId"] = change.physical_id
    if change.replacement:
        inner["Replacement"] = change.replacement
    if change.policy_action:
        inner["PolicyAction"] = change.policy_action
    if change.before is not None:
        inner["BeforeContext"] = _json(change.before)
    if change.after is not None:
        inner["AfterContext"] = _json(change.after)
    return {"Type": "Resource", "ResourceChange": inner}


def _detail(detail: Detail) -> dict[str, Any]:
    target: dict[str, Any] = {
        "Attribute": detail.attribute,
        "RequiresRecreation": detail.recreation,
        "AttributeChangeType": detail.kind,
    }
    if detail.name:
        target["Name"] = detail.name
        target["Path"] = f"/Properties/{detail.name}"
    if detail.before is not None:
        target["BeforeValue"] = _text(detail.before)
    if detail.after is not None:
        target["AfterValue"] = _text(detail.after)
    shown: dict[str, Any] = {
        "Target": target,
        "Evaluation": detail.evaluation,
        "ChangeSource": detail.source,
    }
    if detail.cause:
        shown["CausingEntity"] = detail.cause
    return shown


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    return json.dumps(_known(value), ensure_ascii=False)


def _known(value: Any) -> Any:
    if isinstance(value, Unknown):
        return _LATER
    if isinstance(value, Mapping):
        return {name: _known(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_known(item) for item in value]
    return value


def hide_values(changes: list[dict[str, Any]], secrets: Sequence[str]) -> list[dict[str, Any]]:
    """The changes with the values of NoEcho parameters masked wherever they appear."""
    wanted = sorted({text for text in secrets if text}, key=len, reverse=True)
    forms = [form for text in wanted for form in (json.dumps(text, ensure_ascii=False)[1:-1], text)]
    hidden: list[dict[str, Any]] = [_hidden(change, forms) for change in changes]
    return hidden


def _hidden(value: Any, secrets: list[str], in_values: bool = False) -> Any:
    if isinstance(value, str) and in_values:
        for secret in secrets:
            value = value.replace(secret, MASK)
        return value
    if isinstance(value, dict):
        return {k: _hidden(v, secrets, in_values or k in _VALUES) for k, v in value.items()}
    if isinstance(value, list):
        return [_hidden(item, secrets, in_values) for item in value]
    return value
