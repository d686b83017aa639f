"""Attributes of topics and subscriptions: which there are, and what they may be."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from cumulet.core.identity import Scope, parse_arn
from cumulet.kit.policy import MalformedPolicy, check_document
from cumulet.services.sns.errors import invalid
from cumulet.services.sns.limits import DISPLAY_NAME_MAX, NAME_CHARACTERS_MAX
from cumulet.services.sns.model import Topic, topic_arn
from cumulet.services.sns.rules.filters import check_filter
from cumulet.services.sns.rules.retries import (
    DEFAULT_CONTENT_TYPE,
    DEFAULT_RETRY,
    check_delivery_policy,
)

_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}\Z")
_FIFO_NAME = re.compile(r"[A-Za-z0-9_-]{1,251}\.fifo\Z")
_DISPLAY = re.compile(r"[^\x00-\x1f\x7f]*\Z")
_FLAGS = ("true", "false")
_ONLY_FIFO = ("FifoTopic", "ContentBasedDeduplication", "FifoThroughputScope")
_LOGGED = ("Application", "Firehose", "HTTP", "Lambda", "SQS")
_NOT_HERE = frozenset(
    {"ArchivePolicy", "DataProtectionPolicy"}
    | {f"{one}SuccessFeedbackRoleArn" for one in _LOGGED}
    | {f"{one}SuccessFeedbackSampleRate" for one in _LOGGED}
    | {f"{one}FailureFeedbackRoleArn" for one in _LOGGED}
)
"""Attributes that AWS has and Cumulet does not: archives, and logs of each delivery."""

_DEFAULT_ACTIONS = [
    *("SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission"),
    *("SNS:RemovePermission", "SNS:DeleteTopic", "SNS:Subscribe"),
    *("SNS:ListSubscriptionsByTopic", "SNS:Publish"),
]


def check_name(name: str, is_fifo: bool) -> None:
    """Raises InvalidParameterException for a name that a topic cannot have."""
    if is_fifo:
        if not _FIFO_NAME.match(name):
            raise invalid(
                "Fifo Topic names must end with .fifo and must be made up of only uppercase and "
                "lowercase ASCII letters, numbers, underscores, and hyphens, and must be between "
                f"1 and {NAME_CHARACTERS_MAX} characters long."
            )
    elif not _NAME.match(name):
        raise invalid("Topic Name")


def default_policy(scope: Scope, name: str) -> dict[str, Any]:
    """The policy that a topic has until it is given one: it lets in nobody but the account."""
    return {
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [
            {
                "Sid": "__default_statement_ID",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": _DEFAULT_ACTIONS,
                "Resource": topic_arn(scope, name),
                "Condition": {"StringEquals": {"AWS:SourceOwner": scope.account}},
            }
        ],
    }


def policy_of(scope: Scope, topic: Topic) -> str:
    """The text of a topic's policy."""
    return topic.attributes.get("Policy") or json.dumps(default_policy(scope, topic.name))


def check_topic_attribute(key: str, value: str, *, is_fifo: bool, is_new: bool = False) -> None:
    """Raises InvalidParameterException unless a topic can have the attribute with that value."""
    if key in _NOT_HERE:
        raise invalid(f"Attributes Reason: {key} is not supported by Cumulet.")
    if key in _ONLY_FIFO and not is_fifo and value != "false":
        raise invalid(f"Attributes Reason: Unknown attribute {key} for a standard topic")
    match key:
        case "FifoTopic":
            if not is_new:
                raise invalid("AttributeName")
            _check_one_of(key, value, _FLAGS)
        case "ContentBasedDeduplication":
            _check_one_of(key, value, _FLAGS)
        case "FifoThroughputScope":
            _check_one_of(key, value, ("Topic", "MessageGroup"))
        case "SignatureVersion":
            _check_one_of(key, value, ("1", "2"))
        case "TracingConfig":
            if value != "PassThrough":
                raise invalid("TracingConfig Reason: only PassThrough is supported by Cumulet.")
        case "DisplayName":
            if len(value) > DISPLAY_NAME_MAX or not _DISPLAY.match(value):
                raise invalid("DisplayName")
        case "DeliveryPolicy":
            check_delivery_policy(value, of_topic=True)
        case "Policy":
            _check_policy(value)
        case "KmsMasterKeyId":
            pass
        case _:
            raise invalid("AttributeName")


def _check_one_of(key: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise invalid(f"Attributes Reason: {key}: Invalid value [{value}]")


def _check_policy(text: str) -> None:
    if not text:
        return
    try:
        check_document(text, "resource")
    except MalformedPolicy as cause:
        raise invalid(f"Policy Error: {cause}") from cause


def shown_topic(scope: Scope, topic: Topic, confirmed: int, pending: int) -> dict[str, str]:
    """All attributes of a topic, as GetTopicAttributes tells them."""
    shown = {
        "TopicArn": topic_arn(scope, topic.name),
        "Owner": scope.account,
        "Policy": policy_of(scope, topic),
        "DisplayName": "",
        "SubscriptionsPending": str(pending),
        "SubscriptionsConfirmed": str(confirmed),
        "SubscriptionsDeleted": str(topic.deleted),
        "EffectiveDeliveryPolicy": json.dumps(effective_policy(topic.attributes)),
    }
    if topic.is_fifo:
        shown |= {"ContentBasedDeduplication": "false", "FifoThroughputScope": "Topic"}
    return shown | {key: value for key, value in topic.attributes.items() if value}


def effective_policy(attributes: Mapping[str, str]) -> dict[str, Any]:
    """The delivery policy of a topic with what it leaves to SNS."""
    given = json.loads(attributes.get("DeliveryPolicy") or "{}").get("http", {})
    return {
        "http": {
            "defaultHealthyRetryPolicy": {
                **DEFAULT_RETRY,
                **(given.get("defaultHealthyRetryPolicy") or {}),
            },
            "disableSubscriptionOverrides": given.get("disableSubscriptionOverrides", False),
            "defaultRequestPolicy": {
                "headerContentType": DEFAULT_CONTENT_TYPE,
                **(given.get("defaultRequestPolicy") or {}),
            },
        }
    }


def check_subscription_attributes(
    attributes: Mapping[str, str], scope: Scope, protocol: str, *, is_fifo: bool
) -> None:
    """Raises InvalidParameterException unless a subscription can have these together."""
    for key, value in attributes.items():
        match key:
            case "FilterPolicy":
                check_filter(value, attributes.get("FilterPolicyScope", ""))
            case "FilterPolicyScope":
                if value not in ("MessageAttributes", "MessageBody"):
                    raise invalid(
                        f"FilterPolicyScope: Invalid value [{value}]. Please use either "
                        "MessageBody or MessageAttributes"
                    )
            case "RawMessageDelivery":
                _check_raw(value, protocol)
            case "RedrivePolicy":
                _check_redrive(value, scope, is_fifo)
            case "DeliveryPolicy":
                if protocol not in ("http", "https") and value:
                    raise invalid(
                        f"Delivery protocol [{protocol}] does not support delivery policies"
                    )
                check_delivery_policy(value, of_topic=False)
            case "ReplayPolicy" | "SubscriptionRoleArn":
                raise invalid(f"Attributes Reason: {key} is not supported by Cumulet.")
            case _:
                raise invalid("AttributeName")


def _check_raw(value: str, protocol: str) -> None:
    if value.lower() not in _FLAGS:
        raise invalid(f"Attributes Reason: RawMessageDelivery: Invalid value [{value}]. "
                      "Must be true or false.")  # fmt: skip
    if value.lower() == "true" and protocol not in ("http", "https", "sqs"):
        raise invalid(
            "Attributes Reason: Delivery protocol "
            f"[{protocol}] does not support raw message delivery."
        )


def _check_redrive(value: str, scope: Scope, is_fifo: bool) -> None:
    if not value:
        return
    target = redrive_target(value)
    arn = parse_arn(target)
    if arn is None or arn.service != "sqs":
        raise invalid("RedrivePolicy: deadLetterTargetArn is an invalid arn")
    if arn.region != scope.region or arn.account != scope.account:
        raise invalid("RedrivePolicy: must be an SQS queue of the same account and region")
    if is_fifo != arn.resource.endswith(".fifo"):
        raise invalid("RedrivePolicy: must use a FIFO queue as DLQ for a FIFO topic, and only then")


def redrive_target(text: str) -> str:
    """The ARN in a redrive policy, or "". Raises InvalidParameterException."""
    if not text:
        return ""
    try:
        policy = json.loads(text)
    except ValueError as cause:
        raise invalid("RedrivePolicy: failed to parse JSON.") from cause
    target = policy.get("deadLetterTargetArn") if isinstance(policy, dict) else None
    if not isinstance(target, str):
        raise invalid("RedrivePolicy: deadLetterTargetArn is missing")
    return target
