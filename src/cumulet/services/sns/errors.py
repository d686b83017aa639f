"""The errors of SNS, in AWS's words."""

from __future__ import annotations

from cumulet.core.errors import AwsError


class InvalidParameterException(AwsError):
    """A parameter has a value that the operation does not take."""


class InvalidParameterValueException(AwsError):
    """A message attribute has a value that it cannot have."""


class NotFoundException(AwsError):
    """There is no such topic or subscription."""


class ResourceNotFoundException(AwsError):
    """There is no such topic to have tags."""


class AuthorizationErrorException(AwsError):
    """The caller may not do this to this subscription."""


class TopicLimitExceededException(AwsError):
    """The account has too many topics."""


class SubscriptionLimitExceededException(AwsError):
    """The topic has too many subscriptions."""


class FilterPolicyLimitExceededException(AwsError):
    """The topic has too many filter policies."""


class TagLimitExceededException(AwsError):
    """The topic would have too many tags."""


class EmptyBatchRequestException(AwsError):
    """The batch has no entries."""


class TooManyEntriesInBatchRequestException(AwsError):
    """The batch has more than ten entries."""


class BatchEntryIdsNotDistinctException(AwsError):
    """Two entries of the batch have the same id."""


class InvalidBatchEntryIdException(AwsError):
    """An entry's id has characters that it cannot have."""


class BatchRequestTooLongException(AwsError):
    """The messages of the batch are too long together."""


def invalid(reason: str) -> InvalidParameterException:
    """The sentence that SNS has for its parameters."""
    return InvalidParameterException(f"Invalid parameter: {reason}")


def no_topic() -> NotFoundException:
    """In AWS's words."""
    return NotFoundException("Topic does not exist")


def no_subscription() -> NotFoundException:
    """In AWS's words."""
    return NotFoundException("Subscription does not exist")
