"""How live properties differ from expected ones. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cumulet.services.cloudformation.template.values import as_text, to_json


def differences(expected: Any, actual: Any, path: str = "") -> list[dict[str, Any]]:
    """Every place where `actual` is not as expected, in the form of PropertyDifference.

    Members that only the live resource has are defaults of its service, and no difference.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_PropertyDifference.html
    """
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        found: list[dict[str, Any]] = []
        for name, value in expected.items():
            if name in actual:
                found.extend(differences(value, actual[name], f"{path}/{name}"))
            else:
                found.append(_difference(f"{path}/{name}", value, None, "REMOVE"))
        return found
    if isinstance(expected, list) and isinstance(actual, list):
        return _in_lists(expected, actual, path)
    text = as_text(expected)
    if expected == actual or (text is not None and text == as_text(actual)):
        return []
    return [_difference(path, expected, actual, "NOT_EQUAL")]


def _in_lists(expected: list[Any], actual: list[Any], path: str) -> list[dict[str, Any]]:
    """Lists of tags and the like have no order of their own; others are compared in theirs."""
    if all(isinstance(item, Mapping) and "Key" in item for item in [*expected, *actual]):
        expected = sorted(expected, key=lambda item: str(item["Key"]))
        actual = sorted(actual, key=lambda item: str(item["Key"]))
    found: list[dict[str, Any]] = []
    for number, value in enumerate(expected):
        if number < len(actual):
            found.extend(differences(value, actual[number], f"{path}/{number}"))
        else:
            found.append(_difference(f"{path}/{number}", value, None, "REMOVE"))
    for number in range(len(expected), len(actual)):
        found.append(_difference(f"{path}/{number}", None, actual[number], "ADD"))
    return found


def _difference(path: str, expected: Any, actual: Any, kind: str) -> dict[str, Any]:
    return {
        "PropertyPath": path,
        "ExpectedValue": _text(expected),
        "ActualValue": _text(actual),
        "DifferenceType": kind,
    }


def _text(value: Any) -> str:
    text = as_text(value)
    return to_json(value) if text is None else text
