"""Messages: what a publish may say, and how receivers see it.

Follows https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from cumulet.core.clock import iso_time
from cumulet.services.sns.errors import InvalidParameterValueException, invalid
from cumulet.services.sns.limits import (
    ATTRIBUTE_NAME_MAX,
    GROUP_CHARACTERS_MAX,
    MESSAGE_BYTES_MAX,
    SUBJECT_CHARACTERS_MAX,
)
from cumulet.services.sns.model import Attribute, Message, Topic

_SUBJECT = re.compile(r"[A-Za-z0-9!-/:-@\[-`{-~][^\x00-\x1f\x7f]*\Z", re.ASCII)
_ATTRIBUTE = re.compile(r"(?!\.)(?!.*\.\.)[A-Za-z0-9_.-]+(?<!\.)\Z")
_RESERVED = re.compile(r"(?i)(aws|amazon)\.")
_TYPE = re.compile(r"(String\.Array|String|Number|Binary)(\..+)?\Z", re.DOTALL)
_TOKEN = re.compile(r"[A-Za-z0-9!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]{1,128}\Z")


class Published(NamedTuple):
    """What a publish says, checked."""

    text: str
    texts: dict[str, str]
    subject: str
    attributes: dict[str, Attribute]
    group: str
    deduplication: str
    size_bytes: int


def read_message(topic: Topic, request: Mapping[str, Any]) -> Published:
    """The message of a publish. Raises SNS's errors for what cannot be published."""
    text = request.get("Message") or ""
    if not text:
        raise invalid("Empty message")
    attributes = _read_attributes(request.get("MessageAttributes") or {})
    size = len(text.encode()) + sum(
        len(name.encode()) + len(kind) + len(value.encode() if isinstance(value, str) else value)
        for name, (kind, value) in attributes.items()
    )
    if size > MESSAGE_BYTES_MAX:
        raise invalid("Message too long")
    subject = request.get("Subject")
    if subject is not None:
        _check_subject(subject)
    texts = _read_structure(text, request.get("MessageStructure"))
    group, deduplication = _identify(topic, request, text)
    return Published(
        texts.get("default", text), texts, subject or "", attributes, group, deduplication, size
    )


def _check_subject(subject: str) -> None:
    if not subject.isascii() or not _SUBJECT.match(subject):
        raise invalid("Subject")
    if len(subject) > SUBJECT_CHARACTERS_MAX:
        raise invalid("Subject")


def _read_structure(text: str, structure: str | None) -> dict[str, str]:
    if structure is None or structure == "":
        return {}
    if structure != "json":
        raise invalid("MessageStructure")
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as cause:
        raise invalid("Message Structure - JSON message body failed to parse") from cause
    if not isinstance(given, dict) or not isinstance(given.get("default"), str):
        raise invalid("Message Structure - No default entry in JSON message body")
    # What is no text is left out, as AWS does.
    return {key: value for key, value in given.items() if isinstance(value, str)}


def _identify(topic: Topic, request: Mapping[str, Any], text: str) -> tuple[str, str]:
    group, given = request.get("MessageGroupId"), request.get("MessageDeduplicationId")
    if group is not None and not _TOKEN.match(group):
        raise invalid(
            "MessageGroupId can only include alphanumeric and punctuation characters. "
            f"1 to {GROUP_CHARACTERS_MAX} in length."
        )
    if not topic.is_fifo:
        if given is not None:
            raise invalid(
                "MessageDeduplicationId Reason: The request includes MessageDeduplicationId "
                "parameter that is not valid for this topic type"
            )
        return group or "", ""
    if group is None:
        raise invalid("The MessageGroupId parameter is required for FIFO topics")
    if given is not None:
        if not _TOKEN.match(given):
            raise invalid(
                "MessageDeduplicationId can only include alphanumeric and punctuation "
                f"characters. 1 to {GROUP_CHARACTERS_MAX} in length."
            )
        return group, given
    if topic.attributes.get("ContentBasedDeduplication") != "true":
        raise invalid(
            "The topic should either have ContentBasedDeduplication enabled or "
            "MessageDeduplicationId provided explicitly"
        )
    return group, hashlib.sha256(text.encode()).hexdigest()


def _read_attributes(given: Mapping[str, Mapping[str, Any]]) -> dict[str, Attribute]:
    return {name: _read_attribute(name, value) for name, value in given.items()}


def _refuse(sentence: str) -> InvalidParameterValueException:
    return InvalidParameterValueException(sentence)


def _read_attribute(name: str, value: Mapping[str, Any]) -> Attribute:
    if not _ATTRIBUTE.match(name) or len(name) > ATTRIBUTE_NAME_MAX or _RESERVED.match(name):
        raise _refuse(f"Invalid message attribute name: {name}")
    kind = value.get("DataType") or ""
    found = _TYPE.match(kind)
    if found is None:
        raise _refuse(
            f"The message attribute '{name}' has an invalid message attribute type, the set of "
            "supported type prefixes is Binary, Number, and String."
        )
    content = value.get("BinaryValue" if found[1] == "Binary" else "StringValue")
    if not content:
        raise _refuse(
            f"The message attribute '{name}' must contain non-empty message attribute value for "
            f"message attribute type '{kind}'."
        )
    if found[1] == "Number":
        try:
            float(content)
        except ValueError:
            raise _refuse(f"Could not cast message attribute '{name}' value to number.") from None
    if found[1] == "String.Array":
        _check_array(name, content)
    return kind, content


def _check_array(name: str, content: str) -> None:
    try:
        values = json.loads(content)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, list) or any(isinstance(one, list | dict) for one in values):
        raise _refuse(
            f"Message attribute '{name}' of type 'String.Array' must be a JSON array of strings, "
            "numbers, true, false and null."
        )


def shown_attributes(message: Message) -> dict[str, dict[str, str]]:
    """The attributes as an envelope has them."""
    return {
        name: {
            "Type": kind,
            "Value": value if isinstance(value, str) else base64.b64encode(value).decode(),
        }
        for name, (kind, value) in message.attributes.items()
    }


def signed_text(message: Message, text: str, subscribe_url: str) -> str:
    """What the signature is made of: names and values, a line each, in a fixed order.

    https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message-verify-message-signature.html
    """
    fields = {"Message": text, "MessageId": message.id}
    if message.kind == "Notification":
        if message.subject:
            fields["Subject"] = message.subject
    else:
        fields["SubscribeURL"] = subscribe_url
    fields["Timestamp"] = iso_time(message.published_at)
    if message.kind != "Notification":
        fields["Token"] = message.token
    fields |= {"TopicArn": message.topic_arn, "Type": message.kind}
    return "".join(f"{name}\n{value}\n" for name, value in fields.items())
