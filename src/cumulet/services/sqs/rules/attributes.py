"""Attributes of queues: which there are, what they may be, and what they mean.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import NamedTuple

from cumulet.core.identity import Scope, parse_arn
from cumulet.kit.policy import MalformedPolicy, check_document
from cumulet.services.sqs.errors import (
    InvalidAttributeName,
    InvalidAttributeValue,
    InvalidParameterValueException,
    invalid_value,
)
from cumulet.services.sqs.limits import (
    DELAY_SECONDS_MAX,
    MESSAGE_BYTES_LEAST,
    MESSAGE_BYTES_MAX,
    RECEIVES_MAX,
    RETENTION_SECONDS_MAX,
    RETENTION_SECONDS_MIN,
    REUSE_SECONDS_MAX,
    REUSE_SECONDS_MIN,
    VISIBILITY_SECONDS_MAX,
    WAIT_SECONDS_MAX,
)
from cumulet.services.sqs.model import Queue

NUMBERS = {
    "VisibilityTimeout": (0, VISIBILITY_SECONDS_MAX, "30"),
    "MaximumMessageSize": (MESSAGE_BYTES_LEAST, MESSAGE_BYTES_MAX, str(MESSAGE_BYTES_MAX)),
    "MessageRetentionPeriod": (RETENTION_SECONDS_MIN, RETENTION_SECONDS_MAX, "345600"),
    "DelaySeconds": (0, DELAY_SECONDS_MAX, "0"),
    "ReceiveMessageWaitTimeSeconds": (0, WAIT_SECONDS_MAX, "0"),
}
"""Attributes that every queue has: least, most, and the value when none was set."""
_REUSE = "KmsDataKeyReusePeriodSeconds"
_FIFO_CHOICES = {
    "FifoQueue": ("true", "false"),
    "ContentBasedDeduplication": ("true", "false"),
    "DeduplicationScope": ("queue", "messageGroup"),
    "FifoThroughputLimit": ("perQueue", "perMessageGroupId"),
}
FIFO_DEFAULTS = {
    "FifoQueue": "true",
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "FifoThroughputLimit": "perQueue",
}
_BAD_ALLOW = "Amazon SQS can't create the redrive allow policy, as it’s in an unsupported format."
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}\Z")
_FIFO_NAME = re.compile(r"(?=.{1,80}\Z)[A-Za-z0-9_-]+\.fifo\Z")


class RedrivePolicy(NamedTuple):
    """Where messages go that were received too often: the queue's name, and how often that is."""

    target: str
    receives: int


def check_name(name: str, is_fifo: bool) -> None:
    """Raises InvalidParameterValueException for a name that such a queue cannot have."""
    if is_fifo and not _FIFO_NAME.match(name):
        raise InvalidParameterValueException(
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or "
            "underscores, must end with .fifo suffix and be 1 to 80 in length."
        )
    if not is_fifo and not _NAME.match(name):
        raise InvalidParameterValueException(
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        )


def check_attributes(given: Mapping[str, str], scope: Scope, *, name: str, is_new: bool) -> None:
    """Raises InvalidAttributeName, InvalidAttributeValue or InvalidParameterValueException."""
    is_fifo = name.endswith(".fifo")
    for key, value in given.items():
        if key in NUMBERS or key == _REUSE:
            _check_number(key, value)
        elif key in _FIFO_CHOICES:
            _check_fifo(key, value, is_fifo, is_new)
        elif key == "RedrivePolicy":
            parse_redrive(value, scope, is_fifo)
        elif key == "RedriveAllowPolicy":
            parse_redrive_allow(value)
        elif key == "Policy":
            _check_policy(value)
        elif key == "SqsManagedSseEnabled":
            _check_choice(key, value, ("true", "false"))
        elif key != "KmsMasterKeyId":
            raise InvalidAttributeName(f"Unknown Attribute {key}.")
    if (
        given.get("FifoThroughputLimit") == "perMessageGroupId"
        and given.get("DeduplicationScope") == "queue"
    ):
        raise InvalidAttributeValue(
            "Invalid value for the parameter FifoThroughputLimit. Reason: perMessageGroupId is "
            "allowed only when the value for DeduplicationScope is messageGroup."
        )


_FLAGS = frozenset(("FifoQueue", "ContentBasedDeduplication", "SqsManagedSseEnabled"))


def with_plain_flags(given: Mapping[str, str]) -> dict[str, str]:
    """The attributes with truth values as they are kept: AWS reads them in any case."""
    return {
        key: value.lower() if key in _FLAGS and value.lower() in ("true", "false") else value
        for key, value in given.items()
    }


def _check_number(key: str, value: str) -> None:
    least, most = (REUSE_SECONDS_MIN, REUSE_SECONDS_MAX) if key == _REUSE else NUMBERS[key][:2]
    if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
        raise InvalidAttributeValue(f"Invalid value for the parameter {key}.")


def _check_fifo(key: str, value: str, is_fifo: bool, is_new: bool) -> None:
    if not is_fifo:
        if key in ("DeduplicationScope", "FifoThroughputLimit"):
            raise InvalidAttributeName(
                f"You can specify the {key} only when FifoQueue is set to true."
            )
        raise InvalidAttributeName(f"Unknown Attribute {key}.")
    if key == "FifoQueue" and value != "true":
        reason = "" if is_new else " Reason: Modifying queue type is not supported."
        raise InvalidAttributeValue(f"Invalid value for the parameter FifoQueue.{reason}")
    _check_choice(key, value, _FIFO_CHOICES[key])


def _check_choice(key: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InvalidAttributeValue(f"Invalid value for the parameter {key}.")


def _check_policy(text: str) -> None:
    if not text:
        return
    try:
        check_document(text, "resource")
    except MalformedPolicy as cause:
        raise InvalidAttributeValue("Invalid value for the parameter Policy.") from cause


def parse_redrive(text: str, scope: Scope, is_fifo: bool) -> RedrivePolicy | None:
    """The redrive policy in `text`, None for an empty one; InvalidParameterValueException."""
    if not text:
        return None
    try:
        given = json.loads(text)
        target, receives = given["deadLetterTargetArn"], given["maxReceiveCount"]
    except (ValueError, TypeError):
        raise invalid_value(
            text, "RedrivePolicy", "Redrive policy is not a valid JSON map."
        ) from None
    except KeyError as missing:
        raise invalid_value(
            text,
            "RedrivePolicy",
            f"Redrive policy does not contain mandatory attribute: {missing.args[0]}.",
        ) from None
    if unknown := set(given) - {"deadLetterTargetArn", "maxReceiveCount"}:
        raise invalid_value(
            text,
            "RedrivePolicy",
            "Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount]; "
            f"not {min(unknown)}.",
        )
    count = _receives(receives)
    if count is None:
        raise invalid_value(
            text,
            "RedrivePolicy",
            f"Invalid value for maxReceiveCount: {receives}, valid values are from 1 to "
            f"{RECEIVES_MAX} both inclusive.",
        )
    arn = parse_arn(str(target))
    if arn is None or arn.service != "sqs":
        raise invalid_value(text, "RedrivePolicy", "Invalid value for deadLetterTargetArn.")
    if (arn.account, arn.region) != (scope.account, scope.region):
        raise invalid_value(
            text, "RedrivePolicy", "Dead letter target owner should be same as the source."
        )
    if arn.resource.endswith(".fifo") != is_fifo:
        raise invalid_value(
            text,
            "RedrivePolicy",
            "Dead-letter queue must be same type of queue as the source.",
        )
    return RedrivePolicy(arn.resource, count)


def _receives(given: object) -> int | None:
    text = str(given) if isinstance(given, int | str) and not isinstance(given, bool) else ""
    if text.isascii() and text.isdigit() and 1 <= int(text) <= RECEIVES_MAX:
        return int(text)
    return None


def redrive_policy(queue: Queue) -> RedrivePolicy | None:
    """The redrive policy of a queue, which was checked when it was set."""
    text = queue.attributes.get("RedrivePolicy")
    if not text:
        return None
    given = json.loads(text)
    target = parse_arn(given["deadLetterTargetArn"])
    return RedrivePolicy(target.resource if target else "", int(given["maxReceiveCount"]))


def parse_redrive_allow(text: str) -> tuple[str, tuple[str, ...]]:
    """Who may use a queue for dead letters: `allowAll`, `denyAll`, `byQueue` and the ARNs."""
    if not text:
        return "allowAll", ()
    try:
        given = json.loads(text)
        permission = given["redrivePermission"]
        sources = tuple(given.get("sourceQueueArns") or ())
    except (ValueError, TypeError, KeyError):
        raise invalid_value(
            text,
            "RedriveAllowPolicy",
            _BAD_ALLOW,
        ) from None
    valid = permission in ("allowAll", "denyAll", "byQueue")
    if not valid or bool(sources) != (permission == "byQueue") or len(sources) > 10:
        raise invalid_value(
            text,
            "RedriveAllowPolicy",
            _BAD_ALLOW,
        )
    return permission, sources


def allows_redrive(target: Queue, source_arn: str) -> bool:
    """Whether a queue takes the dead letters of another."""
    permission, sources = parse_redrive_allow(target.attributes.get("RedriveAllowPolicy", ""))
    return permission == "allowAll" or (permission == "byQueue" and source_arn in sources)


def shown_attributes(queue: Queue) -> dict[str, str]:
    """The attributes that a queue has, with those that were not set."""
    shown = {key: default for key, (_, _, default) in NUMBERS.items()}
    if queue.is_fifo:
        shown |= FIFO_DEFAULTS
    has_key = bool(queue.attributes.get("KmsMasterKeyId"))
    shown["SqsManagedSseEnabled"] = "false" if has_key else "true"
    if has_key:
        shown[_REUSE] = "300"
    shown |= {key: value for key, value in queue.attributes.items() if value}
    return shown
