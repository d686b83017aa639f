"""Attribute values in their wire form: checked in AWS's order and words, put into one spelling.

A value is what JSON carries: `{"S": "text"}`, `{"N": "1"}`, `{"B": "base64"}`, and so on. Binary
values that come as bytes (from callers inside the cloud) are turned into base64.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from typing import Any

from cumulet.core.errors import MalformedRequest
from cumulet.services.dynamodb.errors import InvalidItem, ValidationException
from cumulet.services.dynamodb.items.numbers import measured_number
from cumulet.services.dynamodb.limits import ATTRIBUTE_NAME_BYTES_MAX, NESTING_MAX

Value = dict[str, Any]
Item = dict[str, Value]

_INVALID = "One or more parameter values were invalid: "
KINDS = ("S", "N", "B", "SS", "NS", "BS", "M", "L", "BOOL", "NULL")


def text_size(text: str) -> int:
    """Bytes of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def check_item(item: Item) -> int:
    """Check the values of an item in place; returns its size in bytes, names included.

    Raises ValidationException, or MalformedRequest for what is no attribute value at all.
    """
    total = text_size("".join(item))
    for value in item.values():
        # Most values are short texts and numbers, so that a step for each would be felt.
        if type(value) is dict and len(value) == 1:
            text = value.get("S")
            if type(text) is str and text.isascii():
                total += len(text)
                continue
            text = value.get("N")
            if type(text) is str:
                canonical, size = measured_number(text)
                if canonical != text:
                    value["N"] = canonical
                total += size
                continue
        total += check_value(value)
    if "" in item or total > ATTRIBUTE_NAME_BYTES_MAX:
        check_names(item)
    return total


def check_names(names: Iterable[str]) -> None:
    """Attribute names are neither empty nor too long. Raises ValidationException."""
    for name in names:
        if not name:
            raise ValidationException(f"{_INVALID}Empty attribute name")
        if text_size(name) > ATTRIBUTE_NAME_BYTES_MAX:
            raise ValidationException(
                f"{_INVALID}Attribute name is too large, must be less than "
                f"{ATTRIBUTE_NAME_BYTES_MAX + 1} bytes"
            )


def check_value(value: Any, depth: int = 0) -> int:
    """Check one value in place and give its size in bytes."""
    if type(value) is not dict:
        raise _unexpected(value)
    if len(value) != 1:
        _reduce(value)
    ((kind, content),) = value.items()
    if kind == "S" and type(content) is str:
        return len(content) if content.isascii() else len(content.encode())
    if kind == "N" and type(content) is str:
        text, size = measured_number(content)
        if text != content:
            value["N"] = text
        return size
    if kind == "M" or kind == "L":
        return _check_nested(kind, content, depth)
    check = _CHECKS.get(kind)
    if check is None:
        _reduce({})
        return 0
    return check(value, content)


def _check_nested(kind: str, content: Any, depth: int) -> int:
    if depth >= NESTING_MAX:
        raise InvalidItem(
            "Nesting Levels have exceeded supported limits: Attributes in the item have nested "
            "levels beyond supported limit"
        )
    if kind == "M":
        if type(content) is not dict:
            raise _unexpected(content)
        total = 3
        for name, inner in content.items():
            total += text_size(name) + 1 + check_value(inner, depth + 1)
        return total
    if type(content) is not list:
        raise _unexpected(content)
    return 3 + len(content) + sum(check_value(inner, depth + 1) for inner in content)


def _reduce(value: Value) -> None:
    """Leave the one datatype that is set. Raises ValidationException when there is not just one."""
    for name in [name for name, content in value.items() if content is None or name not in KINDS]:
        del value[name]
    if not value:
        raise ValidationException(
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
        )
    if len(value) > 1:
        raise ValidationException(
            "Supplied AttributeValue has more than one datatypes set, must contain exactly one of "
            "the supported datatypes"
        )


def _check_binary(value: Value, content: Any) -> int:
    text, size = _base64(content)
    if text != content:
        value["B"] = text
    return size


def _base64(content: Any) -> tuple[str, int]:
    if isinstance(content, bytes | bytearray):
        return b64encode(content).decode(), len(content)
    if type(content) is not str:
        raise _cannot_be(content, "a Blob")
    raw = decode_binary(content)
    return b64encode(raw).decode(), len(raw)


def decode_binary(text: str) -> bytes:
    """The bytes of a base64 text. Raises MalformedRequest."""
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError) as cause:
        raise MalformedRequest(
            f"'{text}' can not be converted to a Blob: Invalid Base64 text"
        ) from cause


def _check_flag(value: Value, content: Any) -> int:
    if type(content) is not bool:
        raise _cannot_be(content, "a Boolean")
    return 1


def _check_null(value: Value, content: Any) -> int:
    if type(content) is not bool:
        raise _cannot_be(content, "a Boolean")
    if not content:
        raise ValidationException(
            _INVALID + "Null attribute value types must have the value of true"
        )
    return 1


def _check_texts(value: Value, content: Any) -> int:
    total = _members(content, "string", str)
    if len(set(content)) != len(content):
        raise _duplicates(content)
    return total + sum(map(text_size, content))


def _check_numbers(value: Value, content: Any) -> int:
    total = _members(content, "number", str)
    numbers = [measured_number(text) for text in content]
    if len(set(numbers)) != len(numbers):
        raise ValidationException("Input collection contains duplicates")
    value["NS"] = [text for text, _ in numbers]
    return total + sum(size for _, size in numbers)


def _check_binaries(value: Value, content: Any) -> int:
    total = _members(content, "binary", (str, bytes, bytearray))
    pairs = [_base64(one) for one in content]
    texts = [text for text, _ in pairs]
    if len(set(texts)) != len(texts):
        raise ValidationException(
            f"{_INVALID}Input collection [{', '.join(texts)}]of type BS contains duplicates."
        )
    value["BS"] = texts
    return total + sum(size for _, size in pairs)


def _members(content: Any, noun: str, kinds: Any) -> int:
    if type(content) is not list:
        raise _unexpected(content)
    if not content:
        said = "Binary sets should not be empty"
        if noun != "binary":
            said = f"An {noun} set  may not be empty"
        raise ValidationException(_INVALID + said)
    for one in content:
        if not isinstance(one, kinds):
            raise _cannot_be(one, "a String" if noun != "binary" else "a Blob")
    return 0


def _duplicates(content: list[str]) -> ValidationException:
    return ValidationException(
        f"{_INVALID}Input collection [{', '.join(content)}] contains duplicates."
    )


_CHECKS: dict[str, Callable[[Value, Any], int]] = {
    "S": lambda value, content: _refuse_text(content),
    "N": lambda value, content: _refuse_text(content),
    "B": _check_binary,
    "BOOL": _check_flag,
    "NULL": _check_null,
    "SS": _check_texts,
    "NS": _check_numbers,
    "BS": _check_binaries,
}


def _refuse_text(content: Any) -> int:
    raise _cannot_be(content, "a String")


_NAMES = {bool: "BOOLEAN", int: "NUMBER_VALUE", float: "DECIMAL_VALUE", str: "STRING_VALUE"}


def _cannot_be(content: Any, kind: str) -> MalformedRequest:
    if isinstance(content, dict | list):
        return _unexpected(content)
    if isinstance(content, bool):
        found = "TRUE_VALUE" if content else "FALSE_VALUE"
    else:
        found = _NAMES.get(type(content), "VALUE_NULL")
    return MalformedRequest(f"{found} can not be converted to {kind}")


def _unexpected(content: Any) -> MalformedRequest:
    if isinstance(content, dict):
        return MalformedRequest("Start of structure or map found where not expected.")
    if isinstance(content, list):
        return MalformedRequest("Start of list found where not expected.")
    return MalformedRequest("Unexpected value type in payload")


def kind_of(value: Value) -> str:
    """The datatype of a checked value."""
    return next(iter(value))
