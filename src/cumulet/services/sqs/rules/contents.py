"""Contents of messages: what they may hold, how long they are, and their MD5 sums."""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Mapping
from typing import Any

from cumulet.services.sqs.errors import (
    InvalidMessageContents,
    InvalidParameterValueException,
    invalid_value,
)
from cumulet.services.sqs.limits import ATTRIBUTE_NAME_MAX, ATTRIBUTES_MAX

Attributes = dict[str, dict[str, Any]]

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAME = re.compile(r"(?!\.)(?!.*\.\.)[A-Za-z0-9_.-]+(?<!\.)\Z")
_RESERVED = re.compile(r"(?i)(aws|amazon)\.")
_TYPE = re.compile(r"(String|Number|Binary)(\..+)?\Z", re.DOTALL)
_TOKEN = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}\Z")


def check_body(body: str) -> None:
    """Raises InvalidMessageContents for characters outside of XML's."""
    # The usual text is seen to be allowed five times as fast.
    if not (body.isascii() and body.isprintable()) and _FORBIDDEN.search(body):
        raise InvalidMessageContents(
            "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | "
            "#x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
        )


def check_token(value: str, parameter: str) -> None:
    """Raises InvalidParameterValueException for a group or deduplication id of other characters."""
    if not _TOKEN.match(value):
        raise invalid_value(
            value,
            parameter,
            f"{parameter} can only include alphanumeric and punctuation characters. "
            "1 to 128 in length.",
        )


def read_attributes(given: Mapping[str, Mapping[str, Any]]) -> Attributes:
    """The attributes of a message as they are kept. Raises InvalidParameterValueException."""
    if len(given) > ATTRIBUTES_MAX:
        raise InvalidParameterValueException(
            f"Number of message attributes [{len(given)}] exceeds the allowed maximum "
            f"[{ATTRIBUTES_MAX}]."
        )
    return {name: _read(name, value) for name, value in given.items()}


def _read(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    if not _NAME.match(name) or len(name) > ATTRIBUTE_NAME_MAX or _RESERVED.match(name):
        raise InvalidParameterValueException(
            f"The message attribute name '{name}' is invalid. Attribute name can contain A-Z, "
            "a-z, 0-9, underscore (_), hyphen (-), and period (.) characters."
        )
    kind = value.get("DataType", "")
    found = _TYPE.match(kind)
    if not kind:
        raise InvalidParameterValueException(
            f"The message attribute '{name}' must contain non-empty message attribute type."
        )
    if found is None:
        raise InvalidParameterValueException(
            f"The message attribute '{name}' has an invalid message attribute type, the set of "
            "supported type prefixes is Binary, Number, and String."
        )
    for absent in ("StringListValues", "BinaryListValues"):
        if value.get(absent):
            raise InvalidParameterValueException(
                "Message attribute list values in SendMessage operation are not supported."
            )
    member = "BinaryValue" if found[1] == "Binary" else "StringValue"
    content = value.get(member)
    if not content:
        raise InvalidParameterValueException(
            f"Message (user) attribute '{name}' must contain a non-empty value of type "
            f"'{'Binary' if found[1] == 'Binary' else 'String'}'."
        )
    if found[1] == "Number":
        _check_number(name, content)
    if isinstance(content, str):
        check_body(content)
    return {"DataType": kind, member: content}


def _check_number(name: str, content: str) -> None:
    try:
        float(content)
    except ValueError:
        raise InvalidParameterValueException(
            f"Can't cast the value of message (user) attribute '{name}' to a number."
        ) from None


def size_of(body: str, attributes: Attributes) -> int:
    """The bytes that count towards a message's limit: body, and names, types and values."""
    size = len(body) if body.isascii() else len(body.encode())
    for name, value in attributes.items():
        content = value.get("StringValue", value.get("BinaryValue"))
        size += len(name.encode()) + len(value["DataType"].encode())
        size += len(content.encode() if isinstance(content, str) else content or b"")
    return size


def md5_of_body(body: str) -> str:
    """The sum that senders and receivers compare."""
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()


def md5_of_attributes(attributes: Mapping[str, Mapping[str, Any]]) -> str:
    """The sum over names, types and values in the order of the names; "" for none.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation
    """
    if not attributes:
        return ""
    digest = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        value = attributes[name]
        _add(digest, name.encode())
        _add(digest, value["DataType"].encode())
        if "BinaryValue" in value:
            digest.update(b"\x02")
            _add(digest, value["BinaryValue"])
        else:
            digest.update(b"\x01")
            _add(digest, value["StringValue"].encode())
    return digest.hexdigest()


def _add(digest: Any, part: bytes) -> None:
    digest.update(struct.pack(">I", len(part)))
    digest.update(part)


def chosen_attributes(attributes: Attributes, names: list[str]) -> Attributes:
    """The attributes that a receiver asked for: by name, by `prefix.*`, or all of them."""
    if "All" in names or ".*" in names:
        return attributes
    prefixes = tuple(name[:-2] for name in names if name.endswith(".*"))
    exact = set(names)
    return {
        name: value
        for name, value in attributes.items()
        if name in exact or any(name == one or name.startswith(one) for one in prefixes)
    }


def content_deduplication(body: str) -> str:
    """The deduplication id of a message that came without one: the SHA-256 of its body."""
    return hashlib.sha256(body.encode()).hexdigest()


def read_trace_header(given: Mapping[str, Mapping[str, Any]]) -> str:
    """The X-Ray header among the system attributes, or ""; InvalidParameterValueException."""
    for name, value in given.items():
        if name != "AWSTraceHeader":
            raise InvalidParameterValueException(
                f"Message system attribute name '{name}' is invalid."
            )
        if value.get("DataType") != "String" or not value.get("StringValue"):
            raise InvalidParameterValueException(
                "The message system attribute 'AWSTraceHeader' must be a non-empty String."
            )
        return str(value["StringValue"])
    return ""
