"""AWS services that an HTTP API calls without a function: the subtypes, and their parameters. Pure.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cumulet.services.apigateway.errors import BadRequestException


@dataclass(frozen=True, slots=True)
class Subtype:
    """One operation that can be integrated; what is not in either tuple is no parameter of it.

    `entries` is the member that holds the parameters as the only one of a list.
    """

    service: str
    operation: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    entries: str = ""


SUBTYPES: Mapping[str, Subtype] = {
    "SQS-SendMessage": Subtype(
        "sqs",
        "SendMessage",
        ("QueueUrl", "MessageBody"),
        (
            *("DelaySeconds", "MessageAttributes", "MessageDeduplicationId", "MessageGroupId"),
            *("MessageSystemAttributes", "Region"),
        ),
    ),
    "SQS-ReceiveMessage": Subtype(
        "sqs",
        "ReceiveMessage",
        ("QueueUrl",),
        (
            *("AttributeNames", "MaxNumberOfMessages", "MessageAttributeNames"),
            *("ReceiveRequestAttemptId", "VisibilityTimeout", "WaitTimeSeconds", "Region"),
        ),
    ),
    "SQS-DeleteMessage": Subtype(
        "sqs", "DeleteMessage", ("QueueUrl", "ReceiptHandle"), ("Region",)
    ),
    "SQS-PurgeQueue": Subtype("sqs", "PurgeQueue", ("QueueUrl",), ("Region",)),
    "EventBridge-PutEvents": Subtype(
        "events",
        "PutEvents",
        ("Detail", "DetailType", "Source"),
        ("Time", "EventBusName", "Resources", "TraceHeader", "Region"),
        entries="Entries",
    ),
}

NUMBERS = frozenset({"DelaySeconds", "MaxNumberOfMessages", "VisibilityTimeout", "WaitTimeSeconds"})
DOCUMENTS = frozenset({"MessageAttributes", "MessageSystemAttributes"})
"""Parameters whose value is a JSON document."""
LISTS = frozenset({"AttributeNames", "MessageAttributeNames", "Resources"})
"""Parameters whose value is a list, also as a JSON document or as words with commas."""
TIMES = frozenset({"Time"})
"""Parameters whose value is a time as RFC 3339 writes it."""

_ABSENT = {
    "AppConfig-GetConfiguration": "AppConfig",
    "Kinesis-PutRecord": "Kinesis",
    "StepFunctions-StartExecution": "Step Functions",
    "StepFunctions-StartSyncExecution": "Step Functions",
    "StepFunctions-StopExecution": "Step Functions",
}


def check_subtype(name: str, document: Mapping[str, Any]) -> None:
    """Refuse a service integration that cannot be carried out. Raises BadRequestException."""
    if name in _ABSENT:
        raise BadRequestException(
            f"IntegrationSubtype {name} is not supported by Cumulet: it has no {_ABSENT[name]}."
        )
    subtype = SUBTYPES.get(name)
    if subtype is None:
        raise BadRequestException(f"Invalid IntegrationSubtype specified: {name}")
    if not document.get("CredentialsArn"):
        raise BadRequestException("Credentials must be specified for service integrations")
    given = document.get("RequestParameters") or {}
    missing = [one for one in subtype.required if not given.get(one)]
    if missing:
        raise BadRequestException(
            f"Missing required request parameters for {name}: {', '.join(missing)}"
        )
    known = {*subtype.required, *subtype.optional}
    if strange := sorted(one for one in given if one not in known):
        raise BadRequestException(f"Invalid request parameters for {name}: {', '.join(strange)}")
