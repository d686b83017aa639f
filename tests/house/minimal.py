"""The smallest valid request of any operation, made from botocore's model of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel, Shape

TEXTS = (
    "house",
    "houseofrules",
    "a" * 20,
    "0" * 12,
    "arn:aws:iam::000000000000:role/house",
    "arn:aws:lambda:us-east-1:000000000000:function:house",
    "arn:aws:lambda:us-east-1:000000000000:layer:house",
    "arn:aws:lambda:us-east-1:000000000000:layer:house:1",
    "arn:aws:lambda:us-east-1:000000000000:event-source-mapping:house",
    "arn:aws:logs:us-east-1:000000000000:log-group:house",
    "arn:aws:sqs:us-east-1:000000000000:house",
    "123456",
    "2026-01-01",
    "200",
    "v1",
    "lambda:GetLayerVersion",
    "house.handler",
    "{}",
    "11111111-2222-3333-4444-555555555555",
    "lambda:InvokeFunction",
    "/house",
    "https://house.example",
    "i-0123456789abcdef0",
    "house.example",
    "arn:aws:acm:us-east-1:000000000000:certificate/house",
    "arn:aws:scheduler:us-east-1:000000000000:schedule-group/house",
    "arn:aws:events:us-east-1:000000000000:event-bus/default",
    "us-east-1_house",
    "import-house",
    "us-east-1:11111111-2222-3333-4444-555555555555",
    "authenticated",
)
"""Tried in this order until one fits the shape's pattern and length."""


class NoText(Exception):
    """No text of the list fits a shape: add one."""


def minimal_request(model: OperationModel, known: Mapping[str, Any]) -> dict[str, Any]:
    """The required members only; `known` gives the values of members by their names."""
    if model.input_shape is None:
        return {}
    return structure(model.input_shape, known)


def structure(shape: Any, known: Mapping[str, Any]) -> dict[str, Any]:
    if shape.is_tagged_union:
        name, member = next(iter(shape.members.items()))
        return {name: value_of(member, name, known)}
    return {name: value_of(shape.members[name], name, known) for name in shape.required_members}


def value_of(shape: Shape | Any, name: str, known: Mapping[str, Any]) -> Any:
    kind = shape.type_name
    if name in known:
        return known[name]
    if kind == "structure":
        return structure(shape, known)
    if kind == "list":
        count = max(1, shape.metadata.get("min", 1))
        return [value_of(shape.member, name, known) for _ in range(count)]
    if kind == "map":
        return {value_of(shape.key, "", {}): value_of(shape.value, "", {})}
    if kind == "string":
        return text_of(shape)
    if kind in ("integer", "long", "float", "double"):
        return max(1, shape.metadata.get("min", 1))
    return {"boolean": False, "blob": b"house", "timestamp": 1_700_000_000}[kind]


def text_of(shape: Any) -> str:
    if shape.enum:
        return str(shape.enum[0])
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 10**9)
    pattern = shape.metadata.get("pattern", "")
    for text in TEXTS:
        if low <= len(text) <= high and (not pattern or fits(pattern, text)):
            return text
    if not pattern:
        return "a" * low
    raise NoText(f"{shape.name} {pattern} {low}–{high}")


def fits(pattern: str, text: str) -> bool:
    # The models' Unicode classes are Java's; the texts above are plain, so a wide class will do.
    plain = pattern.replace(r"\p{L}\p{Z}\p{N}", r"\w\s").replace(r"\p{L}", "A-Za-z")
    plain = plain.replace(r"\p{Z}", " ").replace(r"\p{N}", "0-9").replace(r"\p{P}", "!-/")
    plain = plain.replace(r"\p{M}", "").replace(r"\p{S}", "").replace(r"\p{ASCII}", r"\x00-\x7f")
    plain = plain.replace(r"\p{Print}", r"\x20-\x7e")
    try:
        return re.fullmatch(plain, text) is not None
    except re.error:
        return True
