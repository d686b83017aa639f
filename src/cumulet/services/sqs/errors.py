"""The errors of SQS, in AWS's words."""

from __future__ import annotations

from cumulet.core.errors import AwsError


class QueueDoesNotExist(AwsError):
    """There is no such queue in this account and region."""


class QueueNameExists(AwsError):
    """A queue of that name has other attributes."""


class QueueDeletedRecently(AwsError):
    """A queue of that name was deleted less than a minute ago."""


class PurgeQueueInProgress(AwsError):
    """The queue was purged less than a minute ago."""

    status = 403


class InvalidAttributeName(AwsError):
    """An attribute that the queue cannot have."""


class InvalidAttributeValue(AwsError):
    """A value that the attribute cannot have."""


class InvalidParameterValueException(AwsError):
    """A parameter has a value that the operation does not take."""


class MissingRequiredParameterException(AwsError):
    """A parameter that this queue needs is missing."""


class InvalidMessageContents(AwsError):
    """The message has characters that SQS does not carry."""


class ReceiptHandleIsInvalid(AwsError):
    """The handle was not given by this queue."""


class MessageNotInflight(AwsError):
    """The message is not in flight, so its visibility cannot be changed."""


class OverLimit(AwsError):
    """Too many messages of the queue are in flight."""

    status = 403


class EmptyBatchRequest(AwsError):
    """The batch has no entries."""


class TooManyEntriesInBatchRequest(AwsError):
    """The batch has more than ten entries."""


class BatchEntryIdsNotDistinct(AwsError):
    """Two entries of the batch have the same id."""


class InvalidBatchEntryId(AwsError):
    """An entry's id has characters that it cannot have."""


class BatchRequestTooLong(AwsError):
    """The messages of the batch are too long together."""


class UnsupportedOperation(AwsError):
    """The queue, or this cloud, does not do that."""


class ResourceNotFoundException(AwsError):
    """A queue or task that is named by its ARN or handle is not there."""

    status = 404


def no_queue() -> QueueDoesNotExist:
    """In AWS's words."""
    return QueueDoesNotExist("The specified queue does not exist.")


def invalid_value(value: object, parameter: str, reason: str) -> InvalidParameterValueException:
    """The sentence that SQS has for most of its parameters."""
    return InvalidParameterValueException(
        f"Value {value} for parameter {parameter} is invalid. Reason: {reason}"
    )
